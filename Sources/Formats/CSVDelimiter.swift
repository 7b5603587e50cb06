/// What separates the fields of a table.
package enum CSVDelimiter: UInt8, Sendable, CaseIterable {
  case comma = 0x2C
  case tab = 0x09
  case semicolon = 0x3B

  /// Tab for `.tsv` and `.tab`, otherwise comma: what a table is written with.
  package init(forPath path: String) {
    let name = path.lowercased()
    self = name.hasSuffix(".tsv") || name.hasSuffix(".tab") ? .tab : .comma
  }

  /// What separates the fields of a table whose name, which comes first, makes it a comma: where the header line has no
  /// comma, a semicolon that it has, as spreadsheets write where the comma is the decimal point; else a tab that it has.
  ///
  /// - Parameter header: the first bytes of the table.
  init(forPath path: String, header: some Sequence<UInt8>) {
    self.init(forPath: path)
    guard self == .comma else { return }
    var isEmpty = true
    var isQuoted = false
    var hasSemicolon = false
    var hasTab = false
    for byte in header {
      let isBreak = byte == 0x0A || byte == 0x0D
      // Empty lines may stand before the header.
      if isBreak, isEmpty { continue }
      isEmpty = false
      if byte == 0x22 { isQuoted.toggle() }
      if isQuoted { continue }
      if isBreak { break }
      if byte == CSVDelimiter.comma.rawValue { return }
      if byte == CSVDelimiter.semicolon.rawValue { hasSemicolon = true }
      if byte == CSVDelimiter.tab.rawValue { hasTab = true }
    }
    if hasSemicolon { self = .semicolon } else if hasTab { self = .tab }
  }

  /// Appends the fields as one line, with its line feed. A field is quoted when it holds the delimiter, a quote or a
  /// line break; so is a single empty field, because readers skip empty lines.
  /// - Parameter field: tells each of the `count` fields.
  package func append(lineOf count: Int, to bytes: inout [UInt8], field: (Int) -> String) {
    let start = bytes.count
    for index in 0..<count {
      if index > 0 { bytes.append(rawValue) }
      append(field(index), to: &bytes)
    }
    if count == 1, bytes.count == start { bytes += [0x22, 0x22] }
    bytes.append(0x0A)
  }

  private func append(_ field: String, to bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(contentsOf: field.utf8)
    let needsQuotes = bytes[start...].contains {
      $0 == rawValue || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D
    }
    guard needsQuotes else { return }
    let plain = Array(bytes[start...])
    bytes[start...] = [0x22]
    for byte in plain {
      if byte == 0x22 { bytes.append(byte) }
      bytes.append(byte)
    }
    bytes.append(0x22)
  }
}
