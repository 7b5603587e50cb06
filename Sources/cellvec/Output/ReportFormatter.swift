import Formats

/// Turns the rows of a report into lines of text, one row at a time and in constant memory.
struct ReportFormatter {
  private let columns: [Column]
  private let format: OutputFormat
  private let isBold: Bool
  /// What comes before each value of a JSON object.
  private let keys: [String]
  /// The top of a table, kept until there is enough to fit the layout to.
  private var unfitted: [[Value]] = []
  private var layout: TableLayout?

  /// - Parameter isBold: whether a table's header is shown in bold.
  init(_ columns: [Column], as format: OutputFormat, isBold: Bool = false) {
    self.columns = columns
    self.format = format
    self.isBold = isBold
    keys =
      format == .json
      ? columns.enumerated().map { "\($0 == 0 ? "{" : ",")\(quotedJSON($1.name)):" } : []
  }

  /// The same formatter for another thread: with arrays of its own, since threads that share an array contend for its
  /// reference count. It must be fitted.
  func separated() -> ReportFormatter {
    precondition(isFitted)
    var copy = ReportFormatter(columns, as: format, isBold: isBold)
    copy.layout = layout?.separated()
    return copy
  }

  /// Whether a row's line depends on no other row any more.
  var isFitted: Bool { format != .table || layout != nil }

  /// Appends the lines that come before all rows.
  func start(_ text: inout [UInt8]) {
    format.delimiter?.append(lineOf: columns.count, to: &text) { columns[$0].name }
  }

  /// Appends the lines that are complete with this row.
  mutating func add(_ row: [Value], to text: inout [UInt8]) {
    precondition(row.count == columns.count)
    switch format {
    case .csv, .tsv: format.delimiter?.append(lineOf: row.count, to: &text) { row[$0].plain }
    case .json:
      for (key, value) in zip(keys, row) {
        text.append(contentsOf: key.utf8)
        text.append(contentsOf: value.json.utf8)
      }
      text.append(contentsOf: "}\n".utf8)
    case .table:
      if let layout { return text.append(line: layout.line(row)) }
      unfitted.append(row)
      if unfitted.count == TableLayout.fittedRowCount { fit(&text) }
    }
  }

  /// Appends the lines that come after all rows.
  mutating func end(_ text: inout [UInt8]) {
    if !isFitted { fit(&text) }
  }

  private mutating func fit(_ text: inout [UInt8]) {
    let layout = TableLayout(columns, fitting: unfitted)
    text.append(line: layout.header(isBold: isBold))
    for row in unfitted { text.append(line: layout.line(row)) }
    unfitted = []
    self.layout = layout
  }
}

extension OutputFormat {
  /// What separates the values of a line; nil where more than that does.
  fileprivate var delimiter: CSVDelimiter? {
    switch self {
    case .csv: .comma
    case .tsv: .tab
    case .json, .table: nil
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(line: String) {
    append(contentsOf: line.utf8)
    append(UInt8(ascii: "\n"))
  }
}
