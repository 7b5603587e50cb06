import Randomness

/// Calls `body` with the number of each set of some, given as bits.
@inline(__always) func forEachSet(in sets: UInt32, _ body: (_ set: Int) -> Void) {
  var rest = sets
  while rest != 0 {
    body(rest.trailingZeroBitCount)
    rest &= rest - 1
  }
}

/// The samples that several sets learn from, and the order in which an epoch takes them.
struct SampleStream: Sendable {
  /// All samples of all sets, increasing.
  let samples: ScratchTable<Int32>
  /// Bit s of a sample's word says whether set s learns from it; empty for one set, which learns from all of
  /// them.
  private let membership: ScratchTable<UInt32>
  private let sampling: BatchSampling
  /// The samples of class after class, and the end of each class's; empty where draws are not class-uniform.
  private let samplesByClass: ScratchTable<Int32>
  private let classEnds: [Int]
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

  /// - Throws: as `ScratchTable`.
  init(sets: [TrainingSet], labels: LabelTable, sampling: BatchSampling = .shuffled, runLength: Int = 1)
    throws
  {
    precondition((1...Self.setLimit).contains(sets.count) && (sampling == .shuffled || sets.count == 1))
    self.sampling = sampling
    self.labels = labels
    self.runLength = runLength
    let all = sets.dropFirst().reduce(sets[0].samples) { $0.union($1.samples) }
    samples = try ScratchTable(count: all.count)
    for (place, sample) in all.enumerated() { samples[place] = sample }
    (samplesByClass, classEnds) = try Self.byClass(sampling == .classUniform ? samples : nil, labels: labels)
    membership = try ScratchTable(count: sets.count > 1 ? labels.count : 0)
    guard sets.count > 1 else { return }
    for (number, set) in sets.enumerated() {
      for sample in set.samples { membership[Int(sample)] |= 1 << UInt32(number) }
    }
  }

  /// The sets that learn from a sample, as bits.
  func sets(of sample: Int32) -> UInt32 { membership.isEmpty ? 1 : membership[Int(sample)] }

  /// Puts the samples of an epoch into a table of as many, in their order; it depends on seed and epoch alone.
  func draw(_ order: ScratchTable<Int32>, seed: UInt64, epoch: Int) {
    precondition(order.count == samples.count)
    var generator = SeededGenerator(seed: seed, stream: UInt64(epoch))
    if sampling == .classUniform { return drawClassUniform(order, &generator) }
    withExtendedLifetime(order) {
      guard runLength > 1 else {
        _ = order.values.update(fromContentsOf: samples)
        generator.permute(order.values)
        return
      }
      let runs = generator.permutation(of: (samples.count + runLength - 1) / runLength)
      var end = 0
      for start in stride(from: 0, to: runs.count, by: Self.runsInWindow) {
        let first = end
        for run in runs[start..<min(start + Self.runsInWindow, runs.count)] {
          let run = Int(run) * runLength..<min((Int(run) + 1) * runLength, samples.count)
          _ = order.values.extracting(end..<end + run.count).update(fromContentsOf: samples[run])
          end += run.count
        }
        generator.permute(order.values.extracting(first..<end))
      }
    }
  }

  /// Lets samples of the same sets follow one another within each batch, in their order: what a set does not learn from
  /// need not be computed for it where it fills whole panels.
  func arrange(_ order: ScratchTable<Int32>, inBatchesOf size: Int, threads: Int = 1) {
    if membership.isEmpty { return }
    let batchCount = (order.count + size - 1) / size
    let parts = min(threads, batchCount)
    _ = concurrentMap(parts, threads: threads) { part in
      for batch in batchCount * part / parts..<batchCount * (part + 1) / parts {
        let places = batch * size..<min((batch + 1) * size, order.count)
        let samples = Array(order[places])
        let keys = samples.indices.map { UInt64(sets(of: samples[$0])) << 32 | UInt64($0) }.sorted()
        for (place, key) in zip(places, keys) {
          order[place] = samples[Int(UInt32(truncatingIfNeeded: key))]
        }
      }
    }
  }

  /// - Parameter samples: nil for none.
  private static func byClass(
    _ samples: ScratchTable<Int32>?, labels: LabelTable
  ) throws -> (members: ScratchTable<Int32>, ends: [Int]) {
    guard let samples else { return (try ScratchTable(count: 0), []) }
    var next = [0]
    for count in labels.positives(among: samples) { next.append(next[next.count - 1] + count) }
    let members = try ScratchTable<Int32>(count: next.removeLast())
    for sample in samples {
      for index in labels.classes(of: sample) {
        members[next[Int(index)]] = sample
        next[Int(index)] += 1
      }
    }
    return (members, next)
  }

  private func drawClassUniform(_ order: ScratchTable<Int32>, _ generator: inout SeededGenerator) {
    func members(of index: Int) -> Range<Int> { (index > 0 ? classEnds[index - 1] : 0)..<classEnds[index] }
    let present = classEnds.indices.filter { !members(of: $0).isEmpty }
    for place in order.indices {
      let drawn = members(of: present[Int(generator.next() % UInt64(present.count))])
      order[place] = samplesByClass[drawn.lowerBound + Int(generator.next() % UInt64(drawn.count))]
    }
  }
}
