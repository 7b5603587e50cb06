import Testing

@testable import Backbone

/// Values against PyTorch are in `TorchParityTests`; here are the properties that each formula must have.
@Suite struct PositionResamplingTests {
  @Test(arguments: [PositionResampling.offset, .antialiased], [1, 2, 3, 14, 40])
  func weightsSumToOneAndStayInTheTable(formula: PositionResampling, count: Int) {
    for target in 0..<count {
      let taps = formula.taps(at: target, of: count, side: 14)
      #expect(abs(taps.map(\.weight).reduce(0, +) - 1) < 1e-6)
      #expect(taps.allSatisfy { (0..<14).contains($0.index) })
    }
  }

  @Test func theExactScaleLeavesTheStoredGridAlone() {
    let table = noise(5 * 5 * 3)
    let same = PositionResampling.antialiased.resample(table, side: 5, width: 3, rows: 5, columns: 5)
    #expect(largestDifference(same, table) < 1e-6)
  }

  @Test func theOffsetMovesTheStoredGridALittle() {
    let table = noise(5 * 5 * 3)
    let moved = PositionResampling.offset.resample(table, side: 5, width: 3, rows: 5, columns: 5)
    #expect(largestDifference(moved, table) > 1e-3)
  }

  @Test func aConstantTableStaysConstantOnAnyGrid() {
    let table = [Float](repeating: 2, count: 4 * 4)
    for formula in [PositionResampling.offset, .antialiased] {
      let result = formula.resample(table, side: 4, width: 1, rows: 7, columns: 2)
      #expect(largestDifference(result, [Float](repeating: 2, count: 14)) < 1e-5)
    }
  }

  @Test func aTableOfOnePositionIsRepeated() {
    for formula in [PositionResampling.offset, .antialiased] {
      let result = formula.resample([3, 5], side: 1, width: 2, rows: 2, columns: 2)
      #expect(largestDifference(result, [3, 5, 3, 5, 3, 5, 3, 5]) < 1e-5)
    }
  }
}
