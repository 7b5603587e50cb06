import Faults
import Formats

/// Writes a report of any length to stdout.
struct ReportWriter: ~Copyable {
  private var formatter: ReportFormatter
  private var output: StandardOutput

  init(
    _ columns: [Column], as format: OutputFormat, isBold: Bool = Terminal.current.hasStyle,
    to output: consuming StandardOutput = StandardOutput()
  ) throws {
    formatter = ReportFormatter(columns, as: format, isBold: isBold)
    self.output = output
    try self.output.write(formatter.start)
  }

  mutating func write(_ row: [Value]) throws {
    try output.write { formatter.add(row, to: &$0) }
  }

  /// Hands over what is complete, for those who wait for it.
  mutating func flush() throws { try output.flush() }

  consuming func finish() throws {
    try output.write { formatter.end(&$0) }
    try output.flush()
  }
}

extension StandardOutput {
  /// Writes a text and hands it over.
  static func write(_ text: [UInt8]) throws {
    var output = StandardOutput()
    try output.write { $0 = text }
    try output.flush()
  }

  /// Writes these lines and hands them over.
  static func write(lines: [String]) throws {
    var output = StandardOutput()
    for line in lines { try output.writeLine(line) }
    try output.flush()
  }

  static func write(_ report: Report, as format: OutputFormat) throws {
    try write(report.text(as: format, isBold: Terminal.current.hasStyle))
  }

  /// Writes the value as one JSON object on one line, keys sorted and spelled as columns of tables are.
  static func writeJSON(_ value: some Encodable) throws {
    try write(lines: [canonicalJSON(value, names: .snakeCase)])
  }
}
