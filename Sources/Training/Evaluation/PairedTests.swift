import Glibc

/// Tests of whether one of two classifiers is better, from what they scored on the same folds.
enum PairedTests {
  /// Two-sided p of the corrected resampled t-test.
  ///
  /// Folds share training samples, so their differences vary less than those of independent data would: the variance is
  /// multiplied by 1 / n + test / train in place of 1 / n.
  ///
  /// - Parameters:
  ///   - differences: of the score, one a fold.
  ///   - testShare: samples that are tested on over those that are learned from.
  /// - Returns: nil of fewer than two differences, or where all are equal.
  /// - Source: Nadeau and Bengio, "Inference for the generalization error", 2003; Bouckaert and Frank 2004 for
  ///   repeated folds.
  static func correctedResampledT(_ differences: [Double], testShare: Double) -> Double? {
    guard differences.count >= 2 else { return nil }
    let count = Double(differences.count)
    let spread = Spread(differences)
    // Equal differences leave rounding alone to divide by.
    guard let deviation = spread.sampleSD, deviation > 1e-12 * max(abs(spread.mean), 1) else { return nil }
    let scale = ((1 / count + testShare).squareRoot()) * deviation
    return studentTwoSided(spread.mean / scale, degreesOfFreedom: count - 1)
  }

  /// Two-sided p of Wilcoxon's signed-rank test; differences of zero are left out, equal ones share ranks.
  ///
  /// Exact up to 100 differences, over all signs that they could have had; beyond, by the normal limit.
  ///
  /// - Returns: nil where nothing differs.
  static func wilcoxonSignedRank(_ differences: [Double]) -> Double? {
    let nonzero = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    guard !nonzero.isEmpty else { return nil }
    // Ranks times two, so that shared ones are whole numbers.
    var ranks: [Int] = []
    while ranks.count < nonzero.count {
      let first = ranks.count
      let last = nonzero.lastIndex { abs($0) == abs(nonzero[first]) } ?? first
      ranks += Array(repeating: first + last + 2, count: last - first + 1)
    }
    let positive = zip(nonzero, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
    let total = ranks.reduce(0, +)
    let smaller = min(positive, total - positive)
    if ranks.count > 100 {
      let variance = ranks.reduce(0.0) { $0 + Double($1 * $1) } / 4
      let z = (Double(smaller) - Double(total) / 2) / variance.squareRoot()
      return min(erfc(-z / 2.0.squareRoot()), 1)
    }
    // Parts of all signs whose positive ranks have each sum.
    var parts = [Double](repeating: 0, count: total + 1)
    parts[0] = 1
    for rank in ranks {
      for sum in stride(from: total, through: 0, by: -1) {
        parts[sum] = (parts[sum] + (sum >= rank ? parts[sum - rank] : 0)) / 2
      }
    }
    return min(2 * parts[0...smaller].reduce(0, +), 1)
  }

  /// Values of p that stay below a level in all tests together as often as each would alone.
  /// - Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
  static func holm(_ values: [Double?]) -> [Double?] {
    let order = values.indices.filter { values[$0] != nil }.sorted { (values[$0] ?? 1) < (values[$1] ?? 1) }
    var adjusted: [Double?] = values
    var least = 0.0
    for (place, index) in order.enumerated() {
      least = max(least, min((values[index] ?? 1) * Double(order.count - place), 1))
      adjusted[index] = least
    }
    return adjusted
  }

  /// The probability that a variable of Student's distribution is at least as far from zero.
  static func studentTwoSided(_ t: Double, degreesOfFreedom: Double) -> Double {
    incompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
  }

  /// The regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22).
  private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast below the mean.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    var sign: Int32 = 0
    let logFront =
      lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log1p(-x)
    let tiny = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var (fraction, c, d) = (1.0, 1.0, 1 / kept(1 - (a + b) * x / (a + 1)))
    fraction = d
    for m in 1...500 {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / kept(1 + even * d)
      c = kept(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / kept(1 + odd * d)
      c = kept(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return exp(logFront) * fraction / a
  }
}
