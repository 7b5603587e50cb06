import ArgumentParser

/// How a report is written to stdout.
enum OutputFormat: String, EnumerableFlag, CustomStringConvertible, Sendable {
  case table
  case json
  case csv
  case tsv

  /// Those with an option of their own; the table comes without one.
  static let allCases: [OutputFormat] = [.json, .csv, .tsv]

  /// Without it, the parser would have the runtime search for a way to describe it.
  var description: String { rawValue }

  static func help(for value: OutputFormat) -> ArgumentHelp? {
    switch value {
    case .table: nil
    case .json: "Write one JSON object a line, not a table."
    case .csv: "Write comma-separated values."
    case .tsv: "Write tab-separated values."
    }
  }
}
