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
  /// - Shape: [samples, classes], row-major.
  package let probabilities: [Float]
  /// Scores over all of `probabilities` at once, each decided by the thresholds of its own fold: the per-class table.
  package let pooled: Scores

  package var macroF1: Spread { Spread(folds.map(\.scores.macroF1)) }
  package var microF1: Spread { Spread(folds.map(\.scores.microF1)) }

  /// Mean and deviations of a metric over folds; nil where some fold does not have it.
  package func spread(of metric: Metric) -> Spread? {
    let values = folds.compactMap { $0.scores.value(of: metric) }
    return values.count == folds.count ? Spread(values) : nil
  }
}

/// Mean and both standard deviations of one score over folds.
package struct Spread: Sendable, Equatable, Codable {
  package let mean: Double
  /// Divides by the number of folds less one.
  package let sampleSD: Double
  /// Divides by the number of folds.
  package let populationSD: Double

  /// - Parameter values: at least two.
  package init(_ values: [Double]) {
    precondition(values.count >= 2)
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    sampleSD = (squares / (count - 1)).squareRoot()
    populationSD = (squares / count).squareRoot()
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
/// - Throws: as `fitHead`.
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
  let everySample = Array(0..<Int32(labels.count))
  try requireTrainable(
    source: vectors.means, labels: labels, samples: everySample, threads: threads ?? folds.count)
  try configuration.validate()

  let threads = threads ?? folds.count
  let sets = try (0..<folds.count).map { fold in
    try TrainingSet(
      folds.trainSamples(of: fold), fold: fold, labels: labels, groups: groups, configuration: configuration)
  }
  let fits = try fitHeads(
    on: vectors, labels: labels, targets: targets, sets: sets, configuration: configuration, threads: threads,
    progress: progress)
  let classCount = labels.classes.count
  var probabilities = [Float](repeating: 0, count: labels.count * classCount)
  try probabilities.withUnsafeMutableBufferPointer { buffer in
    guard let start = buffer.baseAddress else { return }
    // Each sample is tested by one fold: no two threads write the same numbers, and they are read after all have ended.
    nonisolated(unsafe) let rows = start
    _ = try concurrentMap(folds.count, threads: threads) { fold in
      let head = fits[fold].head
      let source = vectors.seen(by: head)
      try head.forEachFiniteBatch(of: folds.testSamples(of: fold), in: source) { samples, batch in
        guard let first = batch.baseAddress else { return }
        for (row, sample) in samples.enumerated() {
          (rows + Int(sample) * classCount).update(from: first + row * classCount, count: classCount)
        }
      }
    }
  }
  let (values, assignment, thresholds) = (probabilities, folds.assignment, fits.map(\.head.thresholds))
  let task = configuration.task
  @Sendable func scores(of samples: [Int32]) -> Scores {
    Scores(
      of: samples, labels: labels, task: task,
      probability: { values[Int(samples[$0]) * classCount + $1] },
      decided: { place in
        let sample = Int(samples[place])
        return task.decided(
          values[sample * classCount..<(sample + 1) * classCount],
          thresholds: thresholds[Int(assignment[sample])]
        )
      })
  }
  let tested = concurrentMap(folds.count, threads: threads) { fold in
    let test = folds.testSamples(of: fold)
    return CrossValidation.Fold(
      trainCount: sets[fold].samples.count, testCount: test.count, scores: scores(of: test))
  }
  return CrossValidation(
    folds: tested, isGrouped: folds.isGrouped, probabilities: values, pooled: scores(of: everySample))
}
