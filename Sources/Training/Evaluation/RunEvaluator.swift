import Storage
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
  let scores: Scores
  let thresholds: [Float]
  let curve: [EpochScore]
  /// Of each sample that tests it; nil without attention.
  let attended: [(cell: Int32, weight: Float)]?

  /// - Parameters:
  ///   - table: gets the probabilities of the samples that test the head.
  ///   - scoreTables: with room for these.
  ///   - threads: that look for neighbors.
  ///   - progress: called between batches of samples; a throw ends the work.
  /// - Throws: as `Head.finiteProbabilities`.
  init(
    _ fit: HeadFit, on split: Split, in vectors: UnitVectors, labels: LabelTable, table: ProbabilityTable,
    scoreTables: ScoreTables, threads: Int, progress: () throws -> Void
  ) throws {
    let head = fit.head
    let test = split.testSet
    try head.forEachFiniteBatch(of: test, in: vectors.seen(by: head), threads: threads) {
      table.keep($1, of: $0)
      try progress()
    }
    scores = Scores(
      of: test, count: test.count, labels: labels, task: head.task, probabilities: table, in: scoreTables
    ) { head.task.decided($1, thresholds: head.thresholds) }
    thresholds = head.thresholds
    curve = fit.curve
    attended = vectors.mostAttended(of: split.test, by: head)
  }
}

/// Where what is found of all spaces is kept; a folder without room for it is told of before any training.
struct EvaluationTables: Sendable {
  /// Heads that are trained together: they read the same vectors, and each keeps its own weights in memory.
  private static let headsTogether = 32

  /// The splits of which heads are trained together, some after others.
  static func together(_ splits: [Split]) -> [ArraySlice<Split>] {
    stride(from: 0, to: splits.count, by: headsTogether).map {
      splits[$0..<min($0 + headsTogether, splits.count)]
    }
  }

  /// For each thread that scores, the first with room for all samples, the others for those of a fold.
  let scoring: [ScoreTables]
  /// Of each space's heads, fraction and repetition, NaN at first.
  let probabilities: [[[ProbabilityTable]]]

  /// - Throws: as `ScratchTable`.
  init(runCount: Int, plan: SplitPlan, labels: LabelTable, threads: Int) throws {
    let (sampleCount, classCount) = (labels.count, labels.classes.count)
    let largest = plan.splits.joined().map(\.testSet.count).max() ?? 0
    let mostHeads = plan.splits.map(\.count).max() ?? 0
    scoring = try (0..<max(1, min(threads, mostHeads, Self.headsTogether))).map {
      try ScoreTables(samples: $0 == 0 ? sampleCount : largest, classes: classCount)
    }
    probabilities = try (0..<runCount).map { _ in
      try plan.splits.map { _ in
        try plan.testFolds.map { _ in
          try ProbabilityTable(samples: sampleCount, classes: classCount, initial: .nan)
        }
      }
    }
  }
}

/// Trains and tests the heads of one space.
struct RunEvaluator {
  let vectors: UnitVectors
  /// What classes are learned as; nil for 1.
  let targets: SoftTargets?
  let subjects: SplitSubjects
  let plan: SplitPlan
  let design: EvaluationDesign
  /// What the heads are called; nil where they are not compared.
  let head: String?
  let configuration: TrainingConfiguration
  /// The cells behind the samples.
  let cells: [Row]
  let threads: Int

  private var labels: LabelTable { subjects.labels }

