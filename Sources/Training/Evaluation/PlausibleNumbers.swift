import Faults

extension Evaluation {
  /// Refuses numbers that no evaluation has: the file was changed by something that is not cellvec. What is left can be
  /// added up, and drawn to scale.
  ///
  /// - Throws: `badData`.
  func requirePlausibleNumbers(_ path: String) throws {
    let part = PlausibleRange(0...1, "a part from 0 to 1", path)
    let score = PlausibleRange(-1e6...1e6, "a score from -1e6 to 1e6", path)
    let count = PlausibleRange(0...0x1p40, "a count from 0 to 2^40", path)
    try part.require([design.validationShare] + design.fractions, "design")
    try count.require(
      [groupCount, countOfTestedGroups, countOfSharedGroups].compactMap { $0.map(Double.init) }, "groups")
    for sample in samples { try count.require([Double(sample.cellCount)], "sample of cell \(sample.row)") }
    for comparison in comparisons {
      try score.require([comparison.meanDifference], "comparison")
      try part.require(
        [comparison.correctedT, comparison.correctedTHolm, comparison.wilcoxon].compactMap(\.self),
        "comparison")
    }
    for interval in comparisons.map(\.interval) + runs.map(\.macroF1Interval) {
      guard let interval else { continue }
      try score.require([interval.lower, interval.upper], "interval")
      try part.require([interval.level], "interval")
    }
    for run in runs {
      let name = "space \"\(run.space.name)\""
      try part.require([run.fraction], name)
      try count.require([Double(run.space.dimension)], name)
      for summary in run.summary.values {
        try score.require([summary.mean, summary.sampleSD, summary.populationSD].compactMap(\.self), name)
        try count.require([summary.foldCount].compactMap { $0.map(Double.init) }, name)
      }
      for fold in run.folds { try fold.requirePlausibleNumbers(path, name) }
      for predictions in run.predictions {
        try predictions.pooled.requirePlausibleNumbers(path, name)
        try part.require((predictions.attended ?? []).compactMap { $0.map { Double($0.weight) } }, name)
      }
    }
  }
}

extension Evaluation.Fold {
  fileprivate func requirePlausibleNumbers(_ path: String, _ name: String) throws {
    let score = PlausibleRange(-1e6...1e6, "a score from -1e6 to 1e6", path)
    try PlausibleRange(0...0x1p40, "a count from 0 to 2^40", path).require(
      [repetition, fold, trainCount, validationCount, testCount].map(Double.init), "\(name), fold")
    try score.require(thresholds.map(Double.init) + Array(values.values), "\(name), fold")
    try score.require(learningCurve.compactMap(\.validationMacroF1), "\(name), learning curve")
    // Sums of float32 numbers.
    try PlausibleRange(-1e40...1e40, "a loss from -1e40 to 1e40", path).require(
      learningCurve.map(\.loss), "\(name), learning curve")
    try scores.requirePlausibleNumbers(path, name)
  }
}

extension Scores {
  fileprivate func requirePlausibleNumbers(_ path: String, _ name: String) throws {
    let score = PlausibleRange(-1e6...1e6, "a score from -1e6 to 1e6", path)
    let count = PlausibleRange(0...0x1p40, "a count from 0 to 2^40", path)
    try score.require([brier, calibrationError], name)
    try count.require([emptyPredictions, sampleCount, exactMatches].map(Double.init), name)
    for own in perClass {
      let subject = "\(name), class \"\(own.className)\""
      try count.require(
        [own.truePositives, own.falsePositives, own.falseNegatives, own.undecided ?? 0].map(Double.init),
        subject)
      // What is undecided has missed its class.
      try PlausibleRange(
        0...Double(own.falseNegatives), "undecided samples from 0 to the false negatives", path
      ).require([Double(own.undecided ?? 0)], subject)
      try score.require([own.auroc, own.averagePrecision].compactMap(\.self), subject)
    }
  }
}

/// The numbers that some place of an evaluation can have.
private struct PlausibleRange {
  private let range: ClosedRange<Double>
  private let words: String
  private let path: String

  init(_ range: ClosedRange<Double>, _ words: String, _ path: String) {
    self.range = range
    self.words = words
    self.path = path
  }

  func require(_ numbers: [Double], _ subject: String) throws {
    guard let number = numbers.first(where: { !range.contains($0) }) else { return }
    throw Fault(
      .badData, "\(path), \(subject)", expected: words, found: "\(number)", remedy: "evaluate again")
  }
}
