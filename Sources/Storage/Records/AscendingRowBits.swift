/// A set of rows under construction from bits that come in order of the rows: results of scans. It holds the bits of one
/// chunk of 65,536 rows, so that a scan of millions writes to the same few pages of memory.
struct AscendingRowBits {
  private var rows = JoinedChunks()
  /// The chunk that rows are inserted into; those before it are done.
  private var chunk = 0
  private var words = [UInt64](repeating: 0, count: StoredChunk.wordCount)

  /// Inserts the rows whose bit is set.
  /// - Parameters:
  ///   - bits: bit i of word w stands for row `firstRow + 64 w + i`.
  ///   - firstRow: above all rows that were inserted before, and such that the last bit stands for one below `Row.max`.
  mutating func insert(_ bits: UnsafeBufferPointer<UInt64>, from firstRow: Row) {
    let shift = UInt64(firstRow % 64)
    var index = 0
    while index < bits.count {
      let first = Int(firstRow) / 64 + index
      move(to: first / StoredChunk.wordCount)
      let target = first % StoredChunk.wordCount
      let end = min(bits.count, index + StoredChunk.wordCount - target)
      words.withUnsafeMutableBufferPointer { words in
        for offset in 0..<end - index {
          let word = bits[index + offset]
          words[target + offset] |= word << shift
          if target + offset + 1 < StoredChunk.wordCount {
            words[target + offset + 1] |= word >> (64 - shift)
          }
        }
      }
      // What reaches beyond the chunk, which ends there.
      let carry = bits[end - 1] >> (64 - shift)
      if target + end - index == StoredChunk.wordCount, carry != 0 {
        move(to: chunk + 1)
        words[0] |= carry
      }
      index = end
    }
  }

  consuming func rowSet() -> RowSet {
    finishChunk()
    return rows.rowSet()
  }

  /// Ends the chunk, unless it is the one.
  private mutating func move(to chunk: Int) {
    if chunk == self.chunk { return }
    finishChunk()
    self.chunk = chunk
  }

  private mutating func finishChunk() {
    words.withUnsafeMutableBufferPointer { words in
      rows.append(chunk: UInt16(chunk), words: UnsafeBufferPointer(words))
      words.update(repeating: 0)
    }
  }
}
