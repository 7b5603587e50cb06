import Clmdb
import Glibc
import Synchronization

extension DatabaseWriter {
  /// Keeps memory for transactions of about this size, begun on the calling thread, from one to the next.
  ///
  /// LMDB takes the pages that a transaction writes from `malloc`, those of a block in one piece, and frees them when it
  /// ends. `malloc` would give so much memory back to the system, and get it again zeroed, a fault a page: an import of
  /// 154 MB in three commits has 40,700 of them, 19,800 when memory is kept, and 3,000 where it lies in huge pages
  /// (`perf stat -e page-faults`).
  package func keepMemory(byteCount: Int) {
    let isMore = keptByteCount.withLock { kept in
      if byteCount <= kept { return false }
      kept = byteCount
      return true
    }
    guard isMore else { return }
    // Pieces of a block's size come from the heap then, and the heap does not shrink.
    guard mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1, mallopt(M_TRIM_THRESHOLD, .max) == 1 else { return }
    let pieceByteCount = 16 << 20
    let pieces = (0...byteCount / pieceByteCount).compactMap { _ in malloc(pieceByteCount) }
    let pageSize = Int(getpagesize())
    for piece in pieces {
      // A system without huge pages refuses; nothing depends on them.
      madvise(piece.alignedUp(toMultipleOf: pageSize), pieceByteCount - pageSize, MADV_HUGEPAGE)
    }
    for piece in pieces { free(piece) }
  }
}
