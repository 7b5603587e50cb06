import Faults
import Query
import Storage

/// Finds for each sample the nearest samples of other groups; of samples that are not grouped, the nearest others.
struct VoterSearch {
  /// Samples that are searched for together: it bounds the memory of queries and neighbors.
  private static let exactBatch = 1024
  /// Each batch makes the index ready anew.
  private static let indexBatch = 8192
  /// Samples whose predictions are compared with those of all neighbors.
  private static let comparedLimit = 256

  private let space: SpaceRecord
  private let vectors: BlockVectors
  private let all: RowSet
  /// By sample; one that is not grouped is a group of its own.
  private let groups: [Int32]
  /// By row; -1 for rows that are no samples.
  private let sampleOfRow: [Int32]
  private let groupOfRow: [Int32]
  private let count: Int
  private let threads: Int

  /// - Parameter count: voters of each sample, at most.
  /// - Throws: `badData` where all samples are of one group.
  init(
    of samples: DatabaseSamples, in space: SpaceRecord, from snapshot: borrowing Snapshot, count: Int,
    threads: Int
  ) throws {
    self.space = space
    self.count = count
    self.threads = threads
    vectors = try BlockVectors(snapshot: snapshot, space: space, rows: samples.rows)
    if let groups = samples.groups, groups.allSatisfy({ $0 == groups[0] }) {
      throw Fault(
        .badData, "the cells", expected: "cells of two groups or more", found: "one group",
        remedy: "group by another field, or not at all with --ungrouped")
    }
    groups = samples.groups ?? samples.rows.indices.map { Int32($0) }
    all = RowSet(samples.rows)
    let rowLimit = samples.rows.last.map { Int($0) + 1 } ?? 0
    var sampleOfRow = [Int32](repeating: -1, count: rowLimit)
    var groupOfRow = [Int32](repeating: -1, count: rowLimit)
    for (sample, row) in samples.rows.enumerated() {
      sampleOfRow[Int(row)] = Int32(sample)
      groupOfRow[Int(row)] = groups[sample]
    }
    self.sampleOfRow = sampleOfRow
    self.groupOfRow = groupOfRow
  }

  /// Compares with every sample of other groups.
  /// - Parameters:
  ///   - body: called with each sample and its voters, nearest first.
  ///   - progress: told how many samples have followed.
  func forEach(
    of snapshot: borrowing Snapshot, _ body: (Int32, [Voter]) -> Void,
    _ progress: (Int) throws -> Void = { _ in }
  ) throws {
    try compare(groups.indices.map { Int32($0) }, snapshot, body, progress)
  }

  /// The same for some of the samples, evenly spread.
  func forEachOfSome(of snapshot: borrowing Snapshot, _ body: (Int32, [Voter]) -> Void) throws {
    let step = max(1, groups.count / Self.comparedLimit)
    let some = stride(from: 0, to: groups.count, by: step).prefix(Self.comparedLimit).map { Int32($0) }
    try compare(some, snapshot, body) { _ in }
  }

  private func compare(
    _ samples: [Int32], _ snapshot: borrowing Snapshot, _ body: (Int32, [Voter]) -> Void,
    _ progress: (Int) throws -> Void
  ) throws {
    for start in stride(from: 0, to: samples.count, by: Self.exactBatch) {
      let batch = samples[start..<min(start + Self.exactBatch, samples.count)]
      let request = ExactRequest(k: count, excluding: excludedGroups(of: batch))
      let (found, _) = try queries(batch).withUnsafeBufferPointer {
        try snapshot.nearest(to: $0, count: batch.count, in: space, request, among: all, threads: threads)
      }
      for (sample, neighbors) in zip(batch, found) { body(sample, voters(neighbors)) }
      try progress(batch.count)
    }
  }

  /// The same through the space's index.
  /// - Parameter scanWeight: how many times as long as is estimated comparing all is taken to take.
  /// - Returns: false where the index does not serve, or comparing all is estimated to take no longer: known at the first
  ///   batch, before `body` is called.
  func forEachThroughIndex(
    of snapshot: borrowing Snapshot, recall: Double, scanWeight: Double, _ body: (Int32, [Voter]) -> Void,
    _ progress: (Int) throws -> Void
  ) throws -> Bool {
    let samples = groups.indices.map { Int32($0) }
    for start in stride(from: 0, to: samples.count, by: Self.indexBatch) {
      let batch = samples[start..<min(start + Self.indexBatch, samples.count)]
      // The first batch decides for all: the last may be of a few samples.
      let found = try snapshot.nearestThroughIndex(
        to: queries(batch), count: batch.count, k: count, in: space, among: all,
        excluding: excludedGroups(of: batch), recall: recall, threads: threads,
        scanWeight: start == 0 ? scanWeight : .infinity)
      guard let found else { return false }
      for (sample, neighbors) in zip(batch, found.neighbors) { body(sample, voters(neighbors)) }
      try progress(batch.count)
    }
    return true
  }

  private func excludedGroups(of batch: ArraySlice<Int32>) -> ExcludedGroups {
    ExcludedGroups(ofQuery: batch.map { groups[Int($0)] }, ofRow: groupOfRow)
  }

  private func queries(_ batch: ArraySlice<Int32>) -> [Float] {
    var queries = [Float](repeating: 0, count: batch.count * space.dimension)
    queries.withUnsafeMutableBufferPointer { vectors.gather(batch, into: $0) }
    return queries
  }

  private func voters(_ neighbors: [Neighbor]) -> [Voter] {
    neighbors.map { Voter(sample: sampleOfRow[Int($0.row)], similarity: Double($0.similarity)) }
  }
}
