import Faults
import Kernels
import Query
import Storage

/// A classifier without weights: the classes of a vector are those of its nearest voters, by the cosine of vectors as they
/// are stored.
struct NeighborHead: Sendable, Equatable {
  /// Samples that are searched for together at most: it bounds the memory of queries.
  private static let largestBatch = 1024
  /// And at least: fewer would be compared with all voters by float32, not by 8 bits a number.
  private static let smallestBatch = 16
  /// Neighbors of a batch that the threads of a search keep together at most, 8 bytes each, unless it is a smallest one.
  private static let neighborsOfBatch = 4_000_000

  let voters: VoterTable
  /// Those of the table that vote; nil for all.
  let chosen: RowSet?
  /// How many vote, or all where there are fewer.
  let k: Int
  let temperature: Double

  var voterCount: Int { chosen?.count ?? voters.count }

  /// Samples that so many threads search for together. What is found does not depend on it.
  func batchSize(threads: Int) -> Int {
    let most = Self.neighborsOfBatch / (k * max(threads, 1))
    return max(Self.smallestBatch, min(Self.largestBatch, most))
  }

  /// The same with other numbers of neighbors.
  func counting(_ k: Int) -> NeighborHead {
    NeighborHead(voters: voters, chosen: chosen, k: k, temperature: temperature)
  }

  /// Calls `body` with some samples after others, their probabilities and, where they are asked for, 1 - p of each.
  /// - Parameters:
  ///   - excluded: groups by number of the sample and of the voter: voters of a sample's group do not vote on it.
  ///   - body: a throw ends the work.
  /// - Throws: `badData` for a vector with a number that is none, and what `body` throws.
  func forEachBatch(
    of samples: some Sequence<Int32>, in source: some SampleVectors, excluding excluded: ExcludedGroups?,
    withComplements: Bool, threads: Int,
    _ body: (
      ArraySlice<Int32>, UnsafeMutableBufferPointer<Float>, _ complements: UnsafeBufferPointer<Float>?
    ) throws -> Void
  ) throws {
    let classCount = voters.labels.classCount
    let batchSize = self.batchSize(threads: threads)
    let probabilities = FloatBuffer(count: batchSize * classCount)
    let complements = FloatBuffer(count: withComplements ? batchSize * classCount : 0)
    var shares = [Double](repeating: 0, count: classCount)
    try forEachBatchOfVoters(of: samples, in: source, excluding: excluded, threads: threads) {
      slice, nearest in
      for (place, voters) in nearest.enumerated() {
        self.voters.labels.vote(of: voters.prefix(k), temperature: temperature, into: &shares)
        for index in 0..<classCount {
          probabilities.start[place * classCount + index] = Float(shares[index])
          if withComplements { complements.start[place * classCount + index] = Float(1 - shares[index]) }
        }
      }
      let count = slice.count * classCount
      try body(
        slice, probabilities.values.extracting(0..<count),
        withComplements ? UnsafeBufferPointer(complements.values.extracting(0..<count)) : nil)
    }
  }

  /// Calls `body` with some samples after others and the voters of each, nearest first.
  /// - Throws: as above.
  func forEachBatchOfVoters(
    of samples: some Sequence<Int32>, in source: some SampleVectors,
    excluding excluded: ExcludedGroups? = nil,
    threads: Int, _ body: (ArraySlice<Int32>, [[Voter]]) throws -> Void
  ) throws {
    precondition(source.dimension == voters.dimension)
    let batchSize = self.batchSize(threads: threads)
    let queries = FloatBuffer(count: batchSize * source.dimension)
    var rest = samples.makeIterator()
    var some: [Int32] = []
    while true {
      some.removeAll(keepingCapacity: true)
      while some.count < batchSize, let sample = rest.next() { some.append(sample) }
      if some.isEmpty { return }
      source.gather(some[...], into: queries.values)
      let numbers = some.count * source.dimension
      let bad = kernels_first_beyond(KERNELS_FLOAT32, queries.start, numbers)
      guard bad == numbers else {
        throw Fault(
          .badData, "vector of sample \(some[bad / source.dimension])", expected: "finite numbers",
          found: "NaN or infinity", remedy: "embed its image again, or leave it out")
      }
      let apart = excluded.map { groups in
        ExcludedGroups(ofQuery: some.map { groups.ofQuery[Int($0)] }, ofRow: groups.ofRow)
      }
      let (found, _) = try voters.nearest(
        to: UnsafeBufferPointer(queries.values.extracting(0..<numbers)), count: some.count, in: voters.space,
        ExactRequest(k: k, excluding: apart), among: chosen, threads: threads)
      try body(
        some[...],
        found.map { $0.map { Voter(sample: Int32($0.row), similarity: Double($0.similarity)) } })
    }
  }
}
