import Faults
import Query
package import Storage

/// Classification by the nearest neighbors: what the vectors themselves know, without training.
///
/// Each cell is classified by the k nearest cells of other groups, whose votes count as those of a head of neighbors
/// (`VoterLabels`): the probability of a class is the share of the weights that belongs to neighbors of the class.
package struct NeighborVotes: Sendable {
  package enum Defaults {
    package static let ks = [1, 5, 20]
    package static let temperature = NeighborConfiguration.Defaults.temperature
  }

  /// When a class counts as predicted.
  package enum Rule: String, Sendable, Codable {
    /// The class of most weight, of equals the first: for cells with one label each.
    case best
    /// Every class with more than half of the weight.
    case majority

    package init(_ task: ClassificationTask) { self = task == .single ? .best : .majority }

    /// How many labels a cell is taken to have.
    package var task: ClassificationTask { self == .best ? .single : .multi }
  }

  /// What a search through an index did to the predictions.
  package struct IndexUse: Sendable, Equatable {
    /// The share of the nearest neighbors that was asked for.
    package let recall: Double
    /// Of some cells whose neighbors were looked for among all cells too, those that are predicted the same; with most
    /// neighbors.
    package let agreeing: Int
    package let compared: Int
  }

  /// What the votes of so many neighbors make of the samples.
  package struct Result: Sendable {
    package let k: Int
    package let probabilities: ProbabilityTable
    package let scores: Scores
  }

  package let results: [Result]
  package let rule: Rule
  /// How neighbors were found through the space's index; nil where every cell was compared.
  package let indexUse: IndexUse?

  /// - Parameters:
  ///   - ks: how many neighbors vote, each at least 1.
  ///   - temperature: T, above 0.
  ///   - recall: the share of the nearest neighbors to find through the space's index; with 1, without an index or one
  ///     that lacks some of the cells, or where that is estimated to take no longer, all are compared.
  ///   - scanWeight: how many times as long as is estimated comparing all is taken to take.
  ///   - progress: called after each search with the number of samples that it classified; a throw ends the work.
  /// - Complexity: through an index, a search of it for each sample; else an exact search of all samples for every
  ///   1,024 of them.
  /// - Throws: `badData` where all cells are of one group, or where cells have several labels and the rule gives one; as
  ///   `ScratchTable`.
  package init(
    of samples: DatabaseSamples, in space: SpaceRecord, of snapshot: borrowing Snapshot, ks: [Int],
    rule: Rule,
    temperature: Double, recall: Double = 1, scanWeight: Double = 1, threads: Int,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    precondition(temperature > 0 && !ks.isEmpty && ks.allSatisfy { $0 > 0 })
    _ = try samples.task(rule.task)
    let classCount = samples.labels.classes.count
    let search = try VoterSearch(
      of: samples, in: space, from: snapshot, count: min(ks.max() ?? 1, samples.rows.count), threads: threads)
    let probabilities = try ks.map { _ in
      try ProbabilityTable(samples: samples.rows.count, classes: classCount)
    }
    var shares = [Double](repeating: 0, count: classCount)
    func votes(of voters: [Voter], k: Int) -> [Float] {
      samples.labels.vote(of: voters.prefix(k), temperature: temperature, into: &shares)
      return shares.map { Float($0) }
    }
    func cast(_ sample: Int32, _ voters: [Voter]) {
      for (table, k) in zip(probabilities, ks) {
        var row = votes(of: voters, k: k)
        row.withUnsafeMutableBufferPointer { table.keep($0, of: [sample]) }
      }
    }
    if recall < 1,
      try search.forEachThroughIndex(
        of: snapshot, recall: recall, scanWeight: scanWeight, cast, progress)
    {
      let most = ks.indices.max { ks[$0] < ks[$1] } ?? 0
      var (same, compared) = (0, 0)
      try search.forEachOfSome(of: snapshot) { sample, voters in
        let exact = rule.classes(by: votes(of: voters, k: ks[most])[...])
        let found = rule.classes(by: probabilities[most][sample][...])
        same += exact == found ? 1 : 0
        compared += 1
      }
      indexUse = IndexUse(recall: recall, agreeing: same, compared: compared)
    } else {
      try search.forEach(of: snapshot, cast, progress)
      indexUse = nil
    }

    let rows = samples.rows.indices
    let tables = try ScoreTables(samples: rows.count, classes: classCount)
    results = zip(ks, probabilities).map { k, probabilities in
      let scores = Scores(
        of: rows.lazy.map { Int32($0) }, count: rows.count, labels: samples.labels, task: rule.task,
        probabilities: probabilities, in: tables, decided: { rule.classes(by: $1) })
      return Result(k: k, probabilities: probabilities, scores: scores)
    }
    self.rule = rule
  }
}

extension NeighborVotes.Rule {
  /// The classes that are predicted for a sample, increasing.
  /// - Parameter probabilities: of the sample, by class.
  fileprivate func classes(by probabilities: ArraySlice<Float>) -> [Int] {
    let first = probabilities.startIndex
    if self == .majority {
      return probabilities.indices.filter { probabilities[$0] > 0.5 }.map { $0 - first }
    }
    var best = first
    for index in probabilities.indices where probabilities[index] > probabilities[best] { best = index }
    return probabilities[best] > 0 ? [best - first] : []
  }
}
