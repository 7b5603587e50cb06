import Randomness
import Testing

@testable import Training

@Suite struct ScoresTests {
  private func fixtureScores() throws -> (fixture: ScoresFixture, scores: Scores) {
    let fixture = try decodeFixture("scores", as: ScoresFixture.self)
    let labels = try labelTable(fixture.labels, classCount: fixture.classes.count)
    let scores = Scores(
      probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels,
      thresholds: Array(repeating: 0.5, count: fixture.classes.count))
    return (fixture, scores)
  }

  private func isNear(_ value: Double?, _ expected: Double?) -> Bool {
    guard let value, let expected else { return value == nil && expected == nil }
    return abs(value - expected) <= 1e-9
  }

  @Test func perClassScoresAreThoseOfScikitLearn() throws {
    let (fixture, scores) = try fixtureScores()
    for (score, expected) in zip(scores.perClass, fixture.classes) {
      #expect(score.support == expected.support)
      // scikit-learn gives 0 for what is undefined.
      #expect(isNear(score.precision ?? 0, expected.precision))
      #expect(isNear(score.recall ?? 0, expected.recall))
      #expect(isNear(score.f1 ?? 0, expected.f1))
      #expect(isNear(score.auroc, expected.auroc))
      #expect(isNear(score.averagePrecision, expected.averagePrecision))
    }
  }

  @Test func scoresOfNothingAreUndefined() throws {
    let labels = try labelTable([[0], [0, 1]], classCount: 3)
    let scores = Scores(
      probabilities: [0.9, 0.1, 0.8, 0.8, 0.2, 0.1], samples: [0, 1], labels: labels,
      thresholds: [0.5, 0.5, 0.5])
    let (found, missed, absent) = (scores.perClass[0], scores.perClass[1], scores.perClass[2])
    #expect((found.precision, found.recall, found.f1) == (1, 1, 1))
    #expect(missed.precision == nil && missed.recall == 0 && missed.f1 == 0)
    // Predicted once, though nothing is of the class.
    #expect(absent.precision == 0 && absent.recall == nil && absent.f1 == nil)
    // In the mean the precision of what is missed counts as 0, and the absent class is left out.
    #expect(scores.value(of: .macroPrecision) == 0.5 && scores.value(of: .macroF1) == 0.5)
  }

  @Test func macroF1LeavesOutAbsentClassesAndSaysSo() throws {
    let (fixture, scores) = try fixtureScores()
    #expect(isNear(scores.macroF1, fixture.macroF1))
    #expect(isNear(scores.microF1, fixture.microF1))
    #expect(scores.perClass.count { $0.support == 0 } == 1)
    #expect(scores.emptyPredictions == fixture.emptyPredictions)
  }

  @Test func rowsBelongToTheSamplesTheyAreGivenFor() throws {
    let labels = try labelTable([[0], [1], [0, 1]], classCount: 2)
    let scores = Scores(
      probabilities: [0.1, 0.9, 0.8, 0.2], samples: [1, 0], labels: labels, thresholds: [0.5, 0.5])
    #expect(scores.macroF1 == 1)
    #expect(scores.perClass.map(\.auroc) == [1, 1])
  }

  @Test func aProbabilityAtItsThresholdIsNotAPrediction() throws {
    let labels = try labelTable([[0], [1]], classCount: 2)
    let scores = Scores(
      probabilities: [0.5, 0.5, 0.5, 0.75], samples: [0, 1], labels: labels, thresholds: [0.5, 0.5])
    #expect(scores.perClass.map(\.truePositives) == [0, 1])
    #expect(scores.emptyPredictions == 1)
  }

  @Test(arguments: 0..<30 as Range<UInt64>) func rankingMetricsEqualTheirDefinitions(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let levels = 1 + generator.next() % 12
    let samples = (0..<40).map { _ in
      (score: Float(generator.next() % levels) / 8, isPositive: generator.uniform() < 0.3)
    }
    let ranking = Ranking(samples)
    let positives = samples.filter(\.isPositive)
    let negatives = samples.filter { !$0.isPositive }
    var wins = 0.0
    for positive in positives {
      for negative in negatives {
        wins += positive.score > negative.score ? 1 : positive.score == negative.score ? 0.5 : 0
      }
    }
    #expect(isNear(ranking.auroc, wins / Double(positives.count * negatives.count)))
    // A positive's precision is that of all samples scored as high as it or higher.
    let precisions = positives.map { positive in
      let above = samples.filter { $0.score >= positive.score }
      return Double(above.count { $0.isPositive }) / Double(above.count)
    }
    #expect(isNear(ranking.averagePrecision, precisions.reduce(0, +) / Double(positives.count)))
  }

  /// As many scores as are sorted by digits, of both signs, with both zeros.
  @Test func runsAreTheDistinctScoresFromTheHighestDown() {
    var generator = SeededGenerator(seed: 1)
    var samples: [(score: Float, isPositive: Bool)] = (0..<5000).map { _ in
      let factor: Float = generator.uniform() < 0.1 ? 1e30 : 1
      return (
        score: Float(Int(generator.next() % 801) - 400) / 7 * factor,
        isPositive: generator.uniform() < 0.3
      )
    }
    samples += [(-0.0, true), (0, false)]
    let runs = Ranking(samples).runs
    let expected = Dictionary(grouping: samples, by: \.score).sorted { $0.key > $1.key }
    #expect(runs.map(\.score) == expected.map(\.key))
    #expect(runs.map(\.count) == expected.map(\.value.count))
    #expect(runs.map(\.positives) == expected.map { $0.value.count(where: \.isPositive) })
  }

  @Test func oneKindOfSampleHasNoCurve() {
    let positives = Ranking([(0.2, true), (0.3, true)])
    #expect(positives.auroc == nil)
    #expect(positives.averagePrecision == nil)
    let negatives = Ranking([(0.2, false)])
    #expect(negatives.auroc == nil && negatives.averagePrecision == nil)
    #expect(Ranking([]).auroc == nil)
  }

  @Test func bothStandardDeviationsAreNamed() {
    let spread = Spread([1, 2, 3, 4])
    #expect(spread.mean == 2.5)
    #expect(isNear(spread.populationSD, 1.25.squareRoot()))
    #expect(isNear(spread.sampleSD, (5.0 / 3).squareRoot()))
  }

  @Test func oneFoldHasAMeanAndNoDeviations() {
    let spread = Spread([0.25])
    #expect(spread.mean == 0.25 && spread.sampleSD == nil && spread.populationSD == nil)
    #expect(Metric.macroAUROC.lack(in: 1) == "the only fold has no class with positives and negatives")
    #expect(Metric.decidedAccuracy.lack(in: 2) == "all 2 folds decide about no sample")
  }
}
