/// What the mean of a score over classes does about a class that has no positive among the samples.
package enum AbsentClasses: String, Sendable, Codable, CaseIterable {
  /// Leaves it out: nothing can be found of it (as DINO4Cells does).
  case skip
  /// Counts it as 0, as scikit-learn does with `zero_division=0`.
  case zero
  /// Counts it as 1 where it is not predicted either, else as 0: for F1 alone, `zero_division=1` of scikit-learn, whose
  /// recall is 1 for a class that is predicted, too.
  case one
}

/// One number that says how well predictions match labels.
package enum Metric: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
  /// Mean over classes.
  case macroF1, macroPrecision, macroRecall
  /// All decisions of all classes taken together.
  case microF1
  /// Mean over classes, each weighing as many samples as it has.
  case weightedF1
  /// Mean area under the ROC curve of the classes that have positives and negatives.
  case macroAUROC
  /// Mean average precision of the classes that have positives.
  case macroAveragePrecision
  /// Mean of Matthews' correlation of decisions and labels over the classes that have positives.
  case macroMatthews
  /// Part of the samples of which every class is right.
  case subsetAccuracy
  /// Part of the decisions, of a sample about a class, that are wrong.
  case hammingLoss
  /// Mean squared difference of probability and label.
  case brier
  /// Mean difference of probability and part of positives, over 15 bins of probability, by their number of decisions.
  case calibrationError
}

extension Scores {
  /// - Parameter absent: for means over classes of F1, precision and recall; others have no value for an absent class.
  /// - Returns: nil where no class has a value.
  package func value(of metric: Metric, absent: AbsentClasses = .skip) -> Double? {
    switch metric {
    case .macroF1: mean(absent, \.f1)
    case .macroPrecision: mean(absent, \.precision)
    case .macroRecall: mean(absent, \.recall)
    case .macroMatthews: mean(.skip) { $0.matthews(of: sampleCount) }
    case .microF1: microF1
    case .weightedF1: weightedF1
    case .macroAUROC: mean(of: perClass.compactMap(\.auroc))
    case .macroAveragePrecision: mean(of: perClass.compactMap(\.averagePrecision))
    case .subsetAccuracy: sampleCount == 0 ? nil : Double(exactMatches) / Double(sampleCount)
    case .hammingLoss: hammingLoss
    case .brier: brier
    case .calibrationError: calibrationError
    }
  }

  /// Every metric that has a value.
  package func values(absent: AbsentClasses) -> [Metric: Double] {
    var values: [Metric: Double] = [:]
    for metric in Metric.allCases { values[metric] = value(of: metric, absent: absent) }
    return values
  }

  private func mean(_ absent: AbsentClasses, _ value: (ClassScore) -> Double) -> Double? {
    mean(
      of: perClass.compactMap { score in
        if score.support > 0 { return value(score) }
        switch absent {
        case .skip: return nil
        case .zero: return 0
        case .one: return score.falsePositives == 0 ? 1 : 0
        }
      })
  }

  private func mean(of values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  private var weightedF1: Double? {
    let support = perClass.reduce(0) { $0 + $1.support }
    guard support > 0 else { return nil }
    return perClass.reduce(0) { $0 + $1.f1 * Double($1.support) } / Double(support)
  }

  private var hammingLoss: Double? {
    let decisions = sampleCount * perClass.count
    guard decisions > 0 else { return nil }
    return Double(perClass.reduce(0) { $0 + $1.falsePositives + $1.falseNegatives }) / Double(decisions)
  }
}

extension ClassScore {
  /// Correlation of decisions and labels; 0 where either is the same for all samples.
  package func matthews(of sampleCount: Int) -> Double {
    let predicted = Double(truePositives + falsePositives)
    let positive = Double(support)
    let count = Double(sampleCount)
    let spread = predicted * (count - predicted) * positive * (count - positive)
    return spread > 0 ? (Double(truePositives) * count - predicted * positive) / spread.squareRoot() : 0
  }
}
