import Faults
import Formats
import FoundationEssentials

/// What a head is and how it did, for listing heads without reading their weights; kept as JSON.
package struct HeadSummary: Sendable, Equatable, Codable {
  /// Class names, in the order of the probabilities.
  package let classes: [String]
  /// Length of the vectors that the head takes.
  package let dimension: Int
  package let architecture: HeadArchitecture
  /// One a class: predicted where the probability exceeds it.
  package let thresholds: [Float]
  /// The field whose values the classes are; nil when unknown.
  package let labelField: String?
  /// How it was trained; nil when unknown.
  package let training: TrainingConfiguration?
  /// How heads trained like it did in cross-validation; nil when there was none.
  package let evaluation: HeadEvaluation?

  package init(
    of head: Head, labelField: String? = nil, training: TrainingConfiguration? = nil,
    evaluation: HeadEvaluation? = nil
  ) {
    self.labelField = labelField
    classes = head.classes
    dimension = head.dimension
    architecture = head.architecture
    thresholds = head.thresholds
    self.training = training
    self.evaluation = evaluation
  }

  /// - Parameter name: the head, for faults.
  /// - Throws: `badData` for anything but a summary whose parts fit together.
  package init(json: String, name: String) throws {
    do {
      self = try JSONDecoder().decode(HeadSummary.self, from: Data(json.utf8))
    } catch {
      throw Fault(
        .badData, "summary of head \(name)", expected: "the JSON object that training writes",
        found: "\(json.utf8.count) bytes that are not one", remedy: "train the head again")
    }
    let widths = [dimension] + architecture.hidden
    guard widths.allSatisfy({ (1...1_048_576).contains($0) }) else {
      throw Self.fault(name, expected: "layer widths from 1 to 1048576", found: "\(widths)")
    }
    guard !classes.isEmpty, Set(classes).count == classes.count else {
      throw Self.fault(name, expected: "distinct class names", found: "\(classes)")
    }
    guard thresholds.count == classes.count, thresholds.allSatisfy(\.isFinite) else {
      throw Self.fault(
        name, expected: "\(classes.count) thresholds, one a class", found: "\(thresholds.count)")
    }
  }

  /// JSON with sorted keys: equal summaries are equal texts.
  package func json() throws -> String {
    try canonicalJSON(self)
  }

  private static func fault(_ name: String, expected: String, found: String) -> Fault {
    Fault(
      .badData, "summary of head \(name)", expected: expected, found: found, remedy: "train the head again")
  }
}

/// The cross-validation that a head is listed with.
package struct HeadEvaluation: Sendable, Equatable, Codable {
  /// How many folds.
  package let folds: Int
  package let foldSeed: UInt64
  /// The field whose values were kept together in a fold; nil for folds of single samples.
  package let groupField: String?
  package let macroF1: Spread
  package let microF1: Spread
  /// Out-of-fold scores of each class.
  package let perClass: [ClassScore]

  package init(_ validation: CrossValidation, groupField: String?, foldSeed: UInt64) {
    precondition(validation.isGrouped == (groupField != nil))
    folds = validation.folds.count
    self.foldSeed = foldSeed
    self.groupField = groupField
    macroF1 = validation.macroF1
    microF1 = validation.microF1
    perClass = validation.pooled.perClass
  }
}
