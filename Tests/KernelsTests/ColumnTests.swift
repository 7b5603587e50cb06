import Kernels
import Randomness
import Testing

@Suite struct ColumnTests {
  private static let ranges: [(Double, Double)] = [
    (-1, 1), (0, 0), (-.infinity, .infinity), (2, -2), (.nan, 1), (0.5, .infinity), (-3, -0.0),
    (.infinity, .infinity),
  ]

  @Test(arguments: [Int](0...130) + [1023, 8190])
  func bitsSayWhichNumbersAreWithinTheRange(count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let special: [Double] = [0, -0.0, .nan, .infinity, -.infinity, 1, -1, .leastNonzeroMagnitude]
    let numbers = (0..<count).map { _ in
      generator.next() % 3 == 0 ? special.randomElement(using: &generator)! : generator.normal()
    }
    let wordCount = (count + 63) / 64
    for (least, greatest) in Self.ranges {
      var expected = [UInt64](repeating: 0, count: wordCount)
      for (index, number) in numbers.enumerated() where least <= number && number <= greatest {
        expected[index / 64] |= 1 << UInt64(index % 64)
      }
      for isa in [KERNELS_PORTABLE, kernels_active_isa()] {
        // Words are overwritten, and nothing behind them is touched.
        var bits = [UInt64](repeating: .max, count: wordCount + 1)
        kernels_f64_between_on(isa, numbers, count, least, greatest, &bits)
        #expect(bits == expected + [.max])
      }
    }
  }
}
