import Faults
import Testing

@testable import Training

@Suite struct CrossValidationTests {
  private let cells = SyntheticCells(count: 240, dimension: 12, classes: 3, signal: 5, seed: 2)
  private let configuration = TrainingConfiguration(epochs: 4, learningRate: 0.03)

  private func folds() throws -> Folds {
    try Folds.grouped(groups: (0..<240).map { $0 / 4 }, labels: try cells.table, k: 5, seed: 0)
  }

  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    let results = try [1, 2, 5].map {
      try crossValidate(
        source: cells.source, labels: try cells.table, folds: try folds(), configuration: configuration,
        threads: $0)
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  /// In memory, and in mapped files.
  @Test(arguments: [1, 4], BatchSampling.allCases) func resultsDoNotDependOnWhereTablesLie(
    threads: Int, sampling: BatchSampling
  ) throws {
    var configuration = configuration
    configuration.sampling = sampling
    configuration.thresholds = .fitted
    let results = try [1 << 20, 0].map { limit in
      try ScratchSpace.$memoryLimit.withValue(limit) {
        try crossValidate(
          source: cells.source, labels: try cells.table, folds: try folds(), configuration: configuration,
          threads: threads)
      }
    }
    #expect(results[1] == results[0])
  }

  @Test func aSampleIsScoredByTheHeadThatNeverSawIt() throws {
    let folds = try folds()
    let labels = try cells.table
    let validation = try crossValidate(
      source: cells.source, labels: labels, folds: folds, configuration: configuration)
    #expect(validation.isGrouped)
    #expect(validation.folds.map(\.testCount).reduce(0, +) == 240)
    let sets = (0..<5).map { TrainingSet(samples: folds.trainSamples(of: $0), fold: $0) }
    let fits = try fitHeads(source: cells.source, labels: labels, sets: sets, configuration: configuration)
    for fold in 0..<5 {
      let test = Array(folds.testSamples(of: fold))
      #expect(Set(test).isDisjoint(with: sets[fold].samples))
      let head = fits[fold].head
      let expected = head.probabilities(of: test, in: cells.source)
      let pooled = test.flatMap { validation.probabilities[$0] }
      #expect(pooled == expected, "fold \(fold)")
      let scores = Scores(
        probabilities: expected, samples: test, labels: labels, thresholds: head.thresholds)
      #expect(validation.folds[fold].scores == scores)
    }
    #expect(validation.macroF1 == Spread(validation.folds.map(\.scores.macroF1)))
    #expect(validation.pooled.sampleCount == 240)
    #expect(validation.macroF1.mean > 0.8)
  }

  @Test func pooledDecisionsAreThoseOfTheFolds() throws {
    var configuration = configuration
    configuration.thresholds = .fitted
    let validation = try crossValidate(
      source: cells.source, labels: try cells.table, folds: try folds(), configuration: configuration)
    for (index, pooled) in validation.pooled.perClass.enumerated() {
      func sum(_ count: (ClassScore) -> Int) -> Int {
        validation.folds.reduce(0) { $0 + count($1.scores.perClass[index]) }
      }
      #expect(pooled.truePositives == sum(\.truePositives))
      #expect(pooled.falsePositives == sum(\.falsePositives))
      #expect(pooled.falseNegatives == sum(\.falseNegatives))
    }
    // They are not those at a half.
    let halves = Scores(
      probabilities: (0..<240).flatMap { validation.probabilities[$0] }, samples: Array(0..<240),
      labels: try cells.table,
      thresholds: [0.5, 0.5, 0.5])
    #expect(halves.perClass != validation.pooled.perClass)
  }

  @Test func everyFoldReportsEveryEpochInOrder() throws {
    let log = ProgressLog()
    _ = try crossValidate(
      source: cells.source, labels: try cells.table, folds: try folds(), configuration: configuration,
      progress: { log.append($0) })
    for fold in 0..<5 {
      #expect(log.entries.filter { $0.fold == fold }.map(\.epoch) == [1, 2, 3, 4])
    }
    #expect(log.entries.count == 20)
  }

  @Test func aBadVectorIsFoundBeforeAnyTraining() throws {
    var vectors = cells.vectors
    vectors[77 * 12] = .nan
    let log = ProgressLog()
    let fault = #expect(throws: Fault.self) {
      try crossValidate(
        source: InMemoryVectors(vectors, dimension: 12), labels: try cells.table, folds: try folds(),
        configuration: configuration, progress: { log.append($0) })
    }
    #expect(fault?.subject == "vector of sample 77")
    #expect(log.entries.isEmpty)
  }

  @Test func aClassOfOneGroupIsScoredThoughNotLearned() throws {
    var labels = cells.labels
    for sample in 0..<4 { labels[sample] = ["lonely"] }
    let table = try LabelTable(labels: labels)
    let folds = try Folds.grouped(groups: (0..<240).map { $0 / 4 }, labels: table, k: 5, seed: 0)
    #expect(folds.warnings == [.classInOneGroup("lonely")])
    let validation = try crossValidate(
      source: cells.source, labels: table, folds: folds, configuration: configuration)
    #expect(validation.folds.flatMap(\.scores.perClass).count { $0.support == 0 } == 4)
    #expect(validation.pooled.perClass.last?.truePositives == 0)
  }
}
