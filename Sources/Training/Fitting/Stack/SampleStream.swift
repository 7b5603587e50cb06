import Randomness

/// The samples that several sets learn from, and the order in which an epoch takes them.
struct SampleStream: Sendable {
  /// All samples of all sets, increasing.
  let samples: [Int32]
  /// Bit s of a sample's word says whether set s learns from it; empty for one set, which learns from all of
  /// them.
  private let membership: [UInt32]
  private let sampling: BatchSampling
  private let labels: LabelTable
  /// Samples that stay together when the order of large sets is drawn; 1 draws each by itself.
  private let runLength: Int

  /// The most sets of one stream.
  static let setLimit = 32

  /// Vectors of more bytes are read in runs, because those that are not in memory are read from disk by the
  /// page.
  static let shuffledByteLimit = 4 << 30
  /// 256 vectors of 384 numbers are the 400 KB that a disk reads at once in a few hundred microseconds.
  static let longRun = 256
  /// Runs whose samples are mixed with one another: 16,384 samples, from all over the set.
  static let runsInWindow = 64

  init(sets: [TrainingSet], labels: LabelTable, sampling: BatchSampling = .shuffled, runLength: Int = 1) {
    precondition((1...Self.setLimit).contains(sets.count) && (sampling == .shuffled || sets.count == 1))
    self.sampling = sampling
    self.labels = labels
    self.runLength = runLength
    guard sets.count > 1 else {
      samples = sets[0].samples.sorted()
      membership = []
      return
    }
    var membership = [UInt32](repeating: 0, count: labels.count)
    for (number, set) in sets.enumerated() {
      for sample in set.samples { membership[Int(sample)] |= 1 << UInt32(number) }
    }
    samples = membership.indices.lazy.filter { membership[$0] != 0 }.map(Int32.init)
    self.membership = membership
  }

  /// The sets that learn from a sample, as bits.
  func sets(of sample: Int32) -> UInt32 { membership.isEmpty ? 1 : membership[Int(sample)] }

  /// The samples of an epoch in their order; it depends on seed and epoch alone.
  func order(seed: UInt64, epoch: Int) -> [Int32] {
    var generator = SeededGenerator(seed: seed, stream: UInt64(epoch))
    if sampling == .classUniform { return classUniform(&generator) }
    guard runLength > 1 else { return generator.permutation(of: samples.count).map { samples[Int($0)] } }
    let runs = generator.permutation(of: (samples.count + runLength - 1) / runLength)
    var order: [Int32] = []
    order.reserveCapacity(samples.count)
    for start in stride(from: 0, to: runs.count, by: Self.runsInWindow) {
      let window = runs[start..<min(start + Self.runsInWindow, runs.count)].flatMap { run in
        samples[Int(run) * runLength..<min((Int(run) + 1) * runLength, samples.count)]
      }
      order += generator.permutation(of: window.count).map { window[Int($0)] }
    }
    return order
  }

  /// The same batches, in which samples of the same sets follow one another, in their order: what a set does not learn from need not
  /// be computed for it where it fills whole panels.
  func arranged(_ order: [Int32], inBatchesOf size: Int) -> [Int32] {
    if membership.isEmpty { return order }
    var arranged = order
    for start in stride(from: 0, to: order.count, by: size) {
      let batch = start..<min(start + size, order.count)
      let keys = batch.map { UInt64(sets(of: order[$0])) << 32 | UInt64($0) }.sorted()
      for (place, key) in zip(batch, keys) { arranged[place] = order[Int(UInt32(truncatingIfNeeded: key))] }
    }
    return arranged
  }

  private func classUniform(_ generator: inout SeededGenerator) -> [Int32] {
    var members = [[Int32]](repeating: [], count: labels.classes.count)
    for sample in samples {
      for index in labels.classes(of: sample) { members[Int(index)].append(sample) }
    }
    members.removeAll(where: \.isEmpty)
    return (0..<samples.count).map { _ in
      let positives = members[Int(generator.next() % UInt64(members.count))]
      return positives[Int(generator.next() % UInt64(positives.count))]
    }
  }
}
