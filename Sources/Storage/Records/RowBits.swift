/// A set of rows under construction, with a bit for each row: results of scans, and unions of many small sets,
/// which cost a compressed set a copy each.
struct RowBits {
  /// The bits of each chunk of 65,536 rows; empty where none was ever touched.
  private var chunks: [[UInt64]] = []

  mutating func formUnion(_ stored: StoredChunk) {
    withWords(ofChunk: Int(stored.chunk)) { stored.formUnion(into: $0) }
  }

  /// Inserts the rows whose bit is set.
  /// - Parameters:
  ///   - bits: bit i of word w stands for row `firstRow + 64 w + i`.
  ///   - firstRow: any row that leaves the last bit below `Row.max`.
  mutating func insert(_ bits: UnsafeBufferPointer<UInt64>, from firstRow: Row) {
    let shift = UInt64(firstRow % 64)
    var index = 0
    // The words that a carry reaches lie in one chunk or in two.
    while index < bits.count {
      let first = Int(firstRow) / 64 + index
      let chunk = first / StoredChunk.wordCount
      let room = (chunk + 1) * StoredChunk.wordCount - first
      let end = min(bits.count, index + room)
      withWords(ofChunk: chunk) { words in
        for (word, target) in zip(bits[index..<end], first % StoredChunk.wordCount..<StoredChunk.wordCount) {
          words[target] |= word << shift
          if target + 1 < StoredChunk.wordCount { words[target + 1] |= word >> (64 - shift) }
        }
      }
      let carry = bits[end - 1] >> (64 - shift)
      if end - index == room, carry != 0 { withWords(ofChunk: chunk + 1) { $0[0] |= carry } }
      index = end
    }
  }

  func rowSet() -> RowSet {
    var rows = PortableRows()
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: StoredChunk.arrayLimit) { slots in
      for (chunk, words) in chunks.enumerated() {
        var count = 0
        for word in words where word != 0 { count += word.nonzeroBitCount }
        if count > StoredChunk.arrayLimit {
          words.withUnsafeBytes { rows.append(chunk: UInt16(chunk), count: count, container: $0) }
        } else if count > 0 {
          var next = 0
          for (index, word) in words.enumerated() where word != 0 {
            forEachBit(of: word) { bit in
              slots[next] = UInt16(truncatingIfNeeded: index * 64 + bit)
              next += 1
            }
          }
          let container = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(slots)[..<(2 * count)])
          rows.append(chunk: UInt16(chunk), count: count, container: container)
        }
      }
    }
    return rows.rowSet()
  }

  private mutating func withWords(ofChunk chunk: Int, _ body: (UnsafeMutableBufferPointer<UInt64>) -> Void) {
    while chunks.count <= chunk { chunks.append([]) }
    if chunks[chunk].isEmpty { chunks[chunk] = [UInt64](repeating: 0, count: StoredChunk.wordCount) }
    chunks[chunk].withUnsafeMutableBufferPointer { body($0) }
  }
}

/// Calls `body` with the number of each bit that is set, from the lowest.
func forEachBit(of word: UInt64, _ body: (Int) -> Void) {
  var rest = word
  while rest != 0 {
    body(rest.trailingZeroBitCount)
    rest &= rest - 1
  }
}
