import Kernels
import Randomness

/// The instruction sets that this machine runs.
let instructionSets: [kernels_isa] = (0...kernels_active_isa().rawValue).map { kernels_isa($0) }

func normals(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.normal()) }
}

/// The nearest bfloat16, ties to even; by way of the bits, as the format defines it.
func nearestBFloat16(_ value: Float) -> UInt16 {
  guard !value.isNaN else { return UInt16(truncatingIfNeeded: value.bitPattern >> 16) | 0x40 }
  let (below, rest) = (value.bitPattern >> 16, value.bitPattern & 0xFFFF)
  let isUp = rest > 0x8000 || (rest == 0x8000 && below % 2 == 1)
  return UInt16(below + (isUp ? 1 : 0))
}

func widened(_ value: UInt16) -> Float { Float(bitPattern: UInt32(value) << 16) }

/// What float32 becomes as one of a kernel's numbers.
func held(_ value: Float, as number: kernels_number) -> Float {
  number == KERNELS_BF16 ? widened(nearestBFloat16(value)) : value
}

/// Weights [outputs, inputs] packed for an instruction set, in float32 or bfloat16.
struct PackedProduct {
  let isa: kernels_isa
  let number: kernels_number
  let inputs: Int
  let outputs: Int
  private let panels: [UInt32]
  private let bias: [Float]

  init(
    _ isa: kernels_isa, _ number: kernels_number, weights: [Float], bias: [Float] = [], inputs: Int,
    outputs: Int
  ) {
    (self.isa, self.number, self.inputs, self.outputs) = (isa, number, inputs, outputs)
    var panels = [UInt32](repeating: 0, count: kernels_panel_bytes(isa, number, inputs, outputs) / 4)
    kernels_pack(isa, number, weights, inputs, inputs, outputs, nil, &panels)
    self.panels = panels
    let columns = kernels_panels(isa, outputs) * kernels_panel_columns(isa)
    self.bias = bias.isEmpty ? [] : bias + [Float](repeating: 0, count: columns - outputs)
  }

  /// Rows of `x` [rows, inputs] through the product; `out` is what the results are written over. Rows of both lie
  /// farther apart than they are long, and what lies between them must stay.
  func apply(
    to x: [Float], rows: Int, _ ending: kernels_ending = KERNELS_STORE,
    as result: kernels_number = KERNELS_F32,
    over old: [Float] = []
  ) -> (values: [Float], gapsAreUntouched: Bool) {
    let (stride, outStride) = (kernels_row_bytes(number, inputs) + 8, outputs * 4 + 12)
    let (size, resultSize) = (number == KERNELS_BF16 ? 2 : 4, result == KERNELS_BF16 ? 2 : 4)
    var source = [UInt8](repeating: 0, count: rows * stride)
    var target = [UInt8](repeating: 0xA5, count: rows * outStride)
    for index in 0..<rows * inputs {
      store(x[index], as: number, in: &source, at: index / inputs * stride + index % inputs * size)
    }
    for (index, value) in old.enumerated() {
      store(value, as: KERNELS_F32, in: &target, at: index / outputs * outStride + index % outputs * 4)
    }
    panels.withUnsafeBytes { panels in
      bias.withUnsafeBufferPointer { bias in
        var product = kernels_product(
          number: number, inputs: inputs, outputs: outputs, panels: panels.baseAddress,
          bias: bias.isEmpty ? nil : bias.baseAddress, scale: nil, sums: nil, factors: nil)
        kernels_matmul(isa, &product, source, stride, rows, nil, ending, result, &target, outStride)
      }
    }
    let values = (0..<rows * outputs).map {
      load(result, from: target, at: $0 / outputs * outStride + $0 % outputs * resultSize)
    }
    let gaps = (0..<rows).allSatisfy { row in
      target[row * outStride + outputs * resultSize..<(row + 1) * outStride].allSatisfy { $0 == 0xA5 }
    }
    return (values, gaps)
  }
}

/// Writes a float as one of a kernel's numbers.
func store(_ value: Float, as number: kernels_number, in bytes: inout [UInt8], at place: Int) {
  bytes.withUnsafeMutableBytes {
    if number == KERNELS_BF16 {
      $0.storeBytes(of: nearestBFloat16(value), toByteOffset: place, as: UInt16.self)
    } else {
      $0.storeBytes(of: value, toByteOffset: place, as: Float.self)
    }
  }
}

func load(_ number: kernels_number, from bytes: [UInt8], at place: Int) -> Float {
  bytes.withUnsafeBytes {
    number == KERNELS_BF16
      ? widened($0.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      : $0.loadUnaligned(fromByteOffset: place, as: Float.self)
  }
}
