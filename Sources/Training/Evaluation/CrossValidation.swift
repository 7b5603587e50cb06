/// What k heads, each tested on the samples that it was not trained on, say about a configuration.
package struct CrossValidation: Sendable, Equatable {
  /// One fold's head, tested.
  package struct Fold: Sendable, Equatable {
    package let trainCount: Int
    package let testCount: Int
    package let scores: Scores
  }

  package let folds: [Fold]
  /// Whether folds kept groups together, to be printed beside every score.
  package let isGrouped: Bool
  /// Every sample's probabilities from the head that was not trained on it.
  package let probabilities: ProbabilityTable
  /// Scores over all of `probabilities` at once, each decided by the thresholds of its own fold: the per-class table.
  package let pooled: Scores

  package var macroF1: Spread { Spread(folds.map(\.scores.macroF1)) }
  package var microF1: Spread { Spread(folds.map(\.scores.microF1)) }

  /// Mean and deviations of a metric over the folds that have it; nil where none does.
  package func spread(of metric: Metric) -> Spread? {
    let values = folds.compactMap { $0.scores.value(of: metric) }
    return values.isEmpty ? nil : Spread(values)
  }
}

/// Mean and both standard deviations of one score over folds; a single one has no deviations.
package struct Spread: Sendable, Equatable, Codable {
  package let mean: Double
  /// Divides by the number of folds less one.
  package let sampleSD: Double?
  /// Divides by the number of folds.
  package let populationSD: Double?

  /// - Parameter values: at least one.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty)
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    sampleSD = values.count > 1 ? (squares / (count - 1)).squareRoot() : nil
    populationSD = values.count > 1 ? (squares / count).squareRoot() : nil
  }
}

/// Trains and tests one head a fold, folds side by side. The result depends on the arguments other than
/// `threads` alone, bit for bit on one machine.
///
/// - Parameters:
///   - targets: what classes are learned as; nil for 1.
///   - groups: what stays together where validation samples are taken from a fold's train samples; nil for
///     nothing.
///   - threads: nil is one a fold.
///   - progress: folds interleaved.
/// - Throws: as `fitHead`, and as `ScratchTable`.
package func crossValidate(
  source: some SampleVectors, labels: LabelTable, targets: SoftTargets? = nil, folds: Folds,
  groups: [Int32]? = nil, configuration: TrainingConfiguration,
  threads: Int? = nil, progress: @escaping ProgressReport = { _ in }
) throws -> CrossValidation {
  try crossValidate(
    vectors: UnitVectors(of: source, members: nil), labels: labels, targets: targets, folds: folds,
    groups: groups, configuration: configuration, threads: threads, progress: progress)
}

/// The same for samples that may be of several cells.
func crossValidate(
  vectors: UnitVectors, labels: LabelTable, targets: SoftTargets? = nil, folds: Folds, groups: [Int32]? = nil,
  configuration: TrainingConfiguration, threads: Int? = nil, progress: @escaping ProgressReport = { _ in }
) throws -> CrossValidation {
  precondition(folds.assignment.count == labels.count)
  let everySample = 0..<Int32(labels.count)
  precondition(vectors.means.count == labels.count)
  try requireLearnable(labels, samples: everySample)
  try configuration.validate()

  let threads = threads ?? folds.count
  let sets = try (0..<folds.count).map { fold in
    try TrainingSet(
      folds.trainSamples(of: fold), fold: fold, labels: labels, groups: groups, configuration: configuration)
  }
  // Vectors that are learned from are looked through where their mean is found.
  let learned = sets.reduce(SampleSet([])) { $0.union($1.samples) }
  try requireFinite(vectors.means, samples: everySample.filter { !learned.contains($0) }, threads: threads)
  // A folder without room for what is found at the end is told of before the work.
  let (sampleCount, classCount) = (labels.count, labels.classes.count)
  let probabilities = try ProbabilityTable(samples: sampleCount, classes: classCount)
  var testCounts = [Int](repeating: 0, count: folds.count)
  for fold in folds.assignment { testCounts[Int(fold)] += 1 }
  let tables = try [sampleCount, testCounts.max() ?? 0].map {
    try ScoreTables(samples: $0, classes: classCount)
  }
  let fits = try fitHeads(
    on: vectors, labels: labels, targets: targets, sets: sets, configuration: configuration, threads: threads,
    progress: progress)
  if configuration.neighbors == nil {
    try keepTestProbabilities(
      of: fits.map(\.head), folds, in: vectors, threads: threads, table: probabilities)
  } else {
    // Threads share out the voters of each search.
    for (fold, fit) in fits.enumerated() {
      try fit.head.forEachFiniteBatch(of: folds.testSamples(of: fold), in: vectors.means, threads: threads) {
        probabilities.keep($1, of: $0)
        try progress(TrainingProgress(fold: fold, epoch: 0, loss: 0, validationMacroF1: nil))
      }
    }
  }
  let (assignment, thresholds) = (folds.assignment, fits.map(\.head.thresholds))
  let task = configuration.task
  // All samples take as long as the folds together.
  let scored = concurrentMap(2, threads: threads) { part in
    (0..<(part == 0 ? 1 : folds.count)).map { fold in
      let samples = part == 0 ? SampleSet(everySample) : folds.testSamples(of: fold)
      return Scores(
        of: samples, count: samples.count, labels: labels, task: task, probabilities: probabilities,
        in: tables[part]
      ) { task.decided($1, thresholds: thresholds[Int(assignment[Int($0)])]) }
    }
  }
  let tested = zip(sets, scored[1]).map { set, scores in
    CrossValidation.Fold(trainCount: set.samples.count, testCount: scores.sampleCount, scores: scores)
  }
  return CrossValidation(
    folds: tested, isGrouped: folds.isGrouped, probabilities: probabilities, pooled: scored[0][0])
}

/// Keeps the probabilities of all samples, each from the head of the fold that tests it.
private func keepTestProbabilities(
  of heads: [Head], _ folds: Folds, in vectors: UnitVectors, threads: Int, table: ProbabilityTable
) throws {
  let assignment = folds.assignment
  // Parts of the samples, whose vectors lie together, by all heads.
  let partSize = 8192
  _ = try concurrentMap((assignment.count + partSize - 1) / partSize, threads: threads) { part in
    var tested = heads.map { _ in [Int32]() }
    for sample in part * partSize..<min((part + 1) * partSize, assignment.count) {
      tested[Int(assignment[sample])].append(Int32(sample))
    }
    for (head, samples) in zip(heads, tested) {
      try head.forEachFiniteBatch(of: samples, in: vectors.seen(by: head)) { table.keep($1, of: $0) }
    }
  }
}
