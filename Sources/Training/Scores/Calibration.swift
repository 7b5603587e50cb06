/// How far probabilities are what they say: of the decisions of probability p, a part p should be positive.
package struct Calibration: Sendable, Equatable {
  /// The decisions whose probability lies in one fifteenth of 0...1; 1 lies in the last.
  package struct Bin: Sendable, Equatable {
    package fileprivate(set) var count = 0
    package fileprivate(set) var positives = 0
    package fileprivate(set) var probabilitySum = 0.0
  }

  /// As of Guo et al., "On calibration of modern neural networks", 2017.
  package static let binCount = 15

  package private(set) var bins = [Bin](repeating: Bin(), count: binCount)
  private var count = 0
  private var squares = 0.0

  /// Of no decisions.
  init() {}

  /// - Parameters:
  ///   - probabilities: of decisions of whatever samples and classes, each in 0...1.
  ///   - isPositive: their labels.
  package init(probabilities: [Float], isPositive: [Bool]) {
    precondition(probabilities.count == isPositive.count)
    for (probability, isPositive) in zip(probabilities, isPositive) {
      add(probability, isPositive: isPositive)
    }
  }

  /// Adds a decision of a probability in 0...1.
  mutating func add(_ probability: Float, isPositive: Bool) {
    let probability = Double(probability)
    let bin = min(Int(probability * Double(Self.binCount)), Self.binCount - 1)
    bins[bin].count += 1
    bins[bin].positives += isPositive ? 1 : 0
    bins[bin].probabilitySum += probability
    count += 1
    let difference = probability - (isPositive ? 1 : 0)
    squares += difference * difference
  }

  /// Mean squared difference of probability and label; 0 of no decisions.
  package var brier: Double { count == 0 ? 0 : squares / Double(count) }

  /// Mean distance of a bin's mean probability from its part of positives, by its decisions; 0 of no decisions.
  package var error: Double {
    guard count > 0 else { return 0 }
    return bins.reduce(0) { $0 + abs($1.probabilitySum - Double($1.positives)) } / Double(count)
  }
}
