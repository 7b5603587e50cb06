import Randomness
import Testing

@testable import Training

@Suite struct GroupResamplingTests {
  /// The score of one draw, sample by sample as often as its group was drawn.
  private func plainMacroF1(
    drawn: [Int], groups: [Int32], labels: LabelTable, decisions: [Bool], absent: AbsentClasses
  ) -> Double {
    let classCount = labels.classes.count
    let samples = groups.indices.flatMap { sample in
      Array(repeating: Int32(sample), count: drawn[Int(groups[sample])])
    }
    let rows = samples.flatMap { Array(decisions[Int($0) * classCount..<(Int($0) + 1) * classCount]) }
    let scores = Scores(
      probabilities: rows.map { $0 ? 1 : 0 }, samples: samples, labels: labels,
      thresholds: [Float](repeating: 0.5, count: classCount))
    return scores.value(of: .macroF1, absent: absent) ?? 0
  }

  @Test(arguments: AbsentClasses.allCases)
  func aResamplingScoresTheSamplesOfTheGroupsItDrew(absent: AbsentClasses) throws {
    var generator = SeededGenerator(seed: 3)
    let groups = (0..<60).map { Int32($0 / 4) }
    let labels = try LabelTable(labels: (0..<60).map { [$0 < 8 ? "rare" : "b", "c\($0 % 3)"] })
    let decisions = (0..<60 * 5).map { _ in generator.uniform() < 0.4 }
    let resampling = GroupResampling(
      groups: groups, labels: labels, isTested: [Array(repeating: true, count: 60)], absent: absent
    ) { _, sample in (0..<5).filter { decisions[Int(sample) * 5 + $0] } }
    let values = resampling.macroF1(count: 20, seed: 9, threads: 2)
    for (index, value) in values.enumerated() {
      var draws = SeededGenerator(seed: 9, stream: UInt64(index))
      var drawn = [Int](repeating: 0, count: 15)
      for _ in 0..<15 { drawn[Int(draws.next() % 15)] += 1 }
      let expected = plainMacroF1(
        drawn: drawn, groups: groups, labels: labels, decisions: decisions, absent: absent)
      #expect(abs(value - expected) < 1e-12)
    }
    #expect(resampling.macroF1(count: 20, seed: 9, threads: 1) == values)
  }

  @Test func samplesThatNobodyTestsAreNotDrawn() throws {
    let labels = try LabelTable(labels: [["a"], ["b"], ["a"], ["b"]])
    let resampling = GroupResampling(
      groups: [0, 0, 1, 1], labels: labels, isTested: [[true, true, false, false]], absent: .skip
    ) { _, sample in [Int(sample) % 2] }
    #expect(resampling.macroF1(count: 5, seed: 0, threads: 1) == [1, 1, 1, 1, 1])
  }

  @Test func boundsAreThoseOfNumPy() throws {
    // numpy.quantile(range(1, 42), [0.025, 0.975]) = [2, 40]
    let interval = try #require(GroupResampling.interval((1...41).reversed().map(Double.init)))
    #expect(abs(interval.lower - 2) < 1e-12)
    #expect(abs(interval.upper - 40) < 1e-12)
    #expect(interval.level == 0.95)
    #expect(GroupResampling.interval([]) == nil)
  }
}
