/// A table of typed values that is small enough to be held as a whole.
struct Report: Sendable, Equatable {
  let columns: [Column]
  private(set) var rows: [[Value]]

  init(_ columns: [Column], rows: [[Value]] = []) {
    self.columns = columns
    self.rows = rows
  }

  mutating func append(_ row: [Value]) { rows.append(row) }

  func lines(as format: OutputFormat, isBold: Bool = false) -> [String] {
    var formatter = ReportFormatter(columns, as: format, isBold: isBold)
    return formatter.start() + rows.flatMap { formatter.add($0) } + formatter.end()
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
