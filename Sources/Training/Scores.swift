/// How well predictions match labels, class by class and overall.
package struct Scores: Sendable, Equatable, Codable {
  package let perClass: [ClassScore]
  /// Samples for which no class is predicted.
  package let emptyPredictions: Int
  package let sampleCount: Int

  /// - Parameters:
  ///   - probabilities: [samples.count, classes], row-major; row i belongs to `samples[i]`.
  ///   - thresholds: one a class; a class is predicted where its probability exceeds it.
  package init(probabilities: [Float], samples: [Int32], labels: LabelTable, thresholds: [Float]) {
    let classCount = labels.classes.count
    precondition(probabilities.count == samples.count * classCount && thresholds.count == classCount)
    var isPositive = [Bool](repeating: false, count: probabilities.count)
    var emptyPredictions = 0
    for (row, sample) in samples.enumerated() {
      for member in labels.classes(of: sample) { isPositive[row * classCount + Int(member)] = true }
      let isEmpty = (0..<classCount).allSatisfy {
        !(probabilities[row * classCount + $0] > thresholds[$0])
      }
      if isEmpty { emptyPredictions += 1 }
    }
    perClass = labels.classes.enumerated().map { index, name in
      let column = stride(from: index, to: probabilities.count, by: classCount)
      return ClassScore(
        className: name,
        ranking: Ranking(column.map { (score: probabilities[$0], isPositive: isPositive[$0]) }),
        threshold: thresholds[index])
    }
    self.emptyPredictions = emptyPredictions
    sampleCount = samples.count
  }

  /// Mean F1 over the classes that have positives, as nothing can be found of the others; 0 when none has.
  package var macroF1: Double {
    let present = perClass.filter { $0.support > 0 }
    return present.isEmpty ? 0 : present.reduce(0) { $0 + $1.f1 } / Double(present.count)
  }

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

  init(className: String, ranking: Ranking, threshold: Float) {
    let predicted = ranking.predicted(above: threshold)
    self.className = className
    truePositives = predicted.positives
    falsePositives = predicted.count - predicted.positives
    falseNegatives = ranking.positives - predicted.positives
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
