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
  /// Of one label a sample: part of the samples of which the label is predicted.
  case accuracy
  /// The same, the mean over the classes that have samples.
  case balancedAccuracy
  /// The same, as part of what it exceeds the agreement of independent labels and predictions by (Cohen, 1960).
  case cohenKappa
  /// Correlation of labels and predictions of all classes at once (Gorodkin, 2004).
  case matthews
  /// All decisions of all classes taken together.
  case microF1
  /// Mean over classes, each weighing as many samples as it has.
  case weightedF1
  /// Mean area under the ROC curve of the classes that have positives and negatives.
  case macroAUROC
  /// Mean average precision of the classes that have positives and negatives.
  case macroAveragePrecision
  /// Mean of Matthews' correlation of decisions and labels over the classes that have positives and negatives.
  case macroMatthews
  /// Part of the samples of which every class is right.
  case subsetAccuracy
  /// Part of the decisions, of a sample about a class, that are wrong.
  case hammingLoss
  /// Mean squared difference of probability and label, of one label summed over classes.
  case brier
  /// Mean difference of probability and part of positives, over 15 bins of probability, by their number of decisions:
  /// those about all classes, or of one label those for the likeliest one.
  case calibrationError
  /// Of one label a sample: part of the samples of which a label is predicted.
  case coverage
  /// Of these alone, the part of which the label is predicted, and the mean over classes.
  case decidedAccuracy, decidedMacroF1

  /// Those that tell something of a head that may abstain.
  package static let ofAbstention: [Metric] = [.coverage, .decidedAccuracy, .decidedMacroF1]

  /// The metrics that tell something of a task, each by one name: of one label, micro F1 and subset accuracy are the
  /// accuracy.
  package static func all(of task: ClassificationTask) -> [Metric] { allCases.filter { $0.isOf(task) } }

  func isOf(_ task: ClassificationTask) -> Bool {
    switch self {
    case .accuracy, .balancedAccuracy, .cohenKappa, .matthews, .coverage, .decidedAccuracy, .decidedMacroF1:
      task == .single
    case .microF1, .macroMatthews, .subsetAccuracy, .hammingLoss: task == .multi
    default: true
    }
  }

  /// What people call it.
  package var words: String {
    switch self {
    case .macroF1: "macro F1"
    case .macroPrecision: "macro precision"
    case .macroRecall: "macro recall"
    case .accuracy: "accuracy"
    case .balancedAccuracy: "balanced accuracy"
    case .cohenKappa: "Cohen's kappa"
    case .matthews: "Matthews' correlation"
    case .microF1: "micro F1"
    case .weightedF1: "weighted F1"
    case .macroAUROC: "AUROC"
    case .macroAveragePrecision: "average precision"
    case .macroMatthews: "Matthews, mean over classes"
    case .subsetAccuracy: "all classes right"
    case .hammingLoss: "Hamming loss"
    case .brier: "Brier"
    case .calibrationError: "calibration error"
    case .coverage: "coverage"
    case .decidedAccuracy: "accuracy of the decided"
    case .decidedMacroF1: "macro F1 of the decided"
    }
  }

  /// What so many folds without it have in its place.
  package func need(_ foldCount: Int) -> String {
    let have = foldCount == 1 ? "has" : "have"
    return switch self {
    case .macroAUROC, .macroAveragePrecision, .macroMatthews:
      "\(have) no class with positives and negatives"
    case .cohenKappa, .matthews: "\(have) labels of one class alone"
    case .decidedAccuracy, .decidedMacroF1:
      foldCount == 1 ? "decides about no sample" : "decide about no sample"
    default: "\(have) no positives"
    }
  }

  /// What so many folds, which are all, have in place of a value.
  package func lack(in foldCount: Int) -> String {
    (foldCount == 1 ? "the only fold " : "all \(foldCount) folds ") + need(foldCount)
  }
}

