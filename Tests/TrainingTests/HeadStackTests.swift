import Faults
import Testing

@testable import Training

/// Heads that train side by side against heads that train alone.
@Suite struct HeadStackTests {
  private let cells = SyntheticCells(count: 400, dimension: 70, classes: 3, signal: 5, seed: 3)
  private let all = [Int32](0..<400)
  private let half = [Int32](0..<200)

  @Test func threadsChangeNoBit() throws {
    var configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: [40, 9], dropout: 0.3), epochs: 2, batchSize: 150)
    configuration.grid = ParameterGrid(learningRates: [1e-3, 1e-2], weightDecays: [0, 0.1])
    for precision in TrainingPrecision.allCases {
      configuration.precision = precision
      // Three units of a batch: more threads share the heads of a unit.
      let fits = try [1, 2, 3, 7, 40].map { threads in
        try fitHeads(
          source: cells.source, labels: try cells.table,
          sets: [
            TrainingSet(samples: half, validation: [Int32](200..<260)),
            TrainingSet(samples: [Int32](100..<400), validation: [Int32](0..<90)),
          ], configuration: configuration, threads: threads)
      }
      #expect(fits.dropFirst().allSatisfy { $0 == fits[0] })
    }
  }

  @Test(arguments: [[], [8]]) func equalSetsTrainAsOne(hidden: [Int]) throws {
    let configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: hidden, dropout: 0.2), epochs: 2, batchSize: 64)
    let set = TrainingSet(samples: half)
    let alone = try fitHeads(
      source: cells.source, labels: try cells.table, sets: [set], configuration: configuration)
    let together = try fitHeads(
      source: cells.source, labels: try cells.table, sets: [set, set], configuration: configuration)
    #expect(together == [alone[0], alone[0]])
  }

  @Test func aSetOfAllSamplesTrainsAsAlone() throws {
    let shared = TrainingConfiguration(epochs: 3, batchSize: 30)
    // Batches of 30 for sets of 300 on average are batches of 40 of the 400 samples.
    let alone = TrainingConfiguration(epochs: 3, batchSize: 40)
    let together = try fitHeads(
      source: cells.source, labels: try cells.table,
      sets: [TrainingSet(samples: half), TrainingSet(samples: all)], configuration: shared)
    let expected = try fitHead(source: cells.source, labels: try cells.table, configuration: alone)
    // The same batches in another order, by which their sums are rounded.
    for (left, right) in zip(together[1].curve, expected.curve) {
      #expect(abs(left.loss / right.loss - 1) < 1e-5)
    }
    let samples = [Int32](0..<400)
    let pairs = zip(
      together[1].head.probabilities(of: samples, in: cells.source),
      expected.head.probabilities(of: samples, in: cells.source))
    for (left, right) in pairs { #expect(abs(left - right) < 1e-4) }
  }

  /// Of folds side by side, a batch is computed for a head only where it learns from it: its weights are those that the
  /// whole batch, with nothing left out, leads to, whatever the order within it.
  @Test(
    arguments: TrainingPrecision.allCases,
    [([], .multi), ([24], .multi), ([], .single), ([24], .single)] as [([Int], ClassificationTask)])
  func whatASetDoesNotLearnFromChangesNothing(
    precision: TrainingPrecision, head: (hidden: [Int], task: ClassificationTask)
  ) throws {
    let table = try cells.table
    let labels = try LabelTable(
      labels: all.map { sample in
        let classes = table.classes(of: sample).map { table.classes[Int($0)] }
        return head.task == .single ? Array(classes.prefix(1)) : classes
      }, classes: table.classes)
    let folds = (0..<4).map { fold in TrainingSet(samples: all.filter { Int($0) / 7 % 4 != fold }) }
    let stream = try SampleStream(sets: folds, labels: labels)
    let standardization = try Standardization(cells.source, samples: all, labels: labels)
    var configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: head.hidden))
    configuration.precision = precision
    configuration.loss = HeadLoss.Defaults.loss(of: head.task)
    let shape = HeadShape(dimension: 70, architecture: configuration.architecture, classCount: 3)
    let layout = PanelLayout(precision: precision)
    /// Of five steps, each on all samples of the order.
    func losses(_ sets: [Int], _ order: [Int32], threads: Int = 1) -> [Double] {
      let members = sets.map { set in
        HeadMember(
          set: set, shape: shape,
          parameters: shape.initialParameters(
            positives: labels.positives, samples: 400, task: head.task, seed: 1),
          rates: RateControl(.cosine, peak: 0.01, steps: 5), weightDecay: 0.04, layout: layout,
          transform: nil, capacity: order.count)
      }
      let stack = HeadStack(
        members: members, source: cells.source, labels: labels, targets: nil, stream: stream,
        standardization: standardization, configuration: configuration,
        positiveWeights: folds.map { _ in [1, 1, 1] }, batchSize: order.count, layout: layout, shape: shape,
        threads: threads)
      return (0..<5).flatMap { stack.train(order: order, firstStep: $0) }
    }
    let order = Array(try stream.order(seed: 3, epoch: 0))
    let batches = try ScratchTable(order)
    stream.arrange(batches, inBatchesOf: 400)
    let arranged = Array(batches)
    let together = losses([0, 1, 2, 3], arranged)
    for threads in [3, 15, 30] {
      #expect(losses([0, 1, 2, 3], arranged, threads: threads) == together)
    }
    // Sums in other orders are rounded otherwise, and bfloat16 rounds weights that differ in the last bit.
    let tolerance = precision == .float32 ? 1e-5 : 2e-3
    for set in 0..<4 {
      let own = order.filter { stream.sets(of: $0) >> UInt32(set) & 1 == 1 }
      for (step, loss) in losses([set], own).enumerated() {
        #expect(abs(together[step * 4 + set] / loss - 1) < tolerance)
      }
    }
    // Shuffled, rows of the sets lie between one another.
    for (left, right) in zip(together, losses([0, 1, 2, 3], order)) {
      #expect(abs(left / right - 1) < tolerance)
    }
  }

  @Test func whatHoldsNoRowOfASetIsNoPartOfIt() {
    var learned = LearnedRows()
    for rows in [20..<50, 60..<70, 102..<192] { learned.add(rows) }
    #expect(learned.count == 130)
    #expect(learned.runs == [20..<70, 102..<192])
    func part(_ number: Int) -> Range<Int>? {
      let unit = UnitPlace(number: number, firstRow: 64 * number, width: 64, batchRows: 320, column: 0)
      guard let part = learned.part(of: unit, step: 16) else { return nil }
      #expect(part.number == number && part.column == part.firstRow - 64 * number && part.batchRows == 320)
      return part.firstRow..<part.firstRow + part.width
    }
    #expect((0..<5).map(part) == [16..<64, 64..<128, 128..<192, nil, nil])
  }

  /// Sums of more memberships than are kept at a time.
  @Test func manyOverlappingSetsHaveTheirOwnStandardization() throws {
    let cells = SyntheticCells(count: 3000, dimension: 5, classes: 3, signal: 5, seed: 4)
    let labels = try cells.table
    let sets = (0..<12).map { bit in
      TrainingSet(samples: (0..<Int32(3000)).filter { ($0 + 1) >> Int32(bit) & 1 == 1 })
    }
    let fitted = Standardization.fit(
      cells.source, sets: sets, stream: try SampleStream(sets: sets, labels: labels))
    for (set, own) in zip(sets, fitted.ofSets) {
      let expected = try Standardization(cells.source, samples: set.samples, labels: labels)
      for index in 0..<5 {
        #expect(abs(own.mean[index] - expected.mean[index]) <= 1e-5 * max(1, abs(expected.mean[index])))
        #expect(abs(own.scale[index] / expected.scale[index] - 1) < 1e-5)
      }
    }
  }

  /// The member of the second set sees vectors by way of another set's standardisation, or its own.
  @Test(arguments: [[], [12]]) func aHeadSeesItsOwnStandardization(hidden: [Int]) throws {
    let labels = try cells.table
    let sets = [TrainingSet(samples: all), TrainingSet(samples: half)]
    let stream = try SampleStream(sets: sets, labels: labels)
    let fitted = Standardization.fit(cells.source, sets: sets, stream: stream)
    #expect(try fitted.ofSets[1] == Standardization(cells.source, samples: half, labels: labels))
    let configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: hidden))
    let shape = HeadShape(dimension: 70, architecture: configuration.architecture, classCount: 3)
    let layout = PanelLayout(precision: .float32)
    func trained(_ standardization: Standardization, _ transform: InputTransform?) throws -> [Float] {
      let member = HeadMember(
        set: 1, shape: shape,
        parameters: shape.initialParameters(positives: labels.positives, samples: 400, seed: 1),
        rates: RateControl(.cosine, peak: 0.01, steps: 21), weightDecay: 0.04, layout: layout,
        transform: transform, capacity: 64)
      let stack = HeadStack(
        members: [member], source: cells.source, labels: labels, targets: nil, stream: stream,
        standardization: standardization, configuration: configuration,
        positiveWeights: [[1, 1, 1], [1, 1, 1]], batchSize: 64, layout: layout, shape: shape, threads: 2)
      for epoch in 0..<3 {
        _ = stack.train(order: try stream.order(seed: 0, epoch: epoch), firstStep: 7 * epoch)
      }
      return member.parameters
    }
    let own = try trained(fitted.ofSets[1], nil)
    let shared = try trained(fitted.all, InputTransform(from: fitted.all, to: fitted.ofSets[1]))
    // Rounding differs, and Adam divides by gradients that may be small.
    for (left, right) in zip(own, shared) { #expect(abs(left - right) < 1e-3) }
    let other = try trained(fitted.all, nil)
    #expect(zip(own, other).contains { abs($0 - $1) > 1e-2 })
  }

  @Test func aGridKeepsThePairThatIsBestOnValidationSamples() throws {
    var configuration = TrainingConfiguration(epochs: 3, batchSize: 50)
    configuration.grid = ParameterGrid(learningRates: [1e-4, 1e-2], weightDecays: [0, 0.3])
    let validation = [Int32](300..<400)
    let labels = try cells.table
    let fit = try fitHead(
      source: cells.source, labels: labels, validation: validation, configuration: configuration)
    #expect(fit.trials.map(\.learningRate) == [1e-4, 1e-4, 1e-2, 1e-2])
    #expect(fit.trials.map(\.weightDecay) == [0, 0.3, 0, 0.3])
    let alone = try fit.trials.map { trial in
      try fitHead(
        source: cells.source, labels: labels, validation: validation,
        configuration: TrainingConfiguration(
          epochs: 3, batchSize: 50, learningRate: trial.learningRate, weightDecay: trial.weightDecay))
    }
    let scores = alone.map { $0.curve.last?.validationMacroF1 ?? 0 }
    #expect(fit.trials.map { $0.validationMacroF1 ?? 0 } == scores)
    let chosen = try #require(fit.trials.firstIndex(where: { $0.isChosen }))
    #expect(scores[chosen] == scores.max())
    #expect(fit.head == alone[chosen].head && fit.curve == alone[chosen].curve)
  }

  @Test func aPairOfAGridMayDivergeButNotAll() throws {
    var vectors = cells.vectors
    for index in vectors.indices { vectors[index] *= 1e37 }
    let source = InMemoryVectors(vectors, dimension: 70)
    let sets = [TrainingSet(samples: [Int32](0..<300), validation: [Int32](300..<400))]
    var configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: [8, 8]), epochs: 3, weightDecay: 0)
    // No rate that is allowed is as bad.
    configuration.grid = ParameterGrid(learningRates: [1e30, 1e-2], weightDecays: [0])
    let fit = try fitHeads(
      source: source, labels: try cells.table, sets: sets, configuration: configuration)[0]
    #expect(fit.trials.map(\.isChosen) == [false, true])
    #expect(fit.trials[0].epoch == 0 && fit.trials[0].validationMacroF1 == nil)
    configuration.grid = ParameterGrid(learningRates: [1e30, 2e30], weightDecays: [0])
    #expect(throws: Fault.self) {
      try fitHeads(source: source, labels: try cells.table, sets: sets, configuration: configuration)
    }
  }

  @Test func earlyStoppingKeepsTheBestEpoch() throws {
    var configuration = TrainingConfiguration(epochs: 60, batchSize: 20, learningRate: 0.05)
    configuration.patience = 4
    let fit = try fitHead(
      source: cells.source, labels: try cells.table, validation: [Int32](300..<400),
      configuration: configuration)
    let scores = fit.curve.map { $0.validationMacroF1 ?? 0 }
    let best = try #require(scores.firstIndex(of: scores.max() ?? 0))
    #expect(scores.count < 60 && scores.count == best + 1 + 4)
    #expect(fit.trials[0].epoch == best + 1)
    let table = Scores(
      probabilities: fit.head.probabilities(of: [Int32](300..<400), in: cells.source),
      samples: [Int32](300..<400), labels: try cells.table, thresholds: [0.5, 0.5, 0.5])
    #expect(abs(table.macroF1 - scores[best]) < 1e-9)
  }

  @Test func anEnsembleAveragesHeadsOfItsSeeds() throws {
    var configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: [6]), epochs: 2, seed: 5)
    let heads = try (5..<8).map { seed in
      configuration.seed = UInt64(seed)
      return try fitHead(source: cells.source, labels: try cells.table, configuration: configuration).head
    }
    configuration.seed = 5
    configuration.ensembleCount = 3
    let log = ProgressLog()
    let fit = try fitHead(
      source: cells.source, labels: try cells.table, configuration: configuration,
      progress: { log.append($0) })
    #expect(fit.head.members == heads.map { $0.members[0] })
    #expect(log.entries.map(\.epoch) == [1, 2, 1, 2, 1, 2])
    let apart = heads.map { $0.probabilities(of: half, in: cells.source) }
    for (index, probability) in fit.head.probabilities(of: half, in: cells.source).enumerated() {
      #expect(abs(probability - (apart[0][index] + apart[1][index] + apart[2][index]) / 3) < 1e-6)
    }
    let summary = HeadSummary(of: fit.head)
    #expect(try Head(weights: fit.head.encodedWeights(), summary: summary, name: "h") == fit.head)
  }

  @Test(arguments: [[], [32]]) func bfloat16LearnsAsWell(hidden: [Int]) throws {
    var configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: hidden), epochs: 20)
    let scores = try TrainingPrecision.allCases.map { precision in
      configuration.precision = precision
      let head = try fitHead(
        source: cells.source, labels: try cells.table, samples: [Int32](0..<300),
        configuration: configuration
      ).head
      let test = [Int32](300..<400)
      return Scores(
        probabilities: head.probabilities(of: test, in: cells.source), samples: test,
        labels: try cells.table, thresholds: head.thresholds
      ).macroF1
    }
    // 100 samples: one of them moves the score by some hundredths.
    #expect(scores[0] > 0.8 && abs(scores[1] - scores[0]) < 0.04)
  }

  @Test func whatLooksAtValidationSamplesNeedsThem() throws {
    func reason(_ change: (inout TrainingConfiguration) -> Void) -> String? {
      var configuration = TrainingConfiguration()
      change(&configuration)
      return #expect(throws: Fault.self) {
        try fitHead(source: cells.source, labels: try cells.table, configuration: configuration)
      }?.subject
    }
    #expect(reason { $0.patience = 3 } == "early stopping")
    #expect(reason { $0.thresholds = .fitted } == "fitted thresholds")
    #expect(reason { $0.calibration = .isotonic } == "isotonic calibration")
    #expect(reason { $0.schedule = .plateau } == "the plateau schedule")
    #expect(
      reason { $0.grid = ParameterGrid(learningRates: [1, 2], weightDecays: [0]) } == "a grid")
  }
}
