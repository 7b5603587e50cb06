import Formats

/// Turns the rows of a report into lines of text, one row at a time and in constant memory.
struct ReportFormatter {
  private let columns: [Column]
  private let format: OutputFormat
  private let isBold: Bool
  /// The top of a table, kept until there is enough to fit the layout to.
  private var unfitted: [[Value]] = []
  private var layout: TableLayout?

  /// - Parameter isBold: whether a table's header is shown in bold.
  init(_ columns: [Column], as format: OutputFormat, isBold: Bool = false) {
    self.columns = columns
    self.format = format
    self.isBold = isBold
  }

  /// The lines that come before all rows.
  func start() -> [String] {
    switch format {
    case .csv: [delimited(columns.map(\.name), .comma)]
    case .tsv: [delimited(columns.map(\.name), .tab)]
    case .json, .table: []
    }
  }

  /// The lines that are complete with this row.
  mutating func add(_ row: [Value]) -> [String] {
    precondition(row.count == columns.count)
    switch format {
    case .csv: return [delimited(row.map(\.plain), .comma)]
    case .tsv: return [delimited(row.map(\.plain), .tab)]
    case .json:
      let entries = zip(columns, row).map { "\(quotedJSON($0.name)):\($1.json)" }
      return ["{\(entries.joined(separator: ","))}"]
    case .table:
      if let layout { return [layout.line(row)] }
      unfitted.append(row)
      return unfitted.count == TableLayout.fittedRowCount ? fit() : []
    }
  }

  /// The lines that come after all rows.
  mutating func end() -> [String] {
    format == .table && layout == nil ? fit() : []
  }

  private mutating func fit() -> [String] {
    let layout = TableLayout(columns, fitting: unfitted)
    defer { unfitted = [] }
    self.layout = layout
    return [layout.header(isBold: isBold)] + unfitted.map(layout.line)
  }
}

/// A line of delimited text, without its end.
private func delimited(_ values: [String], _ delimiter: CSVDelimiter) -> String {
  String(delimiter.line(of: values).dropLast())
}
