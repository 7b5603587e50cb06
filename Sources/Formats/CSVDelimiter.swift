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

  /// What separates the fields of a table whose name, which comes first, makes it a comma: a semicolon where
  /// the header line has some and not a comma, as spreadsheets write where the comma is the decimal point.
  ///
  /// - Parameter header: the first bytes of the table.
  init(forPath path: String, header: some Sequence<UInt8>) {
    self.init(forPath: path)
    guard self == .comma else { return }
    var isEmpty = true
    var isQuoted = false
    var hasSemicolon = false
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
    }
    if hasSemicolon { self = .semicolon }
  }

  /// The fields as one line, with its line feed. A field is quoted when it holds the delimiter, a quote or a
  /// line break; so is a single empty field, because readers skip empty lines.
  package func line(of fields: [String]) -> String {
    if fields == [""] { return "\"\"\n" }
    return fields.map(quoted).joined(separator: String(Unicode.Scalar(rawValue))) + "\n"
  }

  private func quoted(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { $0 == rawValue || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
    guard needsQuotes else { return field }
    var result = "\""
    for scalar in field.unicodeScalars {
      result.unicodeScalars.append(scalar)
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }
}
