/// Rows of a table as bytes, all of them in one piece of memory: for tables of which most texts are never needed as
/// `String`.
package struct CSVRows: Sendable {
  /// The bytes of the fields, without quotes, with a delimiter between two of a row.
  var bytes: [UInt8] = []
  /// Where each field's bytes are, row by row.
  var bounds: [Range<Int>] = []
  /// The line on which each row starts, from 1.
  package internal(set) var lines: [Int] = []

  package init() {}

  package var count: Int { lines.count }

  /// Forgets the rows and keeps their memory.
  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    bounds.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
  }

  /// - Parameter body: gets the bytes of all rows, which are UTF-8, and where those of each field are.
  /// - Shape: `bounds` is [count, columns], row-major.
  package func withUnsafeFields<Result>(
    _ body: (_ bytes: UnsafeRawBufferPointer, _ bounds: UnsafeBufferPointer<Range<Int>>) throws -> Result
  ) rethrows -> Result {
    try bytes.withUnsafeBytes { bytes in
      try bounds.withUnsafeBufferPointer { bounds in try body(bytes, bounds) }
    }
  }

  /// The fields of the rows, one after another.
  var texts: [String] { bounds.map { String(decoding: bytes[$0], as: UTF8.self) } }
}
