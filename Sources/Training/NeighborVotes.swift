import Faults
import Glibc
import Query
package import Storage

/// Classification by the nearest neighbors: what the vectors themselves know, without training.
///
/// Each cell is classified by the k nearest cells of other groups. A neighbor of similarity s weighs exp(s / T); the
/// probability of a class is the share of the weights that belongs to neighbors of the class (the vote of DINO's
/// evaluation, Caron et al. 2021, arXiv 2104.14294, with its T of 0.07, for one label or several).
package struct NeighborVotes: Sendable {
  package enum Defaults {
    package static let ks = [1, 5, 20]
    package static let temperature = 0.07
  }

  /// When a class counts as predicted.
  package enum Rule: String, Sendable, Codable {
    /// The class of most weight, of equals the first: for cells with one label each.
    case best
    /// Every class with more than half of the weight.
    case majority
  }

  /// What the votes of so many neighbors make of the samples.
  package struct Result: Sendable {
    package let k: Int
    /// [samples, classes]
    package let probabilities: [Float]
    package let scores: Scores
  }

  package let results: [Result]
  package let rule: Rule

  /// Samples that are searched for together: it bounds the memory of queries and neighbors.
  private static let batchLimit = 1024

  /// - Parameters:
  ///   - ks: how many neighbors vote, each at least 1.
  ///   - temperature: T, above 0.
  ///   - progress: called after each search with the number of samples that it classified; a throw ends the work.
  /// - Complexity: an exact search of all samples for every 1,024 of them.
  /// - Throws: `badData` where all cells are of one group.
  package init(
    of samples: DatabaseSamples, in space: SpaceRecord, of snapshot: borrowing Snapshot, ks: [Int],
    rule: Rule,
    temperature: Double, threads: Int, progress: (Int) throws -> Void = { _ in }
  ) throws {
    precondition(temperature > 0 && !ks.isEmpty && ks.allSatisfy { $0 > 0 })
    let classCount = samples.labels.classes.count
    let vectors = try BlockVectors(snapshot: snapshot, space: space, rows: samples.rows)
    if let groups = samples.groups, groups.allSatisfy({ $0 == groups[0] }) {
      throw Fault(
        .badData, "the cells", expected: "cells of two groups or more", found: "one group",
        remedy: "group by another field, or not at all with --ungrouped")
    }
    // A cell that is not grouped is a group of its own.
    let groups = samples.groups ?? samples.rows.indices.map { Int32($0) }
    let rowLimit = samples.rows.last.map { Int($0) + 1 } ?? 0
    var sampleOfRow = [Int32](repeating: -1, count: rowLimit)
    var groupOfRow = [Int32](repeating: -1, count: rowLimit)
    for (sample, row) in samples.rows.enumerated() {
      sampleOfRow[Int(row)] = Int32(sample)
      groupOfRow[Int(row)] = groups[sample]
    }
    let all = RowSet(samples.rows)
    var probabilities = ks.map { _ in [Float](repeating: 0, count: samples.rows.count * classCount) }
    let most = min(ks.max() ?? 1, samples.rows.count)

    for start in stride(from: 0, to: samples.rows.count, by: Self.batchLimit) {
      let batch = start..<min(start + Self.batchLimit, samples.rows.count)
      var queries = [Float](repeating: 0, count: batch.count * space.dimension)
      queries.withUnsafeMutableBufferPointer { vectors.gather(batch.map { Int32($0) }[...], into: $0) }
      let request = ExactRequest(
        k: most, excluding: ExcludedGroups(ofQuery: Array(groups[batch]), ofRow: groupOfRow))
      let (found, _) = try queries.withUnsafeBufferPointer {
        try snapshot.nearest(to: $0, count: batch.count, in: space, request, among: all, threads: threads)
      }
      for (sample, voters) in zip(batch, found) {
        for (index, k) in ks.enumerated() {
          let vote = samples.labels.vote(
            of: voters.prefix(k).map { (sampleOfRow[Int($0.row)], Double($0.similarity)) },
            temperature: temperature)
          probabilities[index].replaceSubrange(sample * classCount..<(sample + 1) * classCount, with: vote)
        }
      }
      try progress(batch.count)
    }

    let indices = samples.rows.indices.map { Int32($0) }
    results = zip(ks, probabilities).map { k, probabilities in
      let decisions = rule.decisions(probabilities, classCount: classCount)
      return Result(
        k: k, probabilities: probabilities,
        scores: Scores(
          probabilities: probabilities, samples: indices, labels: samples.labels, decisions: decisions))
    }
    self.rule = rule
  }
}

extension NeighborVotes.Rule {
  /// - Shape: `probabilities` and the result are [samples, classes].
  fileprivate func decisions(_ probabilities: [Float], classCount: Int) -> [Bool] {
    if self == .majority { return probabilities.map { $0 > 0.5 } }
    var decisions = [Bool](repeating: false, count: probabilities.count)
    for start in stride(from: 0, to: probabilities.count, by: classCount) {
      var best = start
      for index in start + 1..<start + classCount where probabilities[index] > probabilities[best] {
        best = index
      }
      decisions[best] = probabilities[best] > 0
    }
    return decisions
  }
}

extension LabelTable {
  /// The share of the weights that each class has; zeros without a voter.
  fileprivate func vote(of voters: [(sample: Int32, similarity: Double)], temperature: Double) -> [Float] {
    var weights = [Double](repeating: 0, count: classes.count)
    guard let nearest = voters.first?.similarity else { return weights.map { Float($0) } }
    var total = 0.0
    for voter in voters {
      // Divided by the weight of the nearest, so that none overflows.
      let weight = exp((voter.similarity - nearest) / temperature)
      total += weight
      for member in classes(of: voter.sample) { weights[Int(member)] += weight }
    }
    return weights.map { Float($0 / total) }
  }
}
