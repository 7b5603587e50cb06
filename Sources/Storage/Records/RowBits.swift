/// A set of rows under construction, with a bit for each row: unions of many small sets, which cost a compressed set a
/// copy each.
struct RowBits {
  /// The bits of each chunk of 65,536 rows; empty where none was ever touched.
  private var chunks: [[UInt64]] = []

  mutating func formUnion(_ stored: StoredChunk) {
    withWords(ofChunk: Int(stored.chunk)) { stored.formUnion(into: $0) }
  }

  func rowSet() -> RowSet {
    var rows = JoinedChunks()
    for (chunk, words) in chunks.enumerated() {
      words.withUnsafeBufferPointer { rows.append(chunk: UInt16(chunk), words: $0) }
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
