/// The samples in order of one class's score, gathered into runs of equal scores, highest first: what
/// threshold-free metrics are made of. Four bytes a sample.
package struct Ranking: Sendable {
  package struct Run: Sendable {
    package let score: Float
    package let count: Int
    package let positives: Int
  }

  /// Scores as whole numbers in the same order, increasing.
  private let positiveKeys: [UInt32]
  private let negativeKeys: [UInt32]

  package var count: Int { positiveKeys.count + negativeKeys.count }
  package var positives: Int { positiveKeys.count }

  /// Scores that are not NaN.
  package init(_ samples: [(score: Float, isPositive: Bool)]) {
    self.init(count: samples.count) { samples[$0] }
  }

  /// - Parameter sample: the score of the sample in a place, not NaN, and whether it is positive.
  init(count: Int, _ sample: (_ place: Int) -> (score: Float, isPositive: Bool)) {
    var (positives, negatives): ([UInt32], [UInt32]) = ([], [])
    for place in 0..<count {
      let (score, isPositive) = sample(place)
      if isPositive { positives.append(orderedBits(score)) } else { negatives.append(orderedBits(score)) }
    }
    positives.sortByDigits()
    negatives.sortByDigits()
    positiveKeys = positives
    negativeKeys = negatives
  }

  package var runs: [Run] {
    var runs: [Run] = []
    forEachRun { runs.append($0) }
    return runs
  }

  private func forEachRun(_ body: (Run) -> Void) {
    var (positive, negative) = (positiveKeys.count, negativeKeys.count)
    while positive + negative > 0 {
      let key = max(
        positive > 0 ? positiveKeys[positive - 1] : 0, negative > 0 ? negativeKeys[negative - 1] : 0)
      let above = (positive, negative)
      while positive > 0, positiveKeys[positive - 1] == key { positive -= 1 }
      while negative > 0, negativeKeys[negative - 1] == key { negative -= 1 }
      let found = above.0 - positive
      body(Run(score: score(ofBits: key), count: found + above.1 - negative, positives: found))
    }
  }

  /// The probability that a positive outranks a negative, ties counting half (Mann-Whitney U over all pairs);
  /// nil without a positive or without a negative.
  var auroc: Double? {
    let negatives = count - positives
    guard positives > 0, negatives > 0 else { return nil }
    var negativesAbove = 0
    var lostHalves = 0
    forEachRun { run in
      lostHalves += run.positives * (2 * negativesAbove + run.count - run.positives)
      negativesAbove += run.count - run.positives
    }
    return 1 - Double(lostHalves) / (2 * Double(positives) * Double(negatives))
  }

  /// Precision at each run of scores, weighted by the recall that the run adds; nil without a positive, and without a
  /// negative, where it would be 1 whatever the scores.
  var averagePrecision: Double? {
    guard positives > 0, positives < count else { return nil }
    var (found, above, sum) = (0, 0, 0.0)
    forEachRun { run in
      found += run.positives
      above += run.count
      sum += Double(run.positives) * Double(found) / Double(above)
    }
    return sum / Double(positives)
  }
}

/// A whole number that is larger for a larger number; the same for both zeros.
private func orderedBits(_ number: Float) -> UInt32 {
  let bits = (number + 0).bitPattern
  return bits >> 31 == 1 ? ~bits : bits | 1 << 31
}

private func score(ofBits bits: UInt32) -> Float {
  Float(bitPattern: bits >> 31 == 1 ? bits & ~(1 << 31) : ~bits)
}

extension [UInt32] {
  private static let digitBits: UInt32 = 11
  /// Below so many numbers, counting digits takes longer than comparing.
  private static let fewest = 512

  /// Sorts by digits of eleven bits, the last first.
  fileprivate mutating func sortByDigits() {
    guard count >= Self.fewest else { return sort() }
    var source = self
    var target = self
    let values = 1 << Int(Self.digitBits)
    for shift in stride(from: 0, to: UInt32(32), by: Int(Self.digitBits)) {
      var starts = [Int](repeating: 0, count: values + 1)
      source.withUnsafeBufferPointer { source in
        target.withUnsafeMutableBufferPointer { target in
          starts.withUnsafeMutableBufferPointer { starts in
            let mask = UInt32(values - 1)
            for number in source { starts[Int(number >> shift & mask) + 1] += 1 }
            for digit in 1...values { starts[digit] += starts[digit - 1] }
            for number in source {
              let digit = Int(number >> shift & mask)
              target[starts[digit]] = number
              starts[digit] += 1
            }
          }
        }
      }
      swap(&source, &target)
    }
    self = source
  }
}
