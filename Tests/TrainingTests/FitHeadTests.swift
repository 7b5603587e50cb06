import Faults
import Testing

@testable import Training

@Suite struct FitHeadTests {
  private let cells = SyntheticCells(count: 400, dimension: 24, classes: 4, signal: 6, seed: 1)

  private func macroF1(_ head: Head, on cells: SyntheticCells, samples: [Int32]) throws -> Double {
    Scores(
      probabilities: head.probabilities(of: samples, in: cells.source), samples: samples,
      labels: try cells.table, thresholds: head.thresholds
    ).macroF1
  }

  @Test(arguments: [HeadArchitecture.linear, HeadArchitecture(hidden: [32, 16], dropout: 0.2)])
  func defaultsLearnWhatIsThere(architecture: HeadArchitecture) throws {
    let head = try fitHead(
      source: cells.source, labels: try cells.table, samples: Array(0..<300),
      configuration: TrainingConfiguration(architecture: architecture)
    ).head
    #expect(try macroF1(head, on: cells, samples: Array(300..<400)) > 0.9)
  }

  @Test func theSeedDecidesEveryBit() throws {
    var configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: [8], dropout: 0.5), epochs: 2)
    let first = try fitHead(source: cells.source, labels: try cells.table, configuration: configuration)
    let again = try fitHead(source: cells.source, labels: try cells.table, configuration: configuration)
    #expect(first == again)
    configuration.seed = 1
    let other = try fitHead(source: cells.source, labels: try cells.table, configuration: configuration)
    #expect(first != other)
  }

  @Test func everyEpochIsReportedAndTheLossFalls() throws {
    let log = ProgressLog()
    _ = try fitHead(
      source: cells.source, labels: try cells.table, configuration: TrainingConfiguration(epochs: 5),
      progress: { log.append($0) })
    #expect(log.entries.map(\.epoch) == [1, 2, 3, 4, 5])
    #expect(log.entries.allSatisfy { $0.fold == nil })
    let losses = log.entries.map(\.loss)
    #expect(losses == losses.sorted(by: >))
  }

  @Test func validationSamplesAreScoredAfterEveryEpochAndNotLearned() throws {
    let log = ProgressLog()
    let configuration = TrainingConfiguration(epochs: 3)
    let validation = [Int32](300..<400)
    let fit = try fitHead(
      source: cells.source, labels: try cells.table, validation: validation, configuration: configuration,
      fold: 2, progress: { log.append($0) })
    let apart = try fitHead(
      source: cells.source, labels: try cells.table, samples: Array(0..<300), configuration: configuration)
    #expect(fit.head == apart.head)
    #expect(fit.curve.map(\.loss) == apart.curve.map(\.loss))
    #expect(apart.curve.allSatisfy { $0.validationMacroF1 == nil })
    #expect(fit.curve.last?.validationMacroF1 == (try macroF1(fit.head, on: cells, samples: validation)))
    #expect(log.entries.map(\.validationMacroF1) == fit.curve.map(\.validationMacroF1))
    #expect(log.entries.allSatisfy { $0.fold == 2 })
  }

  @Test func throwingFromTheReportEndsTheTraining() throws {
    #expect(throws: Fault(.cancelled, "training", "was interrupted")) {
      try fitHead(
        source: cells.source, labels: try cells.table, configuration: TrainingConfiguration(),
        progress: { _ in throw Fault(.cancelled, "training", "was interrupted") })
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func aVectorThatIsNotFiniteIsNamed(bad: Float) throws {
    for sample in [0, 399] {
      var vectors = cells.vectors
      vectors[sample * 24 + 5] = bad
      let fault = #expect(throws: Fault.self) {
        try fitHead(
          source: InMemoryVectors(vectors, dimension: 24), labels: try cells.table,
          configuration: TrainingConfiguration())
      }
      #expect(fault?.subject == "vector of sample \(sample)")
    }
  }

  @Test func labelsThatCannotBeLearnedAreFaults() throws {
    let source = InMemoryVectors([1, 2, 3], dimension: 1)
    func fault(_ labels: [[String]], classes: [String]? = nil) -> String? {
      #expect(throws: Fault.self) {
        try fitHead(
          source: source, labels: LabelTable(labels: labels, classes: classes),
          configuration: TrainingConfiguration())
      }?.subject
    }
    #expect(fault([["a"], ["a"], ["a"]]) == "labels")
    #expect(fault([["a"], ["a", "b"], ["a"]]) == "class a")
    #expect(fault([["a"], ["b"], ["a"]], classes: ["a", "b", "c"]) == "class c")
  }

  @Test func configurationsThatCannotWorkAreFaults() throws {
    func refused(_ change: (inout TrainingConfiguration) -> Void) -> String? {
      var configuration = TrainingConfiguration()
      change(&configuration)
      return #expect(throws: Fault.self) {
        try fitHead(source: cells.source, labels: try cells.table, configuration: configuration)
      }?.subject
    }
    #expect(refused { $0.epochs = 0 } == "epochs")
    #expect(refused { $0.epochs = .max } == "epochs")
    #expect(refused { $0.batchSize = 0 } == "batch size")
    #expect(refused { $0.learningRate = .nan } == "learning rate")
    #expect(refused { $0.learningRate = 1e38 } == "learning rate")
    #expect(refused { $0.weightDecay = -1 } == "weight decay")
    #expect(refused { $0.architecture.dropout = 1 } == "dropout")
    #expect(refused { $0.architecture.hidden = [0] } == "hidden")
  }

  @Test func aTrainingThatDivergesIsAFault() throws {
    var vectors = cells.vectors
    for index in vectors.indices { vectors[index] *= 1e37 }
    let source = InMemoryVectors(vectors, dimension: 24)
    var configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: [8, 8]), learningRate: 1e30, weightDecay: 0)
    configuration.epochs = 3
    // No rate that is allowed is as bad.
    let fault = #expect(throws: Fault.self) {
      try fitHeads(
        source: source, labels: try cells.table, sets: [TrainingSet(samples: Array(0..<400))],
        configuration: configuration)
    }
    #expect(fault?.subject == "training")
  }

  @Test func weightsThatDivergeInTheLastStepAreAFault() throws {
    let configuration = TrainingConfiguration(
      epochs: 1, batchSize: 1_000_000, learningRate: 1e300, weightDecay: 0)
    let fault = #expect(throws: Fault.self) {
      try fitHeads(
        source: cells.source, labels: try cells.table, sets: [TrainingSet(samples: Array(0..<400))],
        configuration: configuration)
    }
    #expect(fault?.kind == .badData && fault?.problem == "the weights are no longer finite after epoch 1")
  }

  @Test func standardizationIsMeanAndPopulationDeviation() throws {
    let labels = try labelTable([[0], [1], [0]], classCount: 2)
    let source = InMemoryVectors([1, 7, 1000, 3, 7, 1000.0001, 100, 0, 0], dimension: 3)
    let fitted = try Standardization(source, samples: [0, 1], labels: labels)
    #expect(fitted.mean == [2, 7, Float((1000 + Double(Float(1000.0001))) / 2)])
    #expect(fitted.scale == [1, 1, 1], "a constant dimension, and one of rounding only, keep their scale")
    let more = try Standardization(source, samples: [0, 1, 2], labels: labels)
    let variance = (1.0 + 9 + 10_000) / 3 - (104.0 / 3) * (104.0 / 3)
    #expect(abs(Double(more.scale[0]) - 1 / variance.squareRoot()) < 1e-8)
  }

  @Test func smallSetsGetSmallBatches() {
    let configuration = TrainingConfiguration()
    #expect([10, 300, 6400, 1_000_000].map(configuration.batchSize) == [16, 16, 100, 512])
  }

  @Test func aClassWithoutSamplesWeighsNothing() throws {
    let loss = HeadLoss.softmax(isBalanced: true, smoothing: 0.1)
    #expect(loss.positiveWeights(positives: [10, 0, 30], samples: 40) == [2, 0, 40 / Float(60)])
    let cells = SyntheticCells(count: 300, dimension: 8, classes: 3, signal: 3, seed: 4)
    let labels = try LabelTable(labels: cells.labels.map { [$0[0]] })
    let known = (0..<Int32(300)).filter { labels.classes(of: $0).first != 2 }
    var configuration = TrainingConfiguration(epochs: 20, learningRate: 0.05)
    configuration.loss = loss
    let head = try fitHeads(
      source: cells.source, labels: labels, sets: [TrainingSet(samples: known)], configuration: configuration
    )[0].head
    let probabilities = head.probabilities(of: known, in: cells.source)
    let ofAbsent = stride(from: 2, to: probabilities.count, by: 3).map { probabilities[$0] }
    // Smoothing alone would make it a thirtieth.
    #expect(ofAbsent.reduce(0, +) / Float(known.count) < 1 / 30)
  }
}
