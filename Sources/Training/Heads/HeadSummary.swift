import Faults
import Formats
import FoundationEssentials

/// What a head is and how it did, for listing heads without reading their weights; kept as JSON.
package struct HeadSummary: Sendable, Equatable, Codable {
  /// The newest version of the record; without one it is the first. The third has heads of one label a sample, the fourth
  /// those whose samples have several cells, the fifth those whose nearest neighbors vote; others remain what the second
  /// describes.
  package static let newestVersion = 5

  private var version: Int?
  /// Class names, in the order of the probabilities.
  package let classes: [String]
  /// Length of the vectors that the head takes.
  package let dimension: Int
  /// Layers; absent where neighbors vote.
  private let layers: HeadArchitecture?
  /// How nearest neighbors vote; absent of a head with layers.
  package let neighbors: NeighborSummary?
  /// One a class, as `ClassificationTask.decided` has them.
  package let thresholds: [Float]
  /// The head's task; absent for several labels a sample.
  private let labelsOfSample: ClassificationTask?
  /// What a sample is: "image", or the field whose values are samples; absent where samples are cells.
  private let sampleUnit: String?
  /// Gates of the attention by which cells of a sample are weighed; absent where their mean is taken.
  package let attentionWidth: Int?
  /// Heads whose probabilities are averaged; absent for one.
  private let members: Int?
  /// How probabilities are corrected; absent where they are not.
  package let calibration: HeadCalibration?
  /// The field whose values the classes are; nil when unknown.
  package let labelField: String?
  /// How it was trained; nil when unknown.
  package let training: TrainingConfiguration?
  /// How heads trained like it did in cross-validation; nil when there was none.
  package private(set) var evaluation: HeadEvaluation?
  /// How its training went; nil when unknown.
  package let course: HeadCourse?
  /// Which cells it was trained on; nil when unknown.
  package let data: HeadData?
  /// The space that it was trained in, as other databases know it; nil when unknown.
  package private(set) var space: HeadSpace?

  package init(
    of head: Head, unit: SampleUnit = .cell, labelField: String? = nil,
    training: TrainingConfiguration? = nil,
    evaluation: HeadEvaluation? = nil, course: HeadCourse? = nil, data: HeadData? = nil,
    space: HeadSpace? = nil
  ) {
    version = head.neighbors != nil ? 5 : unit != .cell ? 4 : head.task == .single ? 3 : 2
    sampleUnit = unit == .cell ? nil : unit.name
    attentionWidth = head.attention?.width
    labelsOfSample = head.task == .single ? .single : nil
    self.labelField = labelField
    classes = head.classes
    dimension = head.dimension
    layers = head.neighbors == nil ? head.architecture : nil
    neighbors = head.neighbors.map { NeighborSummary(of: $0) }
    thresholds = head.thresholds
    members = head.members.count < 2 ? nil : head.members.count
    calibration = head.calibration == .none ? nil : head.calibration
    self.training = training
    self.evaluation = evaluation
    self.course = course
    self.data = data
    self.space = space
  }

  package var architecture: HeadArchitecture { layers ?? .linear }
  /// What makes the predictions, in a word or two: "linear", "hidden 512,256" or "20 neighbors".
  package var kind: String {
    if let neighbors { return "\(neighbors.k) neighbor\(neighbors.k == 1 ? "" : "s")" }
    let hidden = architecture.hidden
    return hidden.isEmpty ? "linear" : "hidden \(hidden.map(String.init).joined(separator: ","))"
  }
  package var memberCount: Int { members ?? 1 }
  package var task: ClassificationTask { labelsOfSample ?? .multi }
  /// The probability below which it abstains; nil for a head that always predicts, or has thresholds.
  package var abstainBelow: Float? {
    task == .single ? thresholds.first.flatMap { $0 > 0 ? $0 : nil } : nil
  }
  /// What a sample is.
  package var unit: SampleUnit { sampleUnit.map { SampleUnit($0) } ?? .cell }

  private enum CodingKeys: String, CodingKey {
    case version, classes, dimension, neighbors, thresholds, members, calibration, labelField, training
    case evaluation, course, data, space, sampleUnit, attentionWidth
    case layers = "architecture"
    case labelsOfSample = "task"
  }

  /// The same, with the space that it was trained in.
  func placed(in space: HeadSpace) -> HeadSummary {
    var summary = self
    summary.space = space
    return summary
  }

  /// The same without the version of the record, for output that is no record.
  package var unversioned: HeadSummary {
    var summary = self
    summary.version = nil
    return summary
  }

  /// - Parameter name: the head, for faults.
  /// - Throws: `badData` for anything but a summary whose parts fit together; `unavailable` for one of a
  ///   newer version.
  package init(json: String, name: String) throws {
    let bytes = Data(json.utf8)
    let decoder = JSONDecoder()
    if let version = (try? decoder.decode(Version.self, from: bytes))?.version, version > Self.newestVersion {
      throw Fault(
        .unavailable, "summary of head \(name)", expected: "a version up to \(Self.newestVersion)",
        found: "version \(version)", remedy: "use a newer cellvec")
    }
    do {
      self = try decoder.decode(HeadSummary.self, from: bytes)
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
    guard (1...1000).contains(memberCount) else {
      throw Self.fault(name, expected: "1 to 1000 members", found: "\(memberCount)")
    }
    guard calibration?.fits(classCount: classes.count) ?? true else {
      throw Self.fault(name, expected: "a calibration of \(classes.count) classes", found: "another one")
    }
    if task == .single, case .isotonic = calibration {
      throw Self.fault(name, expected: "a temperature for a head of one label", found: "isotonic curves")
    }
    guard attentionWidth.map({ unit != .cell && (1...65_536).contains($0) }) ?? true else {
      throw Self.fault(
        name, expected: "an attention of 1 to 65536 gates over several cells", found: "another one")
    }
    guard data?.isValid ?? true else {
      throw Self.fault(name, expected: "ranges of rows in order", found: "others")
    }
    guard (layers == nil) != (neighbors == nil) else {
      throw Self.fault(
        name, expected: "layers, or neighbors that vote", found: layers == nil ? "neither" : "both")
    }
    guard let neighbors else { return }
    guard neighbors.isValid, memberCount == 1, attentionWidth == nil else {
      throw Self.fault(
        name, expected: "voters, a number of them and a temperature, and the metric cosine", found: "others")
    }
  }

  private struct Version: Decodable {
    let version: Int?
  }

  /// JSON with sorted keys: equal summaries are equal texts. Scores that a single fold has are left out: earlier
  /// programs refuse a head with a mean that has no deviations.
  package func json() throws -> String {
    var kept = self
    kept.evaluation = evaluation?.withDeviations
    return try canonicalJSON(kept)
  }

  private static func fault(_ name: String, expected: String, found: String) -> Fault {
    Fault(
      .badData, "summary of head \(name)", expected: expected, found: found, remedy: "train the head again")
  }
}

/// How nearest neighbors vote in a head.
package struct NeighborSummary: Sendable, Equatable, Codable {
  /// How many voters the head keeps.
  package let voters: Int
  /// How many of them vote on a sample, or all where there are fewer.
  package let k: Int
  /// A neighbor of similarity s weighs exp(s / temperature).
  package let temperature: Double
  /// What their similarity is: the cosine.
  package let metric: String

  private static let metric = "cosine"

  init(of head: NeighborHead) {
    voters = head.voterCount
    k = head.k
    temperature = head.temperature
    metric = Self.metric
  }

  fileprivate var isValid: Bool {
    (1...Int(Int32.max)).contains(voters) && (1...NeighborConfiguration.mostNeighbors).contains(k)
      && temperature > 0 && temperature.isFinite && metric == Self.metric
  }
}

/// How the training of a head went.
package struct HeadCourse: Sendable, Equatable, Codable {
  package let curve: [EpochScore]
  package let trials: [HeadFit.Trial]
  package let calibration: CalibrationReport?
  /// What numbers of neighbors came to; nil of a head with layers.
  package let neighborTrials: [NeighborTrial]?

  package init(of fit: HeadFit) {
    curve = fit.curve
    trials = fit.trials
    calibration = fit.calibration
    neighborTrials = fit.neighborTrials.isEmpty ? nil : fit.neighborTrials
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
  /// Of one label a sample, over the folds that have the score; nil of several, where no fold has it, and of heads
  /// that are kept also where a single one has it.
  package private(set) var accuracy: Spread?
  package private(set) var balancedAccuracy: Spread?
  package private(set) var cohenKappa: Spread?
  package private(set) var matthews: Spread?
  /// Of one label a sample, the folds with labels of one class alone, which have neither kappa nor Matthews' correlation;
  /// nil of several, where there are none, and in older records.
  package let oneClassFoldCount: Int?
  /// Of heads that may abstain, the folds in which nothing is decided, which have no score of the decided; nil of others,
  /// where there are none, and in older records.
  package let undecidedFoldCount: Int?
  /// Of heads that may abstain, as `accuracy`; nil of others.
  package private(set) var coverage: Spread?
  package private(set) var decidedAccuracy: Spread?
  package private(set) var decidedMacroF1: Spread?
  /// Out-of-fold scores of each class.
  package let perClass: [ClassScore]

  /// - Parameter abstains: whether nothing is predicted where the likeliest class is not likely enough.
  package init(
    _ validation: CrossValidation, groupField: String?, foldSeed: UInt64, abstains: Bool = false
  ) {
    precondition(validation.isGrouped == (groupField != nil))
    folds = validation.folds.count
    self.foldSeed = foldSeed
    self.groupField = groupField
    macroF1 = validation.macroF1
    microF1 = validation.microF1
    let isSingle = validation.pooled.task == .single
    accuracy = isSingle ? validation.spread(of: .accuracy) : nil
    balancedAccuracy = isSingle ? validation.spread(of: .balancedAccuracy) : nil
    cohenKappa = isSingle ? validation.spread(of: .cohenKappa) : nil
    matthews = isSingle ? validation.spread(of: .matthews) : nil
    let oneClassFolds = validation.folds.count { $0.scores.value(of: .matthews) == nil }
    oneClassFoldCount = isSingle && oneClassFolds > 0 ? oneClassFolds : nil
    let undecidedFolds = validation.folds.count { $0.scores.decidedCount == 0 }
    undecidedFoldCount = abstains && undecidedFolds > 0 ? undecidedFolds : nil
    coverage = abstains ? validation.spread(of: .coverage) : nil
    decidedAccuracy = abstains ? validation.spread(of: .decidedAccuracy) : nil
    decidedMacroF1 = abstains ? validation.spread(of: .decidedMacroF1) : nil
    perClass = validation.pooled.perClass
  }

  /// The same without the scores that a single fold has.
  fileprivate var withDeviations: HeadEvaluation {
    var rest = self
    let scores: [WritableKeyPath<HeadEvaluation, Spread?>] = [
      \.accuracy, \.balancedAccuracy, \.cohenKappa, \.matthews, \.coverage, \.decidedAccuracy,
      \.decidedMacroF1,
    ]
    for score in scores where rest[keyPath: score]?.sampleSD == nil { rest[keyPath: score] = nil }
    return rest
  }
}
