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

  @Test(arguments: [Int](0...70) + [8190], [0, 1, 2, 5, 16]) func bitsSayWhichNumbersAreAmongSome(
    count: Int, valueCount: Int
  ) {
    var generator = SeededGenerator(seed: UInt64(count * 100 + valueCount))
    let special: [Double] = [0, -0.0, .nan, .infinity, 1, 2, 3, -1, .leastNonzeroMagnitude, 1.5]
    let numbers = (0..<count).map { _ in special.randomElement(using: &generator)! }
    let values = (0..<valueCount).map { _ in special.randomElement(using: &generator)! }
    let wordCount = (count + 63) / 64
    var expected = [UInt64](repeating: 0, count: wordCount)
    for (index, number) in numbers.enumerated() where values.contains(number) {
      expected[index / 64] |= 1 << UInt64(index % 64)
    }
    for isa in [KERNELS_PORTABLE, kernels_active_isa()] {
      var bits = [UInt64](repeating: .max, count: wordCount + 1)
      kernels_f64_among_on(isa, numbers, count, values, valueCount, &bits)
      #expect(bits == expected + [.max])
    }
    let known = values.filter { !$0.isNaN }
    var slots = [UInt64](repeating: 0, count: 64)
    kernels_f64_table(known, known.count, &slots, slots.count)
    var bits = [UInt64](repeating: .max, count: wordCount + 1)
    kernels_f64_in_table(numbers, count, slots, slots.count, &bits)
    #expect(bits == expected + [.max])
  }
}
