import Testing

@testable import Formats

@Suite struct FiniteNumbersTests {
  @Test(arguments: [Float.nan, -.nan, .infinity, -.infinity, .signalingNaN])
  func theFirstNumberThatIsNotFiniteIsFound(bad: Float) {
    let extremes: [Float] = [
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0, 0,
    ]
    for count in [1, 2, 7, 33, 16_384, 16_385, 40_000] {
      var numbers = (0..<count).map { extremes[$0 % extremes.count] }
      #expect(numbers.withUnsafeBufferPointer { $0.allFinite && $0.firstNonFinite == nil })
      for place in Set([0, count / 2, count - 1]).sorted(by: >) {
        numbers[place] = bad
        #expect(numbers.withUnsafeBufferPointer { !$0.allFinite && $0.firstNonFinite == place })
      }
    }
    #expect([Float]().withUnsafeBufferPointer { $0.allFinite && $0.firstNonFinite == nil })
  }
}
