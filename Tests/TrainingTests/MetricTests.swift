import Testing

@testable import Training

/// Predictions and what scikit-learn makes of them, absent classes left out, counted 0 and counted 1.
private struct MetricsFixture: Decodable {
  let labels: [[Int]]
  let classCount: Int
  let probabilities, thresholds: [Float]
  let skip, zero, one: [Metric: Double]
}

/// Predictions of one label a sample, and what scikit-learn makes of them.
private struct SingleMetricsFixture: Decodable {
  let labels: [[Int]]
  let classCount: Int
  let probabilities, thresholds: [Float]
  let values: [Metric: Double]
}

@Suite struct MetricTests {
  @Test func everyMetricIsThatOfScikitLearn() throws {
    let cases = try decodeFixture("metrics", as: [MetricsFixture].self)
    #expect(cases.count == 3)
    for fixture in cases {
      let labels = try labelTable(fixture.labels, classCount: fixture.classCount)
      let scores = Scores(
        probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels,
        thresholds: fixture.thresholds)
      #expect(Set(fixture.skip.keys) == Set(Metric.all(of: .multi)))
      for (absent, values) in [
        (AbsentClasses.skip, fixture.skip), (.zero, fixture.zero), (.one, fixture.one),
      ] {
        for (metric, expected) in values {
          let value = try #require(scores.value(of: metric, absent: absent))
          #expect(abs(value - expected) <= 1e-9, "\(metric), absent classes: \(absent)")
        }
      }
    }
  }

  /// The last of them has samples of which nothing is predicted.
  @Test func everyMetricOfOneLabelIsThatOfScikitLearn() throws {
    let cases = try decodeFixture("singleMetrics", as: [SingleMetricsFixture].self)
    #expect(cases.count == 3)
    for fixture in cases {
      let labels = try labelTable(fixture.labels, classCount: fixture.classCount)
      let scores = Scores(
        probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels,
        thresholds: fixture.thresholds, task: .single)
      #expect((scores.emptyPredictions > 0) == (fixture.thresholds[0] > 0))
      let values = scores.values(absent: .skip)
      #expect(Set(values.keys) == Set(fixture.values.keys))
      #expect(Set(values.keys) == Set(Metric.all(of: .single)))
      for (metric, expected) in fixture.values {
        #expect(abs((values[metric] ?? .nan) - expected) <= 1e-9, "\(metric)")
      }
    }
  }

  @Test func agreementOfOneClassIsNone() throws {
    let labels = try labelTable([[0], [0]], classCount: 2)
    let scores = Scores(
      probabilities: [0.9, 0.1, 0.8, 0.2], samples: [0, 1], labels: labels, thresholds: [0, 0], task: .single)
    #expect(scores.value(of: .cohenKappa) == nil)
    #expect(scores.value(of: .matthews) == nil)
    let both = Scores(
      probabilities: [0.9, 0.1, 0.8, 0.2], samples: [0, 1],
      labels: try labelTable([[0], [1]], classCount: 2),
      thresholds: [0, 0], task: .single)
    #expect(both.value(of: .cohenKappa) == 0 && both.value(of: .matthews) == 0)
    #expect(scores.value(of: .accuracy) == 1)
    #expect(scores.value(of: .macroAveragePrecision) == nil, "no class has positives and negatives")
  }

  @Test func theLikeliestClassIsPredictedUnlessTheHeadAbstains() {
    #expect(ClassificationTask.single.decided([0.2, 0.4, 0.4], thresholds: [0, 0, 0]) == [1])
    #expect(ClassificationTask.single.decided([0.2, 0.3, 0.5], thresholds: [0.5, 0.5, 0.5]) == [2])
    #expect(ClassificationTask.single.decided([0.2, 0.3, 0.5], thresholds: [0.6, 0.6, 0.6]) == [])
    #expect(ClassificationTask.multi.decided([0.6, 0.5, 0.7], thresholds: [0.5, 0.5, 0.5]) == [0, 2])
    #expect(ClassificationTask.single.decided([], thresholds: []) == [])
  }

  @Test func anAbsentClassThatIsNotPredictedIsWhatOneAndZeroDifferIn() throws {
    let labels = try labelTable([[0], [1]], classCount: 3)
    func macroF1(lastClass: Float, _ absent: AbsentClasses) -> Double? {
      Scores(
        probabilities: [1, 0, lastClass, 0, 1, 0], samples: [0, 1], labels: labels,
        thresholds: [0.5, 0.5, 0.5]
      ).value(of: .macroF1, absent: absent)
    }
    #expect(macroF1(lastClass: 0, .skip) == 1)
    #expect(macroF1(lastClass: 0, .one) == 1)
    #expect(macroF1(lastClass: 0, .zero) == 2.0 / 3)
    #expect(macroF1(lastClass: 1, .one) == 2.0 / 3)
    #expect(macroF1(lastClass: 1, .skip) == 1)
  }

  @Test func correlationsLeaveAbsentClassesOut() throws {
    let scores = Scores(
      probabilities: [1, 0, 0, 0, 1, 0], samples: [0, 1], labels: try labelTable([[0], [1]], classCount: 3),
      thresholds: [0.5, 0.5, 0.5])
    for absent in AbsentClasses.allCases { #expect(scores.value(of: .macroMatthews, absent: absent) == 1) }
  }

  @Test func noSamplesHaveNoScores() throws {
    let labels = try labelTable([[0], [1]], classCount: 2)
    let scores = Scores(probabilities: [], samples: [], labels: labels, thresholds: [0.5, 0.5])
    #expect(scores.value(of: .macroF1) == nil)
    #expect(scores.value(of: .subsetAccuracy) == nil)
    #expect(scores.value(of: .hammingLoss) == nil)
    #expect(scores.macroF1 == 0)
  }

  @Test func aProbabilityOfOneLiesInTheLastBin() {
    let calibration = Calibration(probabilities: [1, 0, 0.5], isPositive: [true, false, true])
    #expect(calibration.bins.indices.filter { calibration.bins[$0].count == 1 } == [0, 7, 14])
    #expect(abs(calibration.error - 0.5 / 3) < 1e-12)
    #expect(abs(calibration.brier - 0.25 / 3) < 1e-12)
  }
}
