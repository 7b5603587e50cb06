import ArgumentParser

/// How a report is written to stdout.
enum OutputFormat: String, EnumerableFlag, CustomStringConvertible, Sendable {
  case table
  case json
  case csv
  case tsv

  /// Those with an option of their own; the table comes without one.
  static let allCases: [OutputFormat] = [.json, .csv, .tsv]

  /// Described by itself it takes the runtime no search for how it could be.
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
