package import Faults

/// A table in memory. For tables of millions of rows, use `CSVReader`.
package struct CSVTable: Sendable {
  package let columns: [String]
  /// Each row has as many fields as there are columns.
  package private(set) var rows: [[String]] = []
  /// The line on which each row starts, from 1.
  package private(set) var lineNumbers: [Int] = []

  /// Reads a file; "-" is the standard input.
  ///
  /// - Parameter delimiter: nil to go by the extension and the header.
  /// - Throws: see `CSVReader`.
  package init(path: String, delimiter: CSVDelimiter? = nil) throws(Fault) {
    try self.init(reading: CSVReader(path: path, delimiter: delimiter))
  }

  /// Reads a file, once, and lets `body` look at all of its bytes, which are held in memory beside the table that is made of
  /// them; "-" is the standard input.
  ///
  /// - Throws: see `CSVReader`.
  package init(path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
    let bytes = try ByteInput.bytes(ofFile: path)
    bytes.withUnsafeBytes(body)
    try self.init(reading: CSVReader(bytes: bytes, ofFile: path, delimiter: nil))
  }

  package init(text: String, name: String, delimiter: CSVDelimiter = .comma) throws(Fault) {
    try self.init(reading: CSVReader(bytes: Array(text.utf8), name: name, delimiter: delimiter))
  }

  private init(reading reader: consuming CSVReader) throws(Fault) {
    columns = reader.columns
    while let row = try reader.next() {
      rows.append(row.fields)
      lineNumbers.append(row.line)
    }
  }
}
