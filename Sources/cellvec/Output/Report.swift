/// A table of typed values that is small enough to be held as a whole.
struct Report: Sendable, Equatable {
  let columns: [Column]
  private(set) var rows: [[Value]]

  init(_ columns: [Column], rows: [[Value]] = []) {
    self.columns = columns
    self.rows = rows
  }

  mutating func append(_ row: [Value]) { rows.append(row) }

  func text(as format: OutputFormat, isBold: Bool = false) -> [UInt8] {
    var formatter = ReportFormatter(columns, as: format, isBold: isBold)
    var text: [UInt8] = []
    formatter.start(&text)
    for row in rows { formatter.add(row, to: &text) }
    formatter.end(&text)
    return text
  }

  /// The lines of its text.
  func lines(as format: OutputFormat, isBold: Bool = false) -> [String] {
    text(as: format, isBold: isBold).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .dropLast().map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Names and values, one pair a line: what there is to say of one thing.
struct Card: Sendable {
  let entries: [(name: String, value: Value)]

  init(_ entries: [(String, Value)]) { self.entries = entries }

  func lines() -> [String] {
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { name, value in
      name + String(repeating: " ", count: width + 2 - name.count) + value.tableEntry(decimals: nil)
    }
  }
}
