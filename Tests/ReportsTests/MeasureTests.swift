import Plots
import Randomness
import Testing
import Training

@testable import Reports

@Suite struct MeasureTests {
  private func view(_ synthetic: SyntheticEvaluation = SyntheticEvaluation()) throws -> RunView {
    let evaluation = try synthetic.make()
    return RunView(evaluation.runs[0], of: evaluation)
  }

  /// The areas that Training computes by itself, which agree with scikit-learn's.
  @Test func areasUnderTheCurvesAreTheScores() throws {
    let view = try view()
    for (index, score) in view.scores.perClass.enumerated() {
      let curve = view.ranked(index).precisionRecall
      let steps = zip(curve, curve.dropFirst()).reduce(0.0) { $0 + ($1.1.x - $1.0.x) * $1.1.y }
      #expect(abs(steps - (score.averagePrecision ?? -1)) < 0.01)
      let rates = view.ranked(index).receiverOperating
      let area = zip(rates, rates.dropFirst()).reduce(0.0) { $0 + ($1.1.x - $1.0.x) * ($1.0.y + $1.1.y) / 2 }
      #expect(abs(area - (score.auroc ?? -1)) < 0.01)
    }
  }

  @Test func equalProbabilitiesAreOneStep() {
    let ranked = Ranking([(0.5, true), (0.5, false), (0.5, true), (0.5, false)])
    #expect(ranked.precisionRecall == [Point(0, 0.5), Point(1, 0.5)])
    #expect(ranked.receiverOperating == [Point(0, 0), Point(1, 1)])
    #expect(Ranking([(0.2, false)]).precisionRecall.isEmpty)
    #expect(Ranking([(0.2, true)]).receiverOperating.isEmpty)
    #expect(Ranking([]).receiverOperating.isEmpty)
  }

  @Test func confusionCountsSeveralLabels() throws {
    let view = try view(SyntheticEvaluation(classes: ["a", "b"], sampleCount: 20, separation: nil))
    // Right decisions: samples 4, 9, 14 and 19 have both labels, of the others every second has each.
    let table = CoOccurrence(view)
    #expect(table.support == [12, 12])
    #expect(table.counts == [[12, 4, 0], [4, 12, 0]])
    #expect(table.shares[0][1].map { abs($0 - 1.0 / 3) < 1e-12 } == true)
  }

