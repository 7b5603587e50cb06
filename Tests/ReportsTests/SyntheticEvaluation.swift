import Randomness

@testable import Training

/// An evaluation made of numbers: samples of known classes, and heads that are right to a stated degree.
struct SyntheticEvaluation {
  var classes = ["Cytosol", "Golgi", "Nucleoplasm"]
  var sampleCount = 120
  var spaces = [("map", "vit", "map"), ("rep", "vit", "replicate")]
  var fractions = [1.0]
  /// How far probabilities of true and of other classes lie apart, as logits; nil makes every decision right.
  var separation: Double? = 3
  /// Samples whose label is another than what heads see.
  var flipped: Set<Int> = []
  var image: (Int) -> String = { "image \($0 / 10)" }
  var group: (Int) -> String? = { "gene \($0 / 5)" }
  var name: (Int) -> String? = { _ in nil }
  var warnings: [String] = []
  var task = ClassificationTask.multi
  /// Of one label a sample, the probability below which none is predicted.
  var abstainBelow: Float = 0
  /// Samples are of so many cells, the rows from that of the sample on.
  var cellsASample: UInt32 = 1
  /// Whether heads weigh the cells of a sample: then the last one has 0.625 of the attention.
  var hasAttention = false

  private let folds = 3

  func make() throws -> Evaluation {
    let labels = (0..<sampleCount).map(labels)
    let table = try LabelTable(labels: labels.map { $0.map { classes[$0] } }, classes: classes)
    // The table sorts its classes, as evaluations do.
    precondition(table.classes == classes)
    let assignment = (0..<sampleCount).map { $0 % folds }
    var design = EvaluationDesign(folds: folds, fractions: fractions)
    design.resamplings = 0
    let samples = (0..<sampleCount).map {
      Evaluation.Sample(
        row: UInt32($0 * 3), cellCount: Int(cellsASample), name: name($0), image: image($0), group: group($0),
        labels: labels[$0])
    }
    let runs = spaces.enumerated().flatMap { index, space in
      fractions.map { run(space, seed: UInt64(index), fraction: $0, labels: table, assignment) }
    }
    let comparison = Evaluation.Comparison(
      first: 0, second: runs.count - 1, meanDifference: 0.0123, correctedT: 0.00001, correctedTHolm: 0.04,
      wilcoxon: nil, interval: .init(lower: -0.01, upper: 0.03, level: 0.95))
    return Evaluation(
      labelField: "localization", labelMap: nil, task: task, sampleUnit: "cell", groupField: "gene",
      design: design,
      classes: classes, samples: try .init(samples), testFolds: [assignment],
      sampleCells: cellsASample > 1 ? samples.map { [[$0.row, $0.row + cellsASample]] } : nil,
      fingerprint: "0123abcd", runs: runs,
      comparisons: runs.count > 1 ? [comparison] : [], warnings: warnings)
  }

  /// Every fifth sample has two labels, where there are as many classes.
  private func labels(of sample: Int) -> [Int] {
    let shift = flipped.contains(sample) ? 1 : 0
    let first = (sample + shift) % classes.count
    let second = (sample + 1) % classes.count
    return task == .multi && sample % 5 == 4 && second != first && !flipped.contains(sample)
      ? [first, second].sorted() : [first]
  }

  private func run(
    _ space: (String, String, String), seed: UInt64, fraction: Double, labels: LabelTable, _ folds: [Int]
  ) -> Evaluation.Run {
    var generator = SeededGenerator(seed: seed, stream: UInt64(fraction * 1000))
    var probabilities: [Float] = []
    for sample in 0..<sampleCount {
      var truth = self.labels(of: sample)
      if flipped.contains(sample) { truth = [sample % classes.count] }
      for index in classes.indices {
        let isTrue = truth.contains(index)
        guard let separation else {
          probabilities.append(isTrue ? 0.9 : 0.1)
          continue
        }
        let logit = (isTrue ? separation : -separation) / 2 + generator.normal()
        probabilities.append(Float(min(max(0.5 + logit / 8, 0.01), 0.99)))
      }
      if task == .single {
        let own = sample * classes.count..<(sample + 1) * classes.count
        let sum = probabilities[own].reduce(0, +)
        for index in own { probabilities[index] /= sum }
      }
    }
    let thresholds = [Float](repeating: task == .single ? abstainBelow : 0.5, count: classes.count)
    let tested = (0..<self.folds).map { fold in
      let test = (0..<Int32(sampleCount)).filter { folds[Int($0)] == fold }
      let own = test.flatMap { sample in
        probabilities[Int(sample) * classes.count..<(Int(sample) + 1) * classes.count]
      }
      let scores = Scores(
        probabilities: own, samples: test, labels: labels, thresholds: thresholds, task: task)
      return Evaluation.Fold(
        repetition: 0, fold: fold, trainCount: sampleCount - test.count, validationCount: 10,
        testCount: test.count, thresholds: thresholds,
        learningCurve: (1...8).map {
          EpochScore(loss: 1 / Double($0), validationMacroF1: 1 - 1 / Double($0 + 1))
        },
        scores: scores, values: scores.values(absent: .skip))
    }
    let pooled = Scores(
      probabilities: probabilities, samples: Array(0..<Int32(sampleCount)), labels: labels,
      thresholds: thresholds, task: task)
    var summary: [Metric: Evaluation.MetricSummary] = [:]
    for metric in Metric.allCases {
      let values = tested.compactMap { $0.values[metric] }
      if !values.isEmpty { summary[metric] = Evaluation.MetricSummary(values) }
    }
    return Evaluation.Run(
      space: .init(name: space.0, dimension: 8, backbone: space.1, strategy: space.2), fraction: fraction,
      configuration: TrainingConfiguration().adapted(to: task), folds: tested,
      predictions: [
        .init(
          probabilities: PackedFloats(probabilities), pooled: pooled,
          attended: hasAttention
            ? (0..<sampleCount).map { .init(row: UInt32($0 * 3) + cellsASample - 1, weight: 0.625) } : nil)
      ], summary: summary,
      macroF1Interval: nil)
  }
}
