/// How well predictions match labels, class by class and overall.
package struct Scores: Sendable, Equatable, Codable {
  /// Whether samples have one label; absent in older files, which are of several.
  private let labelsOfSample: ClassificationTask?
  package let perClass: [ClassScore]
  /// Samples for which no class is predicted.
  package let emptyPredictions: Int
  package let sampleCount: Int
  /// Samples of which every class is right.
  package let exactMatches: Int
  /// Mean squared difference of probability and label, of one label summed over classes; 0 of no samples.
  package let brier: Double
  /// Expected calibration error over 15 bins of equal width; see `Metric.calibrationError`.
  package let calibrationError: Double

  package var task: ClassificationTask { labelsOfSample ?? .multi }

  private enum CodingKeys: String, CodingKey {
    case perClass, emptyPredictions, sampleCount, exactMatches, brier, calibrationError
    case labelsOfSample = "task"
  }

  /// - Parameters:
  ///   - probabilities: [samples.count, classes], row-major; row i belongs to `samples[i]`.
  ///   - thresholds: one a class, as `ClassificationTask.decided` has them.
  package init(
    probabilities: [Float], samples: [Int32], labels: LabelTable, thresholds: [Float],
    task: ClassificationTask = .multi
  ) {
    let classCount = labels.classes.count
    precondition(probabilities.count == samples.count * classCount && thresholds.count == classCount)
    self.init(
      of: samples, count: samples.count, labels: labels, task: task,
      in: ScoreTables(inMemory: samples.count, classes: classCount),
      probability: { place, _, index in probabilities[place * classCount + index] },
      decided: { _, row in task.decided(row, thresholds: thresholds) })
  }

  /// Scores of a table of all samples, without memory that grows with the samples.
  ///
  /// - Parameters:
  ///   - samples: those that are scored.
  ///   - tables: with room for so many; what is in them does not matter.
  ///   - decided: the classes that are predicted for a sample with these probabilities, increasing.
  init(
    of samples: some Sequence<Int32>, count: Int, labels: LabelTable, task: ClassificationTask,
    probabilities: ProbabilityTable, in tables: ScoreTables,
    decided: (_ sample: Int32, _ probabilities: ArraySlice<Float>) -> [Int]
  ) {
    self.init(
      of: samples, count: count, labels: labels, task: task, in: tables,
      probability: { _, sample, index in probabilities[sample, index] },
      decided: decided)
  }

  /// - Parameters:
  ///   - samples: `count` of them; gone through once, and once for each class.
  ///   - tables: with room for so many.
  ///   - probability: of a sample, which has this place among the samples, and a class.
  ///   - decided: the classes that are predicted for a sample with these probabilities, increasing.
  private init(
    of samples: some Sequence<Int32>, count: Int, labels: LabelTable, task: ClassificationTask,
    in tables: ScoreTables,
    probability: (_ place: Int, _ sample: Int32, _ index: Int) -> Float,
    decided: (_ sample: Int32, _ probabilities: ArraySlice<Float>) -> [Int]
  ) {
    labelsOfSample = task == .single ? .single : nil
    let classCount = labels.classes.count
    var emptyPredictions = 0
    var exactMatches = 0
    var predicted = [Int](repeating: 0, count: classCount)
    var hits = predicted
    var undecided = predicted
    var calibration = Calibration(task: task)
    let wordCount = (count + 63) / 64
    let membership = tables.membership
    membership.values.extracting(0..<classCount * wordCount).update(repeating: 0)
    var row = [Float](repeating: 0, count: classCount)
    var isPositive = [Bool](repeating: false, count: classCount)
    for (place, sample) in samples.enumerated() {
      for index in 0..<classCount { row[index] = probability(place, sample, index) }
      let truth = labels.classes(of: sample)
      for member in truth {
        isPositive[Int(member)] = true
        membership[Int(member) * wordCount + place / 64] |= 1 << UInt64(place % 64)
      }
      let found = decided(sample, row[...])
      emptyPredictions += found.isEmpty ? 1 : 0
      exactMatches += found.elementsEqual(truth.lazy.map(Int.init)) ? 1 : 0
      for index in found {
        predicted[index] += 1
        hits[index] += isPositive[index] ? 1 : 0
      }
      if found.isEmpty {
        for member in truth { undecided[Int(member)] += 1 }
      }
      calibration.add(classCount: classCount, probability: { row[$0] }, isPositive: { isPositive[$0] })
      for member in truth { isPositive[Int(member)] = false }
    }
    perClass = labels.classes.enumerated().map { index, name in
      let ranking = Ranking(count: count, keys: tables.keys, spare: tables.spare) { add in
        for (place, sample) in samples.enumerated() {
          let word = membership[index * wordCount + place / 64]
          add(probability(place, sample, index), word >> UInt64(place % 64) & 1 == 1)
        }
      }
      return ClassScore(
        className: name, ranking: ranking, predicted: predicted[index], hits: hits[index],
        undecided: task == .single ? undecided[index] : nil)
    }
    self.emptyPredictions = emptyPredictions
    self.exactMatches = exactMatches
    sampleCount = count
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
  /// Area under the precision-recall steps; nil without a positive or without a negative.
  package let averagePrecision: Double?
  /// Of one label a sample, positives for which nothing is predicted, which are among the false negatives; nil of several
  /// labels, and in older files.
  package let undecided: Int?

  /// - Parameters:
  ///   - predicted: samples for which the class is predicted.
  ///   - hits: positives among them.
  ///   - undecided: positives for which nothing is predicted.
  init(className: String, ranking: Ranking, predicted: Int, hits: Int, undecided: Int? = nil) {
    self.className = className
    truePositives = hits
    falsePositives = predicted - hits
    falseNegatives = ranking.positives - hits
    auroc = ranking.auroc
    averagePrecision = ranking.averagePrecision
    self.undecided = undecided
  }

  /// The same of the samples for which something is predicted, but for what rests on probabilities.
  fileprivate init(decidedOf score: ClassScore) {
    className = score.className
    truePositives = score.truePositives
    falsePositives = score.falsePositives
    falseNegatives = score.falseNegatives - (score.undecided ?? 0)
    auroc = nil
    averagePrecision = nil
    undecided = 0
  }

  /// The score of the samples for which something is predicted; it knows no areas.
  var decided: ClassScore { ClassScore(decidedOf: self) }

  /// Samples for which the class is predicted.
  package var predicted: Int { truePositives + falsePositives }
  /// Positives among the samples.
  package var support: Int { truePositives + falseNegatives }
  /// True among predicted; nil when nothing is predicted.
  package var precision: Double? { predicted == 0 ? nil : ratio(truePositives, predicted) }
  /// Found among positives; nil when there are none.
  package var recall: Double? { support == 0 ? nil : ratio(truePositives, support) }
  /// Harmonic mean of precision and recall, 0 when nothing is found; nil when there are no positives: nothing can be
  /// found then.
  package var f1: Double? { support == 0 ? nil : ratio(2 * truePositives, support + predicted) }
}

private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
