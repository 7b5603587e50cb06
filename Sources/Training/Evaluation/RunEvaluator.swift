import Synchronization

/// A run, and its macro F1 in each resampling of the groups.
struct RunTest {
  let run: Evaluation.Run
  let resampled: [Double]

  /// Macro F1 less that of another run, of each fold in which both have one.
  func differences(from other: RunTest) -> [Double] {
    zip(run.folds, other.run.folds).compactMap { own, other in
      guard let left = own.values[.macroF1], let right = other.values[.macroF1] else { return nil }
      return left - right
    }
  }

  func correctedT(against other: RunTest) -> Double? {
    let shares = run.folds.map { Double($0.testCount) / Double($0.trainCount + $0.validationCount) }
    return PairedTests.correctedResampledT(
      differences(from: other), testShare: shares.reduce(0, +) / Double(shares.count))
  }
}

/// What is kept of a head when it has been tested.
private struct TestedHead: Sendable {
  /// Of the samples that test it, [samples, classes].
  let probabilities: [Float]
  /// Whether each class is predicted for each of them.
  let decisions: [Bool]
  let thresholds: [Float]
  let curve: [EpochScore]

  /// - Throws: as `Head.finiteProbabilities`.
  init(_ fit: HeadFit, on split: Split, in vectors: UnitVectors) throws {
    probabilities = try fit.head.finiteProbabilities(of: split.test, in: vectors.seen(by: fit.head))
    thresholds = fit.head.thresholds
    decisions = fit.head.task.decisions(probabilities, thresholds: thresholds)
    curve = fit.curve
  }
}

/// Trains and tests the heads of one space.
struct RunEvaluator {
  /// Heads that are trained together: they read the same vectors, and each keeps its own weights in memory.
  private static let headsTogether = 32

  let vectors: UnitVectors
  /// What classes are learned as; nil for 1.
  let targets: SoftTargets?
  let subjects: SplitSubjects
  let plan: SplitPlan
  let design: EvaluationDesign
  let configuration: TrainingConfiguration
  let threads: Int

  private var labels: LabelTable { subjects.labels }

  /// One run for each fraction.
  /// - Parameter progress: called after every epoch of every head with the number of heads trained, each of
  ///   an ensemble for itself.
  /// - Throws: as `fitHeads`.
  func runs(
    in space: Evaluation.Space, progress: @escaping @Sendable (Int) throws -> Void
  ) throws -> [RunTest] {
    try configuration.validate()
    let trained = Mutex(0)
    let epochs = configuration.epochs
    return try zip(design.fractions, plan.splits).map { fraction, splits in
      var tested: [TestedHead] = []
      for start in stride(from: 0, to: splits.count, by: Self.headsTogether) {
        let part = splits[start..<min(start + Self.headsTogether, splits.count)]
        let sets = part.enumerated().map { place, split in
          TrainingSet(samples: split.train, validation: split.validation, fold: start + place)
        }
        let first = trained.withLock { $0 }
        let fits = try fit(sets) { report in
          let count = trained.withLock { count in
            if report.epoch == epochs { count += 1 }
            return count
          }
          try progress(count)
        }
        // Some may have ended before their last epoch.
        trained.withLock { $0 = first + part.count * configuration.ensembleCount }
        // The weights of these heads make room for those of the next.
        tested += try concurrentMap(part.count, threads: threads) { index in
          try TestedHead(fits[index], on: part[part.startIndex + index], in: vectors)
        }
      }
      return test(tested, splits: splits, space: space, fraction: fraction)
    }
  }

  private func fit(_ sets: [TrainingSet], progress: @escaping ProgressReport) throws -> [HeadFit] {
    try fitHeads(
      on: vectors, labels: labels, targets: targets, sets: sets, configuration: configuration,
      threads: threads,
      progress: progress)
  }

  private func test(
    _ tested: [TestedHead], splits: [Split], space: Evaluation.Space, fraction: Double
  ) -> RunTest {
    let classCount = labels.classes.count
    let count = labels.count
    var probabilities = plan.testFolds.map { _ in [Float](repeating: .nan, count: count * classCount) }
    var decisions = plan.testFolds.map { _ in [Bool](repeating: false, count: count * classCount) }
    var folds: [Evaluation.Fold] = []
    for (index, split) in splits.enumerated() {
      let own = tested[index].probabilities
      let thresholds = tested[index].thresholds
      let scores = Scores(
        probabilities: own, samples: split.test, labels: labels, decisions: tested[index].decisions,
        task: configuration.task)
      for (row, sample) in split.test.enumerated() {
        for place in 0..<classCount {
          let target = Int(sample) * classCount + place
          probabilities[split.repetition][target] = own[row * classCount + place]
          decisions[split.repetition][target] = tested[index].decisions[row * classCount + place]
        }
      }
      folds.append(
        Evaluation.Fold(
          repetition: split.repetition, fold: split.fold, trainCount: split.train.count,
          validationCount: split.validation.count, testCount: split.test.count, thresholds: thresholds,
          learningCurve: tested[index].curve, scores: scores,
          values: scores.values(absent: design.absentClasses)))
    }
    let predictions = zip(probabilities, decisions).enumerated().map { repetition, values in
      pooled(values.0, decisions: values.1, repetition: repetition)
    }
    let resampling = GroupResampling(
      groups: subjects.effectiveGroups, labels: labels, decisions: decisions,
      isTested: plan.testFolds.map { $0.map { $0 >= 0 } }, absent: design.absentClasses)
    let resampled = resampling.macroF1(count: design.resamplings, seed: design.seed, threads: threads)
    return RunTest(
      run: Evaluation.Run(
        space: space, fraction: fraction, configuration: configuration, folds: folds,
        predictions: predictions, summary: summary(of: folds),
        macroF1Interval: GroupResampling.interval(resampled)),
      resampled: resampled)
  }

  private func pooled(
    _ probabilities: [Float], decisions: [Bool], repetition: Int
  ) -> Evaluation.Predictions {
    let classCount = labels.classes.count
    let tested = plan.testFolds[repetition].indices.filter { plan.testFolds[repetition][$0] >= 0 }
    func rows<Value>(_ table: [Value]) -> [Value] {
      tested.count == labels.count
        ? table : tested.flatMap { table[$0 * classCount..<($0 + 1) * classCount] }
    }
    return Evaluation.Predictions(
      probabilities: PackedFloats(probabilities),
      pooled: Scores(
        probabilities: rows(probabilities), samples: tested.map(Int32.init), labels: labels,
        decisions: rows(decisions), task: configuration.task))
  }

  private func summary(of folds: [Evaluation.Fold]) -> [Metric: Evaluation.MetricSummary] {
    var summary: [Metric: Evaluation.MetricSummary] = [:]
    for metric in Metric.allCases {
      let values = folds.compactMap { $0.values[metric] }
      if !values.isEmpty { summary[metric] = Evaluation.MetricSummary(values) }
    }
    return summary
  }
}
