import ArgumentParser
import Query
import Storage

/// Which and how many results of a search are wanted.
struct ResultOptions: ParsableArguments {
  static let defaultCount = 10

  @Option(
    name: [.customShort("k", allowingJoined: true), .customLong("limit")],
    help: ArgumentHelp("Results of each query, or 'all'.", valueName: "limit"))
  private(set) var count = ResultCount(value: defaultCount)
  @Option(
    help: ArgumentHelp("What near means: cosine, dot or l2, the Euclidean distance.", valueName: "metric"))
  private(set) var metric = Metric.cosine
  @Option(
    help: ArgumentHelp(
      "Only results with this similarity or more, from -1 to 1.", valueName: "similarity", visibility: .hidden
    ))
  private var minSimilarity: Float?
  @Option(
    help: ArgumentHelp(
      "With --metric l2: only results up to this distance.", valueName: "distance", visibility: .hidden))
  private var maxDistance: Float?
  @Option(
    help: ArgumentHelp(
      "Only the nearest cell of each value of a field.", valueName: "field"))
  private var distinct: String?
  @Option(
    help: ArgumentHelp(
      "Rank values of a field, by their cells' means.", valueName: "field"))
  private var by: String?

  /// What a field is for.
  enum FieldUse {
    case distinct(Field)
    case by(Field)
  }

  /// Whether results are values of a field, not cells.
  var listsValues: Bool { by != nil }
  /// The similarity that a neighbor must have at least, as the metric's neighbors have it; nil for any.
  var leastSimilarity: Float? { minSimilarity ?? maxDistance.map { -$0 } }

  func validate() throws {
    if let minSimilarity, !(-1...1).contains(minSimilarity) {
      throw ValidationError("--min-similarity: expected -1 to 1, found \(minSimilarity)")
    }
    if let maxDistance, !(maxDistance >= 0) {
      throw ValidationError("--max-distance: expected 0 or more, found \(maxDistance)")
    }
    if minSimilarity != nil && metric != .cosine {
      throw ValidationError("--min-similarity goes with --metric cosine")
    }
    if maxDistance != nil && metric != .l2 { throw ValidationError("--max-distance goes with --metric l2") }
    if by != nil && metric != .cosine {
      throw ValidationError("--by compares mean vectors by their cosine; leave --metric out")
    }
    if distinct != nil && by != nil {
      throw ValidationError("expected one of --distinct and --by, found both")
    }
  }

  /// - Throws: `missingInput` for a field that does not exist.
  func field(in snapshot: borrowing Snapshot) throws -> FieldUse? {
    if let distinct { return .distinct(try snapshot.requiredField(named: distinct)) }
    if let by { return .by(try snapshot.requiredField(named: by)) }
    return nil
  }
}

/// How many results: a number from 1, or all.
struct ResultCount: ExpressibleByArgument, CustomStringConvertible {
  /// `Int.max` for all.
  let value: Int

  init(value: Int) { self.value = value }

  init?(argument: String) {
    if argument == "all" {
      value = .max
    } else if let number = Int(argument), number >= 1 {
      value = number
    } else {
      return nil
    }
  }

  var description: String { value == .max ? "all" : String(value) }
  var defaultValueDescription: String { description }
}

extension Metric: ExpressibleByArgument {}
