/// The samples in order of one class's score, gathered into runs of equal scores, highest first: what
/// threshold-free metrics are made of.
package struct Ranking: Sendable {
  package struct Run: Sendable {
    package let score: Float
    package fileprivate(set) var count: Int
    package fileprivate(set) var positives: Int
  }

  package let runs: [Run]
  package let count: Int
  package let positives: Int

  /// Scores that are not NaN.
  package init(_ samples: [(score: Float, isPositive: Bool)]) {
    var runs: [Run] = []
    for sample in samples.sorted(by: { $0.score > $1.score }) {
      if runs.last?.score != sample.score { runs.append(Run(score: sample.score, count: 0, positives: 0)) }
      runs[runs.count - 1].count += 1
      if sample.isPositive { runs[runs.count - 1].positives += 1 }
    }
    self.runs = runs
    count = samples.count
    positives = runs.reduce(0) { $0 + $1.positives }
  }

  /// The probability that a positive outranks a negative, ties counting half (Mann-Whitney U over all pairs);
  /// nil without a positive or without a negative.
  var auroc: Double? {
    let negatives = count - positives
    guard positives > 0, negatives > 0 else { return nil }
    var negativesAbove = 0
    var lostHalves = 0
    for run in runs {
      lostHalves += run.positives * (2 * negativesAbove + run.count - run.positives)
      negativesAbove += run.count - run.positives
    }
    return 1 - Double(lostHalves) / (2 * Double(positives) * Double(negatives))
  }

  /// Precision at each run of scores, weighted by the recall that the run adds; nil without a positive.
  var averagePrecision: Double? {
    guard positives > 0 else { return nil }
    var (found, above, sum) = (0, 0, 0.0)
    for run in runs {
      found += run.positives
      above += run.count
      sum += Double(run.positives) * Double(found) / Double(above)
    }
    return sum / Double(positives)
  }
}
