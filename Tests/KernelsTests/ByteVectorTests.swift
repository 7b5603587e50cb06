import Kernels
import Randomness
import Testing

/// A stored vector of int8 by its parts.
private struct ByteVector: Equatable {
  private(set) var numbers: [Int8]
  private(set) var scale: Float

  init(_ values: [Float]) {
    let dimension = values.count
    var bytes = [UInt8](repeating: 0xAA, count: kernels_vector_bytes(KERNELS_INT8, dimension))
    kernels_narrow(KERNELS_INT8, values, 1, dimension, &bytes)
    numbers = bytes.prefix(dimension).map { Int8(bitPattern: $0) }
    scale = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: dimension, as: Float.self) }
  }

  /// What the kernel reads.
  var widened: [Float] {
    var bytes = numbers.map { UInt8(bitPattern: $0) }
    withUnsafeBytes(of: scale) { bytes += $0 }
    var values = [Float](repeating: .nan, count: numbers.count)
    kernels_widen(KERNELS_INT8, bytes, numbers.count, &values)
    return values
  }

  /// What the parts say.
  var truth: [Double] { numbers.map { Double($0) * Double(scale) } }
}

@Suite struct ByteVectorTests {
  /// Normal numbers of a length, with the first one far above the others in every other vector.
  private func vector(_ dimension: Int, scale: Float, using generator: inout SeededGenerator) -> [Float] {
    var numbers = (0..<dimension).map { _ in max(-6, min(6, Float(generator.normal()))) * scale }
    if generator.next() % 2 == 0 { numbers[0] = 6 * scale }
    return numbers
  }

  @Test(arguments: [1, 2, 15, 16, 17, 100, 384], [1.5e-36, 1e-30, 1e-3, 1, 1e10, 5.6e37] as [Float])
  func numbersAreWithinHalfAStepAndReadWithoutRounding(dimension: Int, scale: Float) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    for _ in 0..<50 {
      let values = vector(dimension, scale: scale, using: &generator)
      let stored = ByteVector(values)
      let largest = values.map(abs).max() ?? 0
      guard largest >= 127 * 0x1p-126 else { continue }
      #expect(stored.numbers.map { abs(Int($0)) }.max() == 127 && stored.scale.bitPattern & 0x7F == 0)
      #expect(127 * stored.scale <= largest && 127 * stored.scale > largest * (1 - 0x1p-15))
      #expect(stored.widened.map(Double.init) == stored.truth)
      for (value, found) in zip(values, stored.truth) {
        // The largest may be above 127 steps by what its scale lacks; a quotient is rounded once before.
        #expect(abs(Double(value) - found) <= Double(stored.scale) * (0.5 + 0x1p-17))
      }
      // What was stored is stored as the same bytes again.
      #expect(ByteVector(stored.widened) == stored)
    }
  }

  @Test func halvesGoToTheEvenNumber() {
    let stored = ByteVector([127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 62.5, -63.5, 0.49, -0.51])
    #expect(stored.scale == 1)
    #expect(stored.numbers == [127, 0, 2, 2, 0, -2, -2, 62, -64, 0, -1])
  }

  @Test func zerosAndNegativeZerosAreZero() {
    for zero in [Float(0), -0.0] {
      let stored = ByteVector([Float](repeating: zero, count: 21))
      #expect(stored.numbers.allSatisfy { $0 == 0 } && stored.scale.bitPattern == 0)
      #expect(stored.widened.allSatisfy { $0.bitPattern == 0 })
    }
    #expect(ByteVector([-0.0, 3, -0.0]).widened == [0, ByteVector([3]).widened[0], 0])
  }

  @Test func theLargestNumbersDoNotOverflow() {
    let largest = Float.greatestFiniteMagnitude
    let stored = ByteVector([largest, -largest, largest / 2, 3.4e38, 1e-38])
    #expect(stored.numbers == [127, -127, 64, 127, 0])
    #expect(stored.widened.allSatisfy { $0.isFinite })
    #expect(abs(stored.widened[0] / largest - 1) < 0x1p-16)
  }

  @Test func tinyVectorsAreMultiplesOfTheLeastScale() {
    let step: Float = 0x1p-126
    let stored = ByteVector([3 * step, -0.6 * step, 0.5 * step, 1.5 * step, .leastNonzeroMagnitude])
    #expect(stored.scale == step && stored.numbers == [3, -1, 0, 2, 0])
    #expect(ByteVector(stored.widened) == stored)
    #expect(ByteVector([1e-38, 0]).widened == [step, 0])
    // Nothing is left of these.
    for small in [0.5 * step, .leastNonzeroMagnitude] {
      let gone = ByteVector([small, -small])
      #expect(gone.numbers == [0, 0] && gone.scale == 0)
    }
  }

  @Test func vectorsLieOneBehindTheOther() {
    var generator = SeededGenerator(seed: 4)
    let vectors = (0..<5).map { _ in vector(7, scale: 1, using: &generator) }
    var bytes = [UInt8](repeating: 0, count: 5 * 11)
    kernels_narrow(KERNELS_INT8, vectors.flatMap { $0 }, 5, 7, &bytes)
    for (index, vector) in vectors.enumerated() {
      var found = [Float](repeating: 0, count: 7)
      kernels_widen(KERNELS_INT8, Array(bytes[index * 11..<index * 11 + 11]), 7, &found)
      #expect(found == ByteVector(vector).widened)
    }
  }
}
