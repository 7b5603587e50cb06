/// Spaces compared on the same samples and folds: what `cellvec evaluate --output` saves, and what reports are drawn
/// from. schema/evaluation.md has the file.
package struct Evaluation: Sendable, Equatable, Codable {
  /// The newest version. It is written where heads are compared or neighbors vote; what the second describes remains one.
  package static let currentVersion = 3

  package let version: Int
  /// The field whose values the classes are.
  package let labelField: String
  /// The map from labels to classes; nil where labels are the classes.
  package let labelMap: String?
  /// Whether samples have one label or several; nil in files of version 1, which are of several.
  package let task: ClassificationTask?
  /// What one sample is: "cell", "image", or the field whose values are samples.
  package let sampleUnit: String
  /// What is kept on one side of every split: "image" or a field; nil for nothing.
  package let groupField: String?
  /// How many groups there are: those of two databases may share a name. nil without groups, and in older files.
  let countOfGroups: Int?
  /// Where groups may be learned from and tested on, how many are tested on, and how many of these are learned from; nil
  /// elsewhere, and in older files.
  let countOfTestedGroups, countOfSharedGroups: Int?
  /// The database whose cells were tested on, where it is another than the one that was learned from: rows of samples that
  /// a fold tests, and witnesses, are its.
  package let testDatabase: String?
  package let design: EvaluationDesign
  /// Class names, in the order of probabilities, scores and thresholds.
  package let classes: [String]
  package let samples: SampleTable
  /// The fold that tests each sample, [repeats][samples]; -1 for those that only teach.
  package let testFolds: [[Int]]
  /// The cells of each sample as ranges of rows [first, end); nil where samples are cells, and in older files.
  package let sampleCells: [[[UInt32]]]?
  /// Digest of the samples' rows, groups and labels: equal ones make runs of two evaluations comparable.
  package let fingerprint: String
  /// Some of the samples' cells, by which a database knows whether the rows are its own; nil in older files.
  package let witnesses: [CellWitness]?
  /// One for each space, head and fraction; spaces and heads in the order asked for, fractions increasing.
  package let runs: [Run]
  package let comparisons: [Comparison]
  /// What the samples do not allow to measure, and leaks, in sentences.
  package let warnings: [String]

  package init(
    labelField: String, labelMap: String?, task: ClassificationTask = .multi, sampleUnit: String,
    groupField: String?, groupCount: Int? = nil, sharedGroups: (tested: Int, shared: Int)? = nil,
    testDatabase: String? = nil, design: EvaluationDesign,
    classes: [String], samples: SampleTable, testFolds: [[Int]], sampleCells: [[[UInt32]]]? = nil,
    fingerprint: String,
    witnesses: [CellWitness]? = nil, runs: [Run], comparisons: [Comparison], warnings: [String]
  ) {
    version = runs.contains { $0.head != nil || $0.configuration.neighbors != nil } ? Self.currentVersion : 2
    self.labelField = labelField
    self.labelMap = labelMap
    self.task = task
    self.sampleUnit = sampleUnit
    self.groupField = groupField
    countOfGroups = groupCount
    countOfTestedGroups = sharedGroups?.tested
    countOfSharedGroups = sharedGroups?.shared
    self.testDatabase = testDatabase
    self.design = design
    self.classes = classes
    self.samples = samples
    self.testFolds = testFolds
    self.sampleCells = sampleCells
    self.fingerprint = fingerprint
    self.witnesses = witnesses
    self.runs = runs
    self.comparisons = comparisons
    self.warnings = warnings
  }

  private enum CodingKeys: String, CodingKey {
    case version, labelField, labelMap, task, sampleUnit, groupField, testDatabase, design, classes, samples
    case testFolds, sampleCells, fingerprint, witnesses, runs, comparisons, warnings
    case countOfGroups = "groupCount"
    case countOfTestedGroups = "testedGroupCount"
    case countOfSharedGroups = "sharedGroupCount"
  }

  /// What is learned from and tested on: a cell, or the mean of the cells of an image or of a field's value.
  package struct Sample: Sendable, Equatable, Codable {
    /// The cell's row in the database; of several cells the first one's.
    package let row: UInt32
    /// How many cells it is the mean of.
    package let cellCount: Int
    /// The image or the value of the field that it stands for; nil for a cell.
    package let name: String?
    /// The image of its (first) cell.
    package let image: String
    /// What keeps it together with others; nil when nothing does.
    package let group: String?
    /// Its classes, as positions in `classes`, increasing.
    package let labels: [Int]

    package init(row: UInt32, cellCount: Int, name: String?, image: String, group: String?, labels: [Int]) {
      self.row = row
      self.cellCount = cellCount
      self.name = name
      self.image = image
      self.group = group
      self.labels = labels
    }
  }

  /// Heads of one space, trained on one part of the train groups.
  package struct Run: Sendable, Equatable, Codable {
    package let space: Space
    /// What its heads are called, where heads are compared; nil elsewhere, and in older files.
    package let head: String?
    package let fraction: Double
    package let configuration: TrainingConfiguration
    /// Those of the first repetition first, in order of folds.
    package let folds: [Fold]
    /// One a repetition.
    package let predictions: [Predictions]
    /// Mean and spread of each metric over `folds`, of those that have it.
    package let summary: [Metric: MetricSummary]
    /// Bounds of `pooledMacroF1`, by resampling of groups; nil without resamplings.
    package let macroF1Interval: Interval?

    package init(
      space: Space, head: String? = nil, fraction: Double, configuration: TrainingConfiguration,
      folds: [Fold],
      predictions: [Predictions], summary: [Metric: MetricSummary], macroF1Interval: Interval?
    ) {
      self.space = space
      self.head = head
      self.fraction = fraction
      self.configuration = configuration
      self.folds = folds
      self.predictions = predictions
      self.summary = summary
      self.macroF1Interval = macroF1Interval
    }
  }

  /// What made the vectors.
  package struct Space: Sendable, Equatable, Codable {
    package let name: String
    package let dimension: Int
    /// The name of the backbone, or of its file of weights; nil for imported vectors.
    package let backbone: String?
    package let backboneHash: String?
    /// How channels enter the backbone, as "replicate"; nil for imported vectors.
    package let strategy: String?
    /// What it is called in the database that is tested on, where that is another one and has another name for it.
    package private(set) var testName: String?

    package init(
      name: String, dimension: Int, backbone: String? = nil, backboneHash: String? = nil,
      strategy: String? = nil
    ) {
      self.name = name
      self.dimension = dimension
      self.backbone = backbone
      self.backboneHash = backboneHash
      self.strategy = strategy
    }

    /// The same, tested in a database that has this name for it.
    package func tested(as other: String) -> Space {
      var space = self
      space.testName = other == name ? nil : other
      return space
    }

    /// What it is called in the database whose cells are tested.
    package var nameWhereTested: String { testName ?? name }
  }

  /// One head, tested.
  package struct Fold: Sendable, Equatable, Codable {
    package let repetition: Int
    package let fold: Int
    package let trainCount: Int
    package let validationCount: Int
    package let testCount: Int
    /// One a class, as `ClassificationTask.decided` has them.
    package let thresholds: [Float]
    /// One an epoch.
    package let learningCurve: [EpochScore]
    package let scores: Scores
    /// Those of `scores`, absent classes treated as the design says.
    package let values: [Metric: Double]

    package init(
      repetition: Int, fold: Int, trainCount: Int, validationCount: Int, testCount: Int, thresholds: [Float],
      learningCurve: [EpochScore], scores: Scores, values: [Metric: Double]
    ) {
      self.repetition = repetition
      self.fold = fold
      self.trainCount = trainCount
      self.validationCount = validationCount
      self.testCount = testCount
      self.thresholds = thresholds
      self.learningCurve = learningCurve
      self.scores = scores
      self.values = values
    }
  }

  /// What heads that had not seen a sample said of it.
  package struct Predictions: Sendable, Equatable, Codable {
    /// - Shape: [samples, classes], row-major; NaN for samples that no fold tests.
    package let probabilities: PackedFloats
    /// Scores of all of them at once, each decided by the thresholds of its own fold.
    package let pooled: Scores
    /// Of heads with attention, what they looked at most of each sample; nil for a sample that no fold tests. nil
    /// without attention, and in older files.
    package let attended: [AttendedCell?]?

    package init(probabilities: PackedFloats, pooled: Scores, attended: [AttendedCell?]? = nil) {
      self.probabilities = probabilities
      self.pooled = pooled
      self.attended = attended
    }
  }

  /// The cell of a sample that an attention weighs most.
  package struct AttendedCell: Sendable, Equatable, Codable {
    package let row: UInt32
    /// Its weight; those of a sample's cells add up to 1.
    package let weight: Float

    package init(row: UInt32, weight: Float) {
      self.row = row
      self.weight = weight
    }
  }

  /// Mean of a metric over folds, and its two standard deviations; these are nil of one fold.
  package struct MetricSummary: Sendable, Equatable, Codable {
    package let mean: Double
    /// Divides by the number of folds less one.
    package let sampleSD: Double?
    /// Divides by the number of folds.
    package let populationSD: Double?
    /// How many folds have the metric; nil in files of version 1.
    package let foldCount: Int?

    /// - Parameter values: at least one.
    package init(_ values: [Double]) {
      precondition(!values.isEmpty)
      foldCount = values.count
      let spread = Spread(values)
      mean = spread.mean
      sampleSD = spread.sampleSD
      populationSD = spread.populationSD
    }
  }

  package struct Interval: Sendable, Equatable, Codable {
    package let lower: Double
    package let upper: Double
    /// Part of the resamplings between the bounds: 0.95.
    package let level: Double

    package init(lower: Double, upper: Double, level: Double) {
      self.lower = lower
      self.upper = upper
      self.level = level
    }
  }

  /// Macro F1 of two runs of one fraction, fold by fold.
  package struct Comparison: Sendable, Equatable, Codable {
    /// Positions in `runs`.
    package let first: Int
    package let second: Int
    /// Mean over folds of the first's less the second's.
    package let meanDifference: Double
    /// Two-sided p of the corrected resampled t-test; nil of fewer than two folds, or where all differences are equal.
    package let correctedT: Double?
    /// The same, by Holm's method for all comparisons of the fraction.
    package let correctedTHolm: Double?
    /// Two-sided p of Wilcoxon's signed-rank test; nil of fewer than two folds, or where nothing differs.
    package let wilcoxon: Double?
    /// Bounds of the difference of all predictions' macro F1, by resampling of groups.
    package let interval: Interval?

    package init(
      first: Int, second: Int, meanDifference: Double, correctedT: Double?, correctedTHolm: Double?,
      wilcoxon: Double?, interval: Interval?
    ) {
      self.first = first
      self.second = second
      self.meanDifference = meanDifference
      self.correctedT = correctedT
      self.correctedTHolm = correctedTHolm
      self.wilcoxon = wilcoxon
      self.interval = interval
    }
  }
}

