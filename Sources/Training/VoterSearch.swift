import Faults
import Query
import Storage

/// A sample that votes on the class of another.
struct Voter {
  let sample: Int32
  let similarity: Double
}

/// Finds for each sample the nearest samples of other groups; of samples that are not grouped, the nearest others.
struct VoterSearch {
  /// Samples that are searched for together: it bounds the memory of queries and neighbors.
  private static let exactBatch = 1024
  /// Each batch makes the index ready anew.
  private static let indexBatch = 8192
  /// Samples whose predictions are compared with those of all neighbors, and how many neighbors that may take.
  private static let comparedLimit = 256
  private static let overfetchLimit = 20_000

  private let samples: DatabaseSamples
  private let space: SpaceRecord
  private let vectors: BlockVectors
  private let all: RowSet
  private let sampleOfRow: [Row: Int32]
  /// Samples of each group; nil when samples are not grouped.
  private let members: [Int32: [Int32]]?
  private let count: Int
  private let threads: Int

  /// - Parameter count: voters of each sample, at most.
  /// - Throws: `badData` where all samples are of one group.
  init(
    of samples: DatabaseSamples, in space: SpaceRecord, from snapshot: borrowing Snapshot, count: Int,
    threads: Int
  ) throws {
    self.samples = samples
    self.space = space
    self.count = count
    self.threads = threads
    vectors = try BlockVectors(snapshot: snapshot, space: space, rows: samples.rows)
    all = RowSet(samples.rows)
    let indices = samples.rows.indices.map { Int32($0) }
    sampleOfRow = Dictionary(uniqueKeysWithValues: zip(samples.rows, indices))
    members = samples.groups.map { groups in Dictionary(grouping: indices) { groups[Int($0)] } }
    guard members?.count != 1 else {
      throw Fault(
        .badData, "the cells", expected: "cells of two groups or more", found: "one group",
        remedy: "group by another field, or not at all with --ungrouped")
    }
  }

  /// Compares with every sample of other groups.
  /// - Parameters:
  ///   - body: called with each sample and its voters, nearest first.
  ///   - progress: told how many samples have followed.
  func forEach(
    of snapshot: borrowing Snapshot, _ body: (Int32, [Voter]) -> Void, _ progress: (Int) throws -> Void
  ) throws {
    func search(_ group: [Int32], among others: RowSet, k: Int) throws {
      for start in stride(from: 0, to: group.count, by: Self.exactBatch) {
        let batch = group[start..<min(start + Self.exactBatch, group.count)]
        let found = try snapshot.nearest(
          to: queries(batch), count: batch.count, k: k, in: space, among: others, threads: threads)
        for (sample, neighbors) in zip(batch, found) { body(sample, voters(neighbors, of: sample)) }
        try progress(batch.count)
      }
    }
    guard let members else {
      // A cell that is not grouped finds itself, and is struck out.
      return try search(samples.rows.indices.map { Int32($0) }, among: all, k: count + 1)
    }
    for (_, group) in members.sorted(by: { $0.key < $1.key }) {
      try search(group, among: all.subtracting(RowSet(group.map { samples.rows[Int($0)] })), k: count)
    }
  }

  /// The same through the space's index: each search leaves out the group of its sample.
  /// - Parameter exactLimit: samples up to which the index does not serve.
  /// - Returns: false where the index does not serve; what was given to `body` then is to be given again.
  func forEachThroughIndex(
    of snapshot: borrowing Snapshot, recall: Double, exactLimit: Int, _ body: (Int32, [Voter]) -> Void,
    _ progress: (Int) throws -> Void
  ) throws -> Bool {
    var groupOfRow = [UInt32](repeating: .max, count: Int(samples.rows.last ?? 0) + 1)
    for (sample, row) in samples.rows.enumerated() { groupOfRow[Int(row)] = group(of: Int32(sample)) }
    let indices = samples.rows.indices.map { Int32($0) }
    for start in stride(from: 0, to: indices.count, by: Self.indexBatch) {
      let batch = indices[start..<min(start + Self.indexBatch, indices.count)]
      let exclusion = NeighborExclusion(groupOfRow: groupOfRow, groupOfQuery: batch.map { group(of: $0) })
      let found = try snapshot.nearestThroughIndex(
        to: queries(batch), count: batch.count, k: count, in: space, among: all, excluding: exclusion,
        recall: recall, threads: threads, exactLimit: exactLimit)
      guard let found else { return false }
      for (sample, neighbors) in zip(batch, found.neighbors) { body(sample, voters(neighbors, of: sample)) }
      try progress(batch.count)
    }
    return true
  }

  /// Compares some samples with every sample of other groups, in one search: what their own groups take of it is looked
  /// for besides. Samples of very large groups are left out.
  func forEachOfSome(of snapshot: borrowing Snapshot, _ body: (Int32, [Voter]) -> Void) throws {
    func taken(by sample: Int32) -> Int { members?[Int32(bitPattern: group(of: sample))]?.count ?? 1 }
    let step = max(1, samples.rows.count / Self.comparedLimit)
    let some = stride(from: 0, to: samples.rows.count, by: step).prefix(Self.comparedLimit).map { Int32($0) }
      .filter { taken(by: $0) + count <= Self.overfetchLimit }
    guard let most = some.map(taken).max() else { return }
    let found = try snapshot.nearest(
      to: queries(some[...]), count: some.count, k: count + most, in: space, among: all, threads: threads)
    for (sample, neighbors) in zip(some, found) {
      let own = group(of: sample)
      let others = neighbors.filter { neighbor in
        sampleOfRow[neighbor.row].map { group(of: $0) != own } ?? false
      }
      body(sample, voters(Array(others.prefix(count)), of: sample))
    }
  }

  /// What a sample is left out with: its group, or itself alone.
  private func group(of sample: Int32) -> UInt32 {
    UInt32(bitPattern: samples.groups?[Int(sample)] ?? sample)
  }

  private func queries(_ batch: ArraySlice<Int32>) -> [Float] {
    var queries = [Float](repeating: 0, count: batch.count * space.dimension)
    queries.withUnsafeMutableBufferPointer { vectors.gather(batch, into: $0) }
    return queries
  }

  private func voters(_ neighbors: [Neighbor], of sample: Int32) -> [Voter] {
    neighbors.compactMap { neighbor in
      guard let voter = sampleOfRow[neighbor.row], voter != sample else { return nil }
      return Voter(sample: voter, similarity: Double(neighbor.similarity))
    }
  }
}
