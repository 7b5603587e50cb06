/// The samples in order of one class's score, gathered into runs of equal scores, highest first: what
/// threshold-free metrics are made of.
package struct Ranking: Sendable {
  package struct Run: Sendable {
    package let score: Float
    package let count: Int
    package let positives: Int
  }

  /// Scores as whole numbers in the same order: those of positives, increasing, then those of negatives, increasing.
  private let keys: ScratchTable<UInt32>
  package let count: Int
  package let positives: Int

  /// Scores that are not NaN.
  package init(_ samples: [(score: Float, isPositive: Bool)]) {
    let (keys, spare) = (
      ScratchTable<UInt32>(inMemory: samples.count), ScratchTable<UInt32>(inMemory: samples.count)
    )
    self.init(count: samples.count, keys: keys, spare: spare) { add in
      for sample in samples { add(sample.score, sample.isPositive) }
    }
  }

  /// - Parameters:
  ///   - keys: room for `count` numbers, which is the ranking's as long as it is used.
  ///   - spare: as much room, used while it is made.
  ///   - addSamples: calls its argument `count` times, with a score that is not NaN, and whether it is a positive's.
  init(
    count: Int, keys: ScratchTable<UInt32>, spare: ScratchTable<UInt32>,
    addSamples: (_ add: (_ score: Float, _ isPositive: Bool) -> Void) -> Void
  ) {
    precondition(count <= min(keys.count, spare.count))
    var (positives, firstNegative) = (0, count)
    let start = keys.start
    addSamples { score, isPositive in
      precondition(positives < firstNegative)
      if isPositive {
        start[positives] = orderedBits(score)
        positives += 1
      } else {
        firstNegative -= 1
        start[firstNegative] = orderedBits(score)
      }
    }
    precondition(positives == firstNegative)
    withExtendedLifetime((keys, spare)) {
      sortByDigits(keys.values.extracting(0..<positives), spare: spare.values)
      sortByDigits(keys.values.extracting(positives..<count), spare: spare.values)
    }
    self.keys = keys
    self.count = count
    self.positives = positives
  }

  package var runs: [Run] {
    var runs: [Run] = []
    forEachRun { runs.append($0) }
    return runs
  }

  private func forEachRun(_ body: (Run) -> Void) {
    var (positive, negative) = (positives, count)
    while positive + negative > positives {
      let key = max(
        positive > 0 ? keys[positive - 1] : 0, negative > positives ? keys[negative - 1] : 0)
      let above = (positive, negative)
      while positive > 0, keys[positive - 1] == key { positive -= 1 }
      while negative > positives, keys[negative - 1] == key { negative -= 1 }
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

/// Sorts by digits of eleven bits, the last first.
/// - Parameter spare: room for as many numbers.
private func sortByDigits(
  _ keys: UnsafeMutableBufferPointer<UInt32>, spare: UnsafeMutableBufferPointer<UInt32>
) {
  // Below so many numbers, counting digits takes longer than comparing.
  let fewest = 512
  var source = keys
  guard keys.count >= fewest else { return source.sort() }
  var target = spare.extracting(0..<keys.count)
  let digitBits: UInt32 = 11
  let values = 1 << Int(digitBits)
  let mask = UInt32(values - 1)
  for shift in stride(from: 0, to: UInt32(32), by: Int(digitBits)) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: values + 1) { starts in
      starts.initialize(repeating: 0)
      for number in source { starts[Int(number >> shift & mask) + 1] += 1 }
      for digit in 1...values { starts[digit] += starts[digit - 1] }
      for number in source {
        let digit = Int(number >> shift & mask)
        target[starts[digit]] = number
        starts[digit] += 1
      }
    }
    swap(&source, &target)
  }
  // Three digits: the last were written to the spare room.
  _ = keys.update(fromContentsOf: source)
}