extension Evaluation {
  /// Sentences about means that are not of all folds: of each metric that some fold of a run lacks, those of which the same
  /// can be said together.
  package var partialMetrics: [String] {
    var lacks: [(metrics: [Metric], lack: PartialMetric)] = []
    for metric in Metric.allCases {
      let parts = runs.compactMap { run -> PartialMetric? in
        let defined = run.folds.count { $0.values[metric] != nil }
        return metric.isOf(task ?? .multi) && defined < run.folds.count
          ? PartialMetric(metric, defined: defined, of: run.folds.count) : nil
      }
      guard let lack = parts.min(by: { $0.defined < $1.defined }) else { continue }
      if let place = lacks.firstIndex(where: { $0.lack == lack }) {
        lacks[place].metrics.append(metric)
      } else {
        lacks.append(([metric], lack))
      }
    }
    return lacks.map { $0.lack.sentence(of: $0.metrics) }
  }
}

/// What the mean of a metric over folds lacks.
private struct PartialMetric: Equatable {
  let defined: Int
  private let all: Int
  /// What the folds without a value have in its place.
  private let reason: String

  init(_ metric: Metric, defined: Int, of all: Int) {
    (self.defined, self.all) = (defined, all)
    reason =
      defined == 0
      ? metric.lack(in: all)
      : (all - defined == 1 ? "the other " : "the others ") + metric.need(all - defined)
  }

