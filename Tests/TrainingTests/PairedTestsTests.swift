import Testing

@testable import Training

/// Differences and the p values of SciPy.
private struct TestsFixture: Decodable {
  struct Case: Decodable {
    let differences: [Double]
    let share, correctedT, wilcoxon: Double
  }

  struct Student: Decodable {
    let t, degrees, p: Double
  }

  let cases: [Case]
  let student: [Student]
}

@Suite struct PairedTestsTests {
  @Test func pValuesAreThoseOfSciPy() throws {
    let fixture = try decodeFixture("tests", as: TestsFixture.self)
    for entry in fixture.cases {
      let t = PairedTests.correctedResampledT(entry.differences, testShare: entry.share)
      #expect(abs(try #require(t) - entry.correctedT) < 1e-9)
      let wilcoxon = try #require(PairedTests.wilcoxonSignedRank(entry.differences))
      #expect(abs(wilcoxon - entry.wilcoxon) < 1e-9, "\(entry.differences.count) differences")
    }
    for entry in fixture.student {
      let p = PairedTests.studentTwoSided(entry.t, degreesOfFreedom: entry.degrees)
      #expect(abs(p - entry.p) < 1e-10 + 1e-8 * entry.p, "t \(entry.t), \(entry.degrees) degrees")
    }
  }

  @Test func whatCannotBeTestedHasNoP() {
    #expect(PairedTests.correctedResampledT([0.1], testShare: 0.25) == nil)
    #expect(PairedTests.correctedResampledT([0.1, 0.1, 0.1], testShare: 0.25) == nil)
    #expect(PairedTests.wilcoxonSignedRank([0, 0]) == nil)
    #expect(PairedTests.wilcoxonSignedRank([0, 0.5]) == 1)
  }

  @Test func holmMultipliesBySmallerNumbersAndNeverFalls() {
    let adjusted = PairedTests.holm([0.01, nil, 0.04, 0.03])
    #expect(adjusted[1] == nil)
    for (value, expected) in zip(adjusted.compactMap { $0 }, [0.03, 0.06, 0.06]) {
      #expect(abs(value - expected) < 1e-12)
    }
    #expect(PairedTests.holm([0.6, 0.7]) == [1, 1])
  }
}
