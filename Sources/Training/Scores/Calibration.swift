/// How far probabilities are what they say: of the decisions of probability p, a part p should be positive. Decisions are
/// those about each class, or of one label a sample that for its likeliest class (Guo et al., 2017).
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
  private let task: ClassificationTask
  /// Decisions in all bins.
  private var count = 0
  /// What the mean of squares is over: of one label the samples, else the decisions.
  private var squareCount = 0
  private var squares = 0.0

  /// Of no decisions.
  init(task: ClassificationTask) { self.task = task }

  /// - Parameters:
  ///   - probabilities: [samples, classCount], row-major, each in 0...1.
  ///   - isPositive: their labels.
  package init(
    probabilities: [Float], isPositive: [Bool], classCount: Int = 1, task: ClassificationTask = .multi
  ) {
    precondition(probabilities.count == isPositive.count)
    self.init(task: task)
    for start in stride(from: 0, to: probabilities.count, by: max(classCount, 1)) {
      add(
        classCount: classCount, probability: { probabilities[start + $0] },
        isPositive: { isPositive[start + $0] })
    }
  }

  /// Adds a sample by the probability of each class, in 0...1, and whether the sample belongs to it.
  mutating func add(classCount: Int, probability: (_ index: Int) -> Float, isPositive: (_ index: Int) -> Bool)
  {
    guard classCount > 0 else { return }
    var likeliest: (probability: Float, isPositive: Bool)?
    for index in 0..<classCount {
      let (probability, isPositive) = (probability(index), isPositive(index))
      let difference = Double(probability) - (isPositive ? 1 : 0)
      squares += difference * difference
      if task == .multi {
        addDecision(probability, isPositive: isPositive)
      } else if likeliest.map({ probability > $0.probability }) ?? true {
        likeliest = (probability, isPositive)
      }
    }
    if let likeliest { addDecision(likeliest.probability, isPositive: likeliest.isPositive) }
    squareCount += task == .single ? 1 : classCount
  }

  private mutating func addDecision(_ probability: Float, isPositive: Bool) {
    let probability = Double(probability)
    let bin = min(Int(probability * Double(Self.binCount)), Self.binCount - 1)
    bins[bin].count += 1
    bins[bin].positives += isPositive ? 1 : 0
    bins[bin].probabilitySum += probability
    count += 1
  }

  /// Mean squared difference of probability and label; of one label a sample the mean over samples of its sum over all
  /// classes (Brier, 1950). 0 of no decisions.
  package var brier: Double { squareCount == 0 ? 0 : squares / Double(squareCount) }

  /// Mean distance of a bin's mean probability from its part of positives, by its decisions; 0 of no decisions.
  package var error: Double {
    guard count > 0 else { return 0 }
    return bins.reduce(0) { $0 + abs($1.probabilitySum - Double($1.positives)) } / Double(count)
  }
}