  func sentence(of metrics: [Metric]) -> String {
    let names = metrics.map(\.words)
    let isOne = names.count == 1
    let subject =
      isOne ? names[0] : names.dropLast().joined(separator: ", ") + " and \(names[names.count - 1])"
    if defined == 0 { return "\(subject) \(isOne ? "is" : "are") undefined: \(reason)" }
    return "\(subject) \(isOne ? "is the mean" : "are means") of \(defined) of \(all) folds: \(reason)"
  }
}

extension Evaluation {
  /// Whether heads are compared, and runs of one space told apart by them.
  package var comparesHeads: Bool { runs.contains { $0.head != nil } }

  /// All that is tuned on validation samples, of any run.
  package var reasonsForValidation: [String] {
    runs.flatMap(\.configuration.reasonsForValidation).reduce(into: []) { reasons, reason in
      if !reasons.contains(reason) { reasons.append(reason) }
    }
  }
}

extension Evaluation.Run {
  /// What tells it from the other runs of its fraction: the space, and the head where heads are compared.
  package var name: String { space.name + (head.map { " (\($0))" } ?? "") }

  /// Macro F1 of all predictions of a repetition at once, the mean of the repetitions'. Rare classes have more positives
  /// here than in a fold, so it is not the mean over folds. nil where no class has a value.
  package func pooledMacroF1(absent: AbsentClasses) -> Double? {
    let values = predictions.compactMap { $0.pooled.value(of: .macroF1, absent: absent) }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

extension Evaluation {
  /// Whether a cell is part of a sample; of older files, whether it is the first one.
  package func contains(_ row: UInt32, inSample sample: Int) -> Bool {
    samples.row(of: sample) == row
      || sampleCells?[sample].contains { ($0[0]..<$0[1]).contains(row) } ?? false
  }

  /// The probability of a class of a sample; nil where no fold of the repetition tests it.
  package func probability(
    of classIndex: Int, sample: Int, in run: Run, repetition: Int = 0
  ) -> Float? {
    let value = run.predictions[repetition].probabilities[sample * classes.count + classIndex]
    return value.isNaN ? nil : value
  }

  /// The thresholds that decide about a sample; nil where no fold of the repetition tests it.
  package func thresholds(of sample: Int, in run: Run, repetition: Int = 0) -> [Float]? {
    let fold = testFolds[repetition][sample]
    return run.folds.first { $0.repetition == repetition && $0.fold == fold }?.thresholds
  }

  /// The classes that are predicted for a sample, increasing; nil where no fold of the repetition tests it.
  package func predictedClasses(of sample: Int, in run: Run, repetition: Int = 0) -> [Int]? {
    guard let thresholds = thresholds(of: sample, in: run, repetition: repetition) else { return nil }
    let values = run.predictions[repetition].probabilities
    let row = (sample * classes.count..<(sample + 1) * classes.count).map { values[$0] }
    return (task ?? .multi).decided(row[...], thresholds: thresholds)
  }
}