  @Test func confusionOfOneLabelAddsUp() throws {
    let view = try view(SyntheticEvaluation(separation: 1, task: .single))
    let table = CoOccurrence(view)
    #expect(table.isComplete)
    for (row, support) in zip(table.counts, table.support) { #expect(row.reduce(0, +) == support) }
    for row in table.shares { #expect(abs(row.reduce(0) { $0 + ($1 ?? 0) } - 1) < 1e-12) }
    let calibration = view.calibration()
    #expect(calibration.bins.reduce(0) { $0 + $1.count } == view.tested.count)
    #expect(calibration.error == view.scores.calibrationError && calibration.brier == view.scores.brier)
  }

  @Test func flippedLabelsOfOneLabelAreFound() throws {
    let flipped: Set<Int> = [0, 11, 50, 77]
    let view = try view(SyntheticEvaluation(separation: 6, flipped: flipped, task: .single))
    let found = view.labelNoise()
    #expect(found.count >= 2 && Set(found.map(\.sample)).isSubset(of: flipped))
    #expect(found.allSatisfy { !$0.isLabelled && view.predicted($0.sample) == [$0.classIndex] })
    #expect(Set(view.mistakes().map(\.sample)) == flipped)
    #expect(view.mistakes().allSatisfy { $0.probability == $0.weight && !$0.isLabelled })
  }

  @Test func samplesThatHeadsAbstainFromAreNoMistakes() throws {
    let view = try view(SyntheticEvaluation(separation: 1, task: .single, abstainBelow: 0.4))
    let decided = view.tested.filter { !view.predicted($0).isEmpty }
    #expect(decided.count < view.tested.count)
    let wrong = decided.filter { view.predicted($0) != view.evaluation.samples[$0].labels }
    #expect(!wrong.isEmpty && view.mistakes().map(\.sample).sorted() == wrong)
  }

  /// The definition: for each sample, those at least as sure, counted anew.
  @Test func risksAreThoseOfTheSurestSamples() throws {
    let view = try view(SyntheticEvaluation(separation: 1, task: .single))
    let samples = view.tested.map { sample in
      let own = view.classes.indices.map { view.probability(sample, $0) }
      let best = own.indices.max { own[$0] < own[$1] } ?? 0
      return (probability: own[best], isRight: view.isTrue(sample, best))
    }
    let curve = view.riskCoverage()
    var area = 0.0
    for sample in samples {
      let surer = samples.filter { $0.probability >= sample.probability }
      let risk = Double(surer.count { !$0.isRight }) / Double(surer.count)
      area += risk / Double(samples.count)
      let point = try #require(curve.point(from: sample.probability))
      #expect(abs(point.risk - risk) < 1e-12)
      #expect(abs(point.coverage - Double(surer.count) / Double(samples.count)) < 1e-12)
    }
    #expect(abs(curve.area - area) < 1e-12)
    #expect(curve.points.last?.coverage == 1)
    #expect(curve.point(from: 1) == nil && RiskCoverage([]).points.isEmpty)
    let tied = RiskCoverage([(0.5, true), (0.5, false), (0.9, true)])
    #expect(tied.points.map(\.coverage) == [1.0 / 3, 1] && tied.points.map(\.risk) == [0, 1.0 / 3])
  }

  @Test func classesAreInOneOrder() throws {
    let view = try view()
    let support = view.order.map { view.scores.perClass[$0].support }
    #expect(support == support.sorted(by: >) && view.order.sorted() == Array(view.classes.indices))
  }

  @Test func reliabilityCountsEveryDecision() throws {
    let view = try view()
    let calibration = view.calibration()
    let bins = calibration.diagramBins.compactMap { $0 }
    #expect(bins.reduce(0) { $0 + $1.count } == view.tested.count * view.classes.count)
    #expect(calibration.error == view.scores.calibrationError && calibration.brier == view.scores.brier)
    let distance = bins.reduce(0.0) { $0 + Double($1.count) * abs($1.meanProbability - $1.trueShare) }
    #expect(abs(distance / Double(view.tested.count * view.classes.count) - calibration.error) < 1e-9)
  }

  @Test func flippedLabelsAreFoundFirst() throws {
    let flipped: Set<Int> = [0, 11, 50, 77]
    let view = try view(SyntheticEvaluation(separation: 6, flipped: flipped))
    let found = view.labelNoise()
    // Heads are less sure than usual about half of the samples.
    #expect(found.count >= 2 && Set(found.map(\.sample)).isSubset(of: flipped))
    #expect(Set(view.mistakes().prefix(4).map(\.sample)) == flipped)
    #expect(found.map(\.weight) == found.map(\.weight).sorted(by: >))
  }

  @Test func rightDecisionsAreNoMistakes() throws {
    let view = try view(SyntheticEvaluation(separation: nil))
    #expect(view.mistakes().isEmpty)
    #expect(view.labelNoise().isEmpty)
  }

  @Test func typicalSamplesAreOfMedianProbability() throws {
    let view = try view()
    let chosen = view.typicalSamples(limit: 3)
    #expect(Set(chosen).count == 3)
    let index =
      view.classes.indices.max { view.scores.perClass[$0].support < view.scores.perClass[$1].support } ?? 0
    let all = view.tested.filter { view.isTrue($0, index) }.map { view.probability($0, index) }.sorted()
    #expect(view.probability(chosen[0], index) == all[all.count / 2])
  }

  @Test func componentsFollowTheSpread() {
    // Points on two crossing lines of known lengths, turned and moved in five dimensions.
    let first: [Double] = [0.6, 0, 0.8, 0, 0]
    let second: [Double] = [0, 1, 0, 0, 0]
    var generator = SeededGenerator(seed: 1)
    let scores = (0..<200).map { _ in (generator.normal() * 5, generator.normal() * 2) }
    let vectors = scores.flatMap { score in
      (0..<5).map { Float(3 + score.0 * first[$0] + score.1 * second[$0]) }
    }
    let components = PrincipalComponents(vectors, dimension: 5)
    func correlation(_ left: [Double], _ right: [Double]) -> Double {
      let (meanLeft, meanRight) = (left.reduce(0, +) / 200, right.reduce(0, +) / 200)
      let products = zip(left, right).map { ($0 - meanLeft) * ($1 - meanRight) }.reduce(0, +)
      let squares = left.map { ($0 - meanLeft) * ($0 - meanLeft) }.reduce(0, +)
      let others = right.map { ($0 - meanRight) * ($0 - meanRight) }.reduce(0, +)
      return products / (squares * others).squareRoot()
    }
    #expect(abs(correlation(components.points.map(\.0), scores.map(\.0))) > 0.995)
    #expect(abs(correlation(components.points.map(\.1), scores.map(\.1))) > 0.995)
    #expect(abs(components.shares.0 + components.shares.1 - 1) < 1e-5)
    let equal = PrincipalComponents([1, 2, 1, 2, 1, 2], dimension: 2)
    #expect(equal.shares == (0, 0) && equal.points.allSatisfy { $0 == (0, 0) })
  }

  @Test func lightOfChannelsAddsUp() {
    let colors = ChannelColors.hpa.values(of: ["protein", "nucleus"])
    #expect(mix([[255, 0], [0, 255]], colors) == [0x22, 0xe0, 0x45, 0x2f, 0x7b, 0xff])
    #expect(mix([[255], [255]], [0xff00ff, 0x00ff80]) == [255, 255, 255])
    #expect(ChannelColors.hpa.values(of: ["gfp"]) == [0xffffff])
    for scheme in ChannelColors.allCases {
      let values = scheme.values(of: ["nucleus", "protein", "er", "a", "b", "c"])
      #expect(Set(values.prefix(5)).count == 5)
    }
    #expect(ChannelColors.ordered(["er", "a", "nucleus", "protein"]) == ["protein", "nucleus", "er", "a"])
  }
}
