import ArgumentParser
import Faults
import Filter
import Formats
import Storage

/// Which of the database's spaces a command works in.
struct SpaceOptions: ParsableArguments {
  @Option(
    name: .customLong("space"),
    help: ArgumentHelp("Embedding space; needed where there are several.", valueName: "name"))
  private(set) var name: String?

  /// - Throws: `missingInput` for an unknown name, `usage` when there are several to choose from.
  func resolve(in snapshot: borrowing Snapshot) throws -> SpaceRecord {
    let names = snapshot.spaces.map(\.name)
    if let name { return try snapshot.requiredSpace(named: name) }
    switch snapshot.spaces.count {
    case 1: return snapshot.spaces[0]
    case 0:
      throw Fault(
        .missingInput, "the database", "has no embedding space",
        remedy: "fill one with cellvec ingest or cellvec import")
    default:
      throw Fault(
        .usage, "--space",
        "is needed: the database has \(names.count) spaces, whose vectors cannot be compared",
        remedy: "name one of \(names.sorted().joined(separator: ", "))")
    }
  }
}

/// Which cells a command works on.
struct WhereOptions: ParsableArguments {
  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Only cells that match, such as \"gene = 'BAG6'\".",
      valueName: "condition"))
  private var condition: String?

  @OptionGroup private var parameters: ParameterOptions

  /// The condition; nil when there is none.
  func filter() throws -> Filter? {
    let values = try parameters.values()
    if let condition { return try Filter(condition, parameters: values) }
    guard values.isEmpty else {
      throw Fault(
        .usage, "--param", "goes with --where", remedy: "write for example --where \"gene = :gene\"")
    }
    return nil
  }

  /// The cells that were selected; nil when all are. When there are none, texts that no cell has are named on
  /// stderr.
  func rows(in snapshot: borrowing Snapshot) throws -> RowSet? {
    guard let filter = try filter() else { return nil }
    let rows = try filter.rows(in: snapshot)
    if rows.isEmpty {
      for text in try filter.unknownTexts(in: snapshot) { StandardError.writeLine("cellvec: \(text)") }
    }
    return rows
  }

  var isGiven: Bool { condition != nil }

  /// The files that the condition takes values from.
  var inputs: [String] { parameters.paths }
}

/// Which metadata fields a command shows.
struct FieldOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Fields to show, or 'all'; default: all but probabilities.", valueName: "names"))
  private var fields: String?

  var isGiven: Bool { fields != nil }

  /// - Throws: `missingInput` for a field that does not exist.
  func resolve(in snapshot: borrowing Snapshot) throws -> [Field] {
    let known = snapshot.fields
    // One number for each class of each head would push everything else out of sight.
    guard let fields else { return known.filter { !$0.name.hasPrefix("probability_") } }
    if fields == "all" { return known }
    // Columns of one name could not be told apart.
    var chosen: [Field] = []
    for name in names(in: fields) where !chosen.contains(where: { $0.name == name }) {
      chosen.append(try snapshot.requiredField(named: name))
    }
    return chosen
  }
}

/// The parts of a list that is separated by commas, without white space around them and without empty ones.
func names(in list: String) -> [String] {
  list.split(separator: ",").map { String($0).trimmingSpaces }.filter { !$0.isEmpty }
}
