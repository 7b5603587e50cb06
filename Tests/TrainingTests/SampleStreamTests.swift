import Faults
import Testing

@testable import Training

extension SampleStream {
  /// The samples of an epoch in a table of their own.
  func order(seed: UInt64, epoch: Int) throws -> ScratchTable<Int32> {
    let order = try ScratchTable<Int32>(count: samples.count)
    draw(order, seed: seed, epoch: epoch)
    return order
  }
}

@Suite struct SampleStreamTests {
  private func labels(_ count: Int) throws -> LabelTable {
    // Of ten samples one is of class "1", the others of class "0".
    try labelTable((0..<count).map { $0 % 10 == 0 ? [1] : [0] }, classCount: 2)
  }

  @Test(arguments: [1, 7, 256]) func anEpochTakesEverySampleOnce(runLength: Int) throws {
    let set = TrainingSet(samples: (0..<20_000).filter { $0 % 3 > 0 })
    let stream = try SampleStream(sets: [set], labels: labels(20_000), runLength: runLength)
    let first = try stream.order(seed: 1, epoch: 0)
    #expect(first.sorted() == Array(set.samples))
    #expect(try stream.order(seed: 1, epoch: 0) == first)
    #expect(try stream.order(seed: 1, epoch: 1) != first)
    #expect(try stream.order(seed: 2, epoch: 0) != first)
  }

  @Test func runsOfLargeSetsAreReadAsWholes() throws {
    let set = TrainingSet(samples: [Int32](0..<100_000))
    let stream = try SampleStream(sets: [set], labels: labels(100_000), runLength: SampleStream.longRun)
    let window = try stream.order(seed: 0, epoch: 0).prefix(SampleStream.longRun * SampleStream.runsInWindow)
    // All samples of 64 runs, which come from all over the set, or of 63 and the short last one.
    let runs = Dictionary(grouping: window) { Int($0) / SampleStream.longRun }
    #expect(runs.count == 64 && runs.values.count { $0.count == SampleStream.longRun } >= 63)
    #expect((runs.keys.max() ?? 0) - (runs.keys.min() ?? 0) > 200)
    #expect(Array(window.prefix(256)) != window.prefix(256).sorted())
  }

  @Test func setsShareAStream() throws {
    let sets = [TrainingSet(samples: [4, 0, 2]), TrainingSet(samples: [2, 3])]
    let stream = try SampleStream(sets: sets, labels: labels(6))
    #expect(Array(stream.samples) == [0, 2, 3, 4])
    #expect([0, 1, 2, 3, 4, 5].map(stream.sets) == [1, 0, 3, 2, 1, 0])
    #expect(try stream.order(seed: 0, epoch: 0).sorted() == [0, 2, 3, 4])
  }

  @Test func arrangedBatchesHaveTheSameSamples() throws {
    let sets = [
      TrainingSet(samples: (0..<100).filter { $0 % 3 > 0 }), TrainingSet(samples: [Int32](20..<90)),
    ]
    let stream = try SampleStream(sets: sets, labels: labels(100))
    let order = try stream.order(seed: 0, epoch: 0)
    let arranged = try ScratchTable(Array(order))
    stream.arrange(arranged, inBatchesOf: 40, threads: 2)
    for start in stride(from: 0, to: order.count, by: 40) {
      let batch = start..<min(start + 40, order.count)
      #expect(arranged[batch].sorted() == order[batch].sorted())
      let memberships = arranged[batch].map(stream.sets)
      #expect(memberships == memberships.sorted())
    }
    let alone = try SampleStream(sets: [sets[0]], labels: labels(100))
    let shuffled = try alone.order(seed: 0, epoch: 0)
    alone.arrange(shuffled, inBatchesOf: 40)
    #expect(try shuffled == alone.order(seed: 0, epoch: 0))
  }

  @Test func classUniformDrawsTakeClassesAlike() throws {
    let set = TrainingSet(samples: [Int32](0..<1000))
    let stream = try SampleStream(sets: [set], labels: labels(2000), sampling: .classUniform)
    let order = try stream.order(seed: 0, epoch: 0)
    #expect(order.count == 1000 && order.allSatisfy { $0 < 1000 })
    // Half of the draws, though a tenth of the samples; five standard deviations are 79.
    #expect(abs(order.count { $0 % 10 == 0 } - 500) < 79)
  }

  @Test func classUniformHeadsOfSeveralSetsAreDrawnForEach() throws {
    let cells = SyntheticCells(count: 120, dimension: 6, classes: 3, signal: 5, seed: 2)
    var configuration = TrainingConfiguration(epochs: 2)
    configuration.sampling = .classUniform
    let sets = [TrainingSet(samples: [Int32](0..<80)), TrainingSet(samples: [Int32](40..<120))]
    let together = try fitHeads(
      source: cells.source, labels: try cells.table, sets: sets, configuration: configuration)
    let second = try fitHeads(
      source: cells.source, labels: try cells.table, sets: [sets[1]], configuration: configuration)
    #expect(together[1] == second[0])
  }

  @Test func validationSamplesAreWholeGroups() throws {
    let labels = try labels(300)
    let groups = (0..<300).map { Int32($0 / 10) }
    var configuration = TrainingConfiguration()
    let samples = [Int32](50..<300)
    let plain = try TrainingSet(samples, labels: labels, groups: groups, configuration: configuration)
    #expect(plain == TrainingSet(samples: samples))
    configuration.patience = 2
    let set = try TrainingSet(samples, fold: 1, labels: labels, groups: groups, configuration: configuration)
    #expect((Array(set.samples) + set.validation).sorted() == samples)
    #expect(set.validation.count == 50 && set.fold == 1)
    let watched = Set(set.validation.map { groups[Int($0)] })
    #expect(watched.isDisjoint(with: set.samples.map { groups[Int($0)] }))
    #expect(set.validation.contains { $0 % 10 == 0 })
    // The only group of a class is learned from, whatever the seed.
    let rare = try labelTable((0..<300).map { $0 / 10 == 12 ? [1] : [0] }, classCount: 2)
    for seed in 0..<30 as Range<UInt64> {
      configuration.seed = seed
      let set = try TrainingSet(samples, labels: rare, groups: groups, configuration: configuration)
      #expect(set.samples.contains(120) && !set.validation.isEmpty)
    }
    let fault = #expect(throws: Fault.self) {
      try TrainingSet(
        [Int32](0..<40), labels: labels, groups: groups, configuration: configuration)
    }
    #expect(fault?.subject == "early stopping")
  }
}
