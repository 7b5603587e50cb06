import Kernels
import Randomness
import Testing

private let halfTypes = [KERNELS_FLOAT16, KERNELS_BFLOAT16]

private func narrowed(_ values: [Float], to type: kernels_scalar) -> [UInt16] {
  [UInt16](unsafeUninitializedCapacity: values.count) { stored, count in
    kernels_narrow(type, values, 1, values.count, stored.baseAddress)
    count = values.count
  }
}

private func widened(_ stored: [UInt16], from type: kernels_scalar) -> [Float] {
  [Float](unsafeUninitializedCapacity: stored.count) { values, count in
    kernels_widen(type, stored, stored.count, values.baseAddress)
    count = stored.count
  }
}

/// The value of a stored number, from its parts: the definition of the formats.
private func value(_ bits: UInt16, of type: kernels_scalar) -> Double {
  let fractionBits = type == KERNELS_FLOAT16 ? 10 : 7
  let bias = type == KERNELS_FLOAT16 ? 15 : 127
  let exponent = Int(bits & 0x7FFF) >> fractionBits
  let fraction = Double(Int(bits) & (1 << fractionBits - 1)) / Double(1 << fractionBits)
  let magnitude =
    exponent == 0
    ? fraction * Double(sign: .plus, exponent: 1 - bias, significand: 1)
    : (1 + fraction) * Double(sign: .plus, exponent: exponent - bias, significand: 1)
  return bits & 0x8000 == 0 ? magnitude : -magnitude
}

private func finiteBits(of type: kernels_scalar) -> [UInt16] {
  let infinity: UInt16 = type == KERNELS_FLOAT16 ? 0x7C00 : 0x7F80
  return (0...UInt16.max).filter { $0 & 0x7FFF < infinity }
}

@Suite struct ScalarTests {
  @Test(arguments: halfTypes) func everyFiniteNumberIsReadExactlyAndComesBack(type: kernels_scalar) {
    let stored = finiteBits(of: type)
    let values = widened(stored, from: type)
    for (bits, found) in zip(stored, values) {
      #expect(Double(found) == value(bits, of: type) && (found.sign == .minus) == (bits & 0x8000 != 0))
    }
    #expect(narrowed(values, to: type) == stored)
  }

  @Test(arguments: halfTypes) func whatLiesBetweenIsRoundedToTheNearestAndTiesToEven(type: kernels_scalar) {
    let magnitudes = finiteBits(of: type).filter { $0 & 0x8000 == 0 }
    var values: [Float] = []
    var expected: [UInt16] = []
    for (low, high) in zip(magnitudes, magnitudes.dropFirst()) {
      // Halfway between two neighbours is a float32, subnormal ones of bfloat16 included.
      let middle = Float((value(low, of: type) + value(high, of: type)) / 2)
      for (point, nearest) in [
        (middle.nextDown, low), (middle, low % 2 == 0 ? low : high), (middle.nextUp, high),
      ] {
        values += [point, -point]
        expected += [nearest, nearest | 0x8000]
      }
    }
    #expect(narrowed(values, to: type) == expected)
  }

  @Test func whatATypeCannotHoldIsFoundAtItsFirstPlace() {
    let least: [(kernels_scalar, Float)] = [
      (KERNELS_FLOAT32, .infinity), (KERNELS_FLOAT16, 65_520),
      (KERNELS_BFLOAT16, Float(bitPattern: 0x7F7F_8000)), (KERNELS_INT8, .infinity),
    ]
    for (type, least) in least {
      for value in [least, -least, .infinity, -.infinity, .nan, -.nan] {
        for (position, count) in [(0, 1), (5, 9), (1_023, 1_024), (1_024, 1_025), (2_999, 5_000)] {
          var values = [Float](repeating: least.nextDown, count: count)
          #expect(kernels_first_beyond(type, values, count) == count)
          values[position] = value
          values[count - 1] = value
          #expect(kernels_first_beyond(type, values, count) == position)
        }
      }
      #expect(kernels_first_beyond(type, [], 0) == 0)
    }
    // The largest that is held is not infinite.
    #expect(narrowed([Float(65_520).nextDown], to: KERNELS_FLOAT16) == [0x7BFF])
    #expect(narrowed([Float(bitPattern: 0x7F7F_8000).nextDown], to: KERNELS_BFLOAT16) == [0x7F7F])
  }

  @Test func float32IsCopied() {
    var generator = SeededGenerator(seed: 2)
    let values = (0..<77).map { _ in Float(generator.normal()) }
    var stored = [Float](repeating: 0, count: 77)
    var again = stored
    kernels_narrow(KERNELS_FLOAT32, values, 7, 11, &stored)
    kernels_widen(KERNELS_FLOAT32, stored, 77, &again)
    #expect(stored == values && again == values)
    #expect(kernels_vector_bytes(KERNELS_FLOAT32, 77) == 4 * 77)
    #expect(halfTypes.allSatisfy { kernels_vector_bytes($0, 77) == 2 * 77 })
    #expect(kernels_vector_bytes(KERNELS_INT8, 77) == 77 + 4)
  }
}
