/// How well predictions match labels, class by class and overall.
package struct Scores: Sendable, Equatable, Codable {
  package let perClass: [ClassScore]
  /// Samples for which no class is predicted.
  package let emptyPredictions: Int
  package let sampleCount: Int
  /// Samples of which every class is right.
  package let exactMatches: Int
  /// Mean squared difference of probability and label; 0 of no samples.
  package let brier: Double
  /// Expected calibration error over 15 bins of equal width; see `Metric.calibrationError`.
  package let calibrationError: Double

  /// - Parameters:
  ///   - probabilities: [samples.count, classes], row-major; row i belongs to `samples[i]`.
  ///   - thresholds: one a class; a class is predicted where its probability exceeds it.
  package init(probabilities: [Float], samples: [Int32], labels: LabelTable, thresholds: [Float]) {
    let classCount = labels.classes.count
    precondition(thresholds.count == classCount)
    self.init(
      probabilities: probabilities, samples: samples, labels: labels,
      decisions: probabilities.indices.map { probabilities[$0] > thresholds[$0 % classCount] })
  }

  /// - Parameters:
  ///   - probabilities: as above.
  ///   - decisions: whether each class is predicted for each sample, [samples.count, classes].
  init(probabilities: [Float], samples: [Int32], labels: LabelTable, decisions: [Bool]) {
    let classCount = labels.classes.count
    precondition(probabilities.count == samples.count * classCount && decisions.count == probabilities.count)
    var isPositive = [Bool](repeating: false, count: probabilities.count)
    var emptyPredictions = 0
    var exactMatches = 0
    for (row, sample) in samples.enumerated() {
      for member in labels.classes(of: sample) { isPositive[row * classCount + Int(member)] = true }
      let cells = row * classCount..<(row + 1) * classCount
      if !decisions[cells].contains(true) { emptyPredictions += 1 }
      if decisions[cells].elementsEqual(isPositive[cells]) { exactMatches += 1 }
    }
    perClass = labels.classes.enumerated().map { index, name in
      let column = stride(from: index, to: probabilities.count, by: classCount)
      return ClassScore(
        className: name,
        ranking: Ranking(column.map { (score: probabilities[$0], isPositive: isPositive[$0]) }),
        predicted: column.count { decisions[$0] }, hits: column.count { decisions[$0] && isPositive[$0] })
    }
    self.emptyPredictions = emptyPredictions
    self.exactMatches = exactMatches
    sampleCount = samples.count
    let calibration = Calibration(probabilities: probabilities, isPositive: isPositive)
    brier = calibration.brier
    calibrationError = calibration.error
  }

  /// Mean F1 over the classes that have positives, as nothing can be found of the others; 0 when none has.
  package var macroF1: Double { value(of: .macroF1, absent: .skip) ?? 0 }

  /// F1 of all decisions of all classes taken together; 0 when there is neither positive nor prediction.
  package var microF1: Double {
    let hits = perClass.reduce(0) { $0 + $1.truePositives }
    let misses = perClass.reduce(0) { $0 + $1.falsePositives + $1.falseNegatives }
    return ratio(2 * hits, 2 * hits + misses)
  }
}

/// How well one class is found.
package struct ClassScore: Sendable, Equatable, Codable {
  package let className: String
  package let truePositives: Int
  package let falsePositives: Int
  package let falseNegatives: Int
  /// Area under the ROC curve; nil without a positive or without a negative.
  package let auroc: Double?
  /// Area under the precision-recall steps; nil without a positive.
  package let averagePrecision: Double?

  /// - Parameters:
  ///   - predicted: samples for which the class is predicted.
  ///   - hits: positives among them.
  init(className: String, ranking: Ranking, predicted: Int, hits: Int) {
    self.className = className
    truePositives = hits
    falsePositives = predicted - hits
    falseNegatives = ranking.positives - hits
    auroc = ranking.auroc
    averagePrecision = ranking.averagePrecision
  }

  /// Positives among the samples.
  package var support: Int { truePositives + falseNegatives }
  /// True among predicted; 0 when nothing is predicted.
  package var precision: Double { ratio(truePositives, truePositives + falsePositives) }
  /// Found among positives; 0 when there are none.
  package var recall: Double { ratio(truePositives, support) }
  /// Harmonic mean of precision and recall; 0 when both are.
  package var f1: Double { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }
}

private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