  /// One run for each fraction.
  /// - Parameters:
  ///   - tablesOfFractions: of each fraction and repetition, for the probabilities.
  ///   - scoreTables: one for each thread that scores.
  ///   - progress: called after every epoch of every head with the number of heads trained, each of an ensemble for
  ///     itself.
  /// - Throws: as `fitHeads`.
  func runs(
    in space: Evaluation.Space, tablesOfFractions: [[ProbabilityTable]], scoreTables: [ScoreTables],
    progress: @escaping @Sendable (Int) throws -> Void
  ) throws -> [RunTest] {
    try configuration.validate()
    let trained = Mutex(0)
    let epochs = configuration.epochs
    let groups = subjects.effectiveGroups
    return try zip(zip(design.fractions, plan.splits), tablesOfFractions).map { part, tables in
      let (fraction, splits) = part
      var tested: [TestedHead] = []
      for part in EvaluationTables.together(splits) {
        let sets = zip(part.indices, part).map { number, split in
          TrainingSet(
            samples: split.trainSet, validation: split.validation,
            validationGroups: split.validation.map { groups[Int($0)] }, fold: number)
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
        let done = first + part.count * configuration.ensembleCount
        trained.withLock { $0 = done }
        // The weights of these heads make room for those of the next.
        // Heads share out threads; of neighbors each search does.
        let isOneByOne = configuration.neighbors != nil
        tested += try concurrentMap(part.count, by: isOneByOne ? [scoreTables[0]] : scoreTables) {
          index, scoreTables in
          let split = part[part.startIndex + index]
          return try TestedHead(
            fits[index], on: split, in: vectors, labels: labels, table: tables[split.repetition],
            scoreTables: scoreTables, threads: isOneByOne ? threads : 1
          ) { if isOneByOne { try progress(done) } }
        }
      }
      return test(
        tested, tables, scoreTables: scoreTables[0], splits: splits, space: space, fraction: fraction)
    }
  }

  private func fit(_ sets: [TrainingSet], progress: @escaping ProgressReport) throws -> [HeadFit] {
    try fitHeads(
      on: vectors, labels: labels, targets: targets, sets: sets, configuration: configuration,
      threads: threads,
      progress: progress)
  }

  private func test(
    _ tested: [TestedHead], _ tables: [ProbabilityTable], scoreTables: ScoreTables, splits: [Split],
    space: Evaluation.Space, fraction: Double
  ) -> RunTest {
    let folds = zip(tested, splits).map { tested, split in
      Evaluation.Fold(
        repetition: split.repetition, fold: split.fold, trainCount: split.trainSet.count,
        validationCount: split.validation.count, testCount: split.testSet.count,
        thresholds: tested.thresholds,
        learningCurve: tested.curve, scores: tested.scores,
        values: tested.scores.values(absent: design.absentClasses))
    }
    // Of each repetition, by fold.
    var thresholds = plan.testFolds.map { _ in [Int: [Float]]() }
    for (tested, split) in zip(tested, splits) {
      thresholds[split.repetition][split.fold] = tested.thresholds
    }
    /// Nothing is predicted for samples that no fold tests.
    func decided(
      _ repetition: Int, _ sample: Int32, _ probabilities: ArraySlice<Float>
    ) -> [Int] {
      let fold = plan.testFolds[repetition][Int(sample)]
      return thresholds[repetition][fold].map { configuration.task.decided(probabilities, thresholds: $0) }
        ?? []
    }
    let predictions = tables.enumerated().map { repetition, table in
      let folds = plan.testFolds[repetition]
      let samples = SampleSet(below: labels.count) { folds[Int($0)] >= 0 }
      return Evaluation.Predictions(
        probabilities: PackedFloats(table),
        pooled: Scores(
          of: samples, count: samples.count, labels: labels, task: configuration.task, probabilities: table,
          in: scoreTables
        ) { decided(repetition, $0, $1) },
        attended: attendedCells(tested, splits, repetition: repetition))
    }
    let resampling = GroupResampling(
      groups: subjects.effectiveGroups, labels: labels,
      isTested: plan.testFolds.map { $0.map { $0 >= 0 } }, absent: design.absentClasses
    ) { repetition, sample in decided(repetition, sample, tables[repetition][sample][...]) }
    let resampled = resampling.macroF1(count: design.resamplings, seed: design.seed, threads: threads)
    return RunTest(
      run: Evaluation.Run(
        space: space, head: head, fraction: fraction, configuration: configuration, folds: folds,
        predictions: predictions, summary: summary(of: folds),
        macroF1Interval: GroupResampling.interval(resampled)),
      resampled: resampled)
  }

  /// Of each sample; nil for one that no fold of the repetition tests.
  /// - Returns: nil without attention.
  private func attendedCells(
    _ tested: [TestedHead], _ splits: [Split], repetition: Int
  ) -> [Evaluation.AttendedCell?]? {
    guard tested.contains(where: { $0.attended != nil }) else { return nil }
    var found = [Evaluation.AttendedCell?](repeating: nil, count: labels.count)
    for (tested, split) in zip(tested, splits) where split.repetition == repetition {
      for (sample, own) in zip(split.test, tested.attended ?? []) {
        found[Int(sample)] = Evaluation.AttendedCell(row: cells[Int(own.cell)], weight: own.weight)
      }
    }
    return found
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