extension Scores {
  /// - Parameter absent: for means over classes of F1, precision and recall; others have no value for an absent class.
  ///   The precision of a class that has positives and is never predicted counts as 0 in the mean.
  /// - Returns: nil where no class has a value.
  package func value(of metric: Metric, absent: AbsentClasses = .skip) -> Double? {
    switch metric {
    case .macroF1: mean(absent, \.f1)
    case .macroPrecision: mean(absent, \.precision)
    case .macroRecall: mean(absent, \.recall)
    case .macroMatthews:
      mean(
        of: perClass.filter { (1..<sampleCount).contains($0.support) }.map { $0.matthews(of: sampleCount) })
    case .accuracy, .subsetAccuracy: sampleCount == 0 ? nil : Double(exactMatches) / Double(sampleCount)
    case .balancedAccuracy: mean(.skip, \.recall)
    case .cohenKappa: cohenKappa
    case .matthews: matthews
    case .microF1: microF1
    case .weightedF1: weightedF1
    case .macroAUROC: mean(of: perClass.compactMap(\.auroc))
    case .macroAveragePrecision: mean(of: perClass.compactMap(\.averagePrecision))
    case .hammingLoss: hammingLoss
    case .brier: brier
    case .calibrationError: calibrationError
    case .coverage: sampleCount == 0 ? nil : Double(decidedCount) / Double(sampleCount)
    case .decidedAccuracy: decidedCount == 0 ? nil : Double(exactMatches) / Double(decidedCount)
    case .decidedMacroF1: decidedMacroF1(absent)
    }
  }

  /// Samples of which something is predicted.
  package var decidedCount: Int { sampleCount - emptyPredictions }

  /// Macro F1 of the samples of which something is predicted; nil where there are none, and of files that do not know
  /// the labels of the others.
  private func decidedMacroF1(_ absent: AbsentClasses) -> Double? {
    guard decidedCount > 0, emptyPredictions == 0 || perClass.allSatisfy({ $0.undecided != nil }) else {
      return nil
    }
    return mean(absent, of: perClass.map { $0.decided })
  }

  /// Every metric of the task that has a value.
  package func values(absent: AbsentClasses) -> [Metric: Double] {
    var values: [Metric: Double] = [:]
    for metric in Metric.all(of: task) { values[metric] = value(of: metric, absent: absent) }
    return values
  }

  private func mean(_ absent: AbsentClasses, _ value: (ClassScore) -> Double?) -> Double? {
    mean(absent, of: perClass, value)
  }

  private func mean(
    _ absent: AbsentClasses, of perClass: [ClassScore], _ value: (ClassScore) -> Double? = \.f1
  ) -> Double? {
    mean(
      of: perClass.compactMap { score in
        if score.support > 0 { return value(score) ?? 0 }
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

  /// Whether labels are of two classes or more, without which nothing can agree with them by more than chance.
  private var labelsDiffer: Bool { perClass.allSatisfy { $0.support < sampleCount } && sampleCount > 0 }

  /// Agreement beyond that of chance; nil where labels are all of one class, or there are none. Samples without a
  /// prediction agree with no label.
  private var cohenKappa: Double? {
    guard labelsDiffer else { return nil }
    let count = Double(sampleCount)
    let hits = Double(perClass.reduce(0) { $0 + $1.truePositives }) / count
    let chance = perClass.reduce(0) { $0 + Double($1.support) * Double($1.predicted) } / (count * count)
    return (hits - chance) / (1 - chance)
  }

  /// 0 where predictions are all of one class; nil where labels are, or there are none. Samples without a prediction are
  /// predicted as one more class.
  private var matthews: Double? {
    guard labelsDiffer else { return nil }
    func sum(_ value: (ClassScore) -> Double) -> Double { perClass.reduce(0) { $0 + value($1) } }
    let count = Double(sampleCount)
    let empty = Double(emptyPredictions)
    let predicted = count * count - sum { Double($0.predicted) * Double($0.predicted) } - empty * empty
    let labelled = count * count - sum { Double($0.support) * Double($0.support) }
    guard predicted > 0 else { return 0 }
    let agreement =
      sum { Double($0.truePositives) } * count - sum { Double($0.support) * Double($0.predicted) }
    return agreement / (predicted * labelled).squareRoot()
  }

  private var weightedF1: Double? {
    let support = perClass.reduce(0) { $0 + $1.support }
    guard support > 0 else { return nil }
    return perClass.reduce(0) { $0 + ($1.f1 ?? 0) * Double($1.support) } / Double(support)
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
    let predicted = Double(predicted)
    let positive = Double(support)
    let count = Double(sampleCount)
    let spread = predicted * (count - predicted) * positive * (count - positive)
    return spread > 0 ? (Double(truePositives) * count - predicted * positive) / spread.squareRoot() : 0
  }
}
