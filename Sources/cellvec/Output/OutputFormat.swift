import ArgumentParser

/// How a report is written to stdout.
enum OutputFormat: String, EnumerableFlag, Sendable {
  case table
  case json
  case csv
  case tsv

  /// Those with an option of their own; the table comes without one.
  static let allCases: [OutputFormat] = [.json, .csv, .tsv]

  static func help(for value: OutputFormat) -> ArgumentHelp? {
    switch value {
    case .table: nil
    case .json: "Write one JSON object a line instead of a table."
    case .csv: "Write comma-separated values, lists joined by ';'."
    case .tsv: "Write tab-separated values, lists joined by ';'."
    }
  }
}
