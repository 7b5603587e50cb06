/// How many classes a sample belongs to, and what is therefore learned and predicted.
package enum ClassificationTask: String, Sendable, Codable, CaseIterable {
  /// One each: probabilities of all classes add up to 1 (softmax), and the likeliest class is predicted.
  case single
  /// Any number: each class has a probability of its own (sigmoid), and is predicted where that exceeds its threshold.
  case multi

  /// The task of a field's labels where none is asked for.
  /// - Parameter areLists: whether a cell may have several values.
  package init(areLists: Bool) { self = areLists ? .multi : .single }

  /// The classes that are predicted for a sample, increasing. Of several labels, those whose probability exceeds their
  /// threshold; of one label, the likeliest class (of equal ones the first), unless its probability is below its
  /// threshold: then the head abstains.
  ///
  /// - Parameters:
  ///   - probabilities: one a class; of one label, none of them NaN.
  ///   - thresholds: one a class.
  package func decided(_ probabilities: ArraySlice<Float>, thresholds: [Float]) -> [Int] {
    precondition(probabilities.count == thresholds.count)
    let first = probabilities.startIndex
    switch self {
    case .multi: return thresholds.indices.filter { probabilities[first + $0] > thresholds[$0] }
    case .single:
      guard let best = Self.likeliest(probabilities) else { return [] }
      return probabilities[first + best] >= thresholds[best] ? [best] : []
    }
  }

  /// The position of the largest probability, of equal ones the first; nil of none.
  package static func likeliest(_ probabilities: ArraySlice<Float>) -> Int? {
    guard var best = probabilities.indices.first else { return nil }
    for index in probabilities.indices.dropFirst() where probabilities[index] > probabilities[best] {
      best = index
    }
    return best - probabilities.startIndex
  }
}
