package import Faults

/// Reads a table of values separated by commas, tabs or semicolons (RFC 4180) row by row, in constant memory.
///
/// The first line names the columns. Fields may be quoted, and then hold delimiters, line breaks and doubled
/// quotes. Lines end in LF, CR LF or CR; empty lines are skipped; a UTF-8 byte order mark is dropped.
package struct CSVReader: ~Copyable {
  /// What faults call the table.
  package let name: String
  /// As the header spells them, without white space around. Empty names may repeat (spreadsheets write such columns), others may not.
  package let columns: [String]
  private var records: CSVRecords

  /// Opens a file and reads its header; "-" is the standard input.
  ///
  /// - Parameter delimiter: nil to go by the extension and the header.
  package init(path: String, delimiter: CSVDelimiter? = nil) throws(Fault) {
    try self.init(ByteInput(path: path), path: path, delimiter: delimiter)
  }

  /// Reads bytes that are in memory already.
  package init(bytes: [UInt8], name: String, delimiter: CSVDelimiter = .comma) throws(Fault) {
    try self.init(
      CSVRecords(ByteInput(bytes: bytes, name: name), name: name, delimiter: delimiter), name: name)
  }

  /// Reads all bytes of a file, which are in memory already, as `init(path:)` reads the file.
  init(bytes: [UInt8], ofFile path: String, delimiter: CSVDelimiter?) throws(Fault) {
    try self.init(ByteInput(bytes: bytes, name: path), path: path, delimiter: delimiter)
  }

  private init(_ input: consuming ByteInput, path: String, delimiter: CSVDelimiter?) throws(Fault) {
    var input = input
    let name = path == "-" ? "standard input" : path
    let delimiter =
      if let delimiter { delimiter } else { try CSVDelimiter(forPath: path, header: input.upcoming()) }
    try self.init(CSVRecords(input, name: name, delimiter: delimiter), name: name)
  }

  private init(_ source: consuming CSVRecords, name: String) throws(Fault) {
    var records = source
    var header = CSVRows()
    guard try records.next(into: &header) else {
      throw Fault(
        .badData, name, expected: "a header line with the names of the columns", found: "an empty file")
    }
    let columns = header.texts.map(\.trimmingSpaces)
    var seen: Set<String> = []
    for column in columns where !column.isEmpty {
      guard seen.insert(column).inserted else {
        throw Fault(
          .badData, records.place(header.lines[0]), "two columns are named '\(column)'",
          remedy: "rename one of them")
      }
    }
    self.name = name
    self.columns = columns
    self.records = records
  }

  /// The next row, nil after the last.
  ///
  /// - Throws: as `read`.
  package mutating func next() throws(Fault) -> CSVRow? {
    var row = CSVRows()
    try read(1, into: &row)
    return row.lines.first.map { CSVRow(fields: row.texts, line: $0) }
  }

  /// Appends the next `count` rows to `rows`, fewer at the end.
  ///
  /// - Throws: `badData` with the line when its columns are not as many as the header's, a quote is not
  ///   closed, or bytes are not UTF-8.
  package mutating func read(_ count: Int, into rows: inout CSVRows) throws(Fault) {
    for _ in 0..<count {
      let fieldCount = rows.bounds.count
      guard try records.next(into: &rows) else { return }
      let found = rows.bounds.count - fieldCount
      guard found == columns.count else {
        throw Fault(
          .badData, records.place(rows.lines.last ?? 0),
          expected: "\(columns.count) column\(columns.count == 1 ? "" : "s") (as in the header)",
          found: "\(found)")
      }
    }
  }
}

/// One row of a table.
package struct CSVRow: Sendable, Equatable {
  package let fields: [String]
  /// The line of the file on which the row starts, from 1.
  package let line: Int
}
