import Glibc
import Kernels
import Testing

private let numbers = [KERNELS_F32, KERNELS_BF16]

/// Below, at and beyond words, panels and tiles of every instruction set.
private let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
  (1, 1, 1), (1, 2, 7), (2, 3, 8), (3, 5, 9), (4, 16, 16), (5, 7, 31), (6, 64, 32), (7, 33, 33), (12, 65, 40),
  (13, 31, 64), (25, 48, 65), (40, 192, 96),
]

@Suite struct MatmulTests {
  @Test(arguments: instructionSets, numbers)
  func equalsSumsInDouble(isa: kernels_isa, number: kernels_number) {
    for (rows, inputs, outputs) in shapes {
      let weights = normals(inputs * outputs, seed: 1)
      let bias = normals(outputs, seed: 2)
      let x = normals(rows * inputs, seed: 3)
      let old = normals(rows * outputs, seed: 4)
      for bias in [[], bias] {
        let product = PackedProduct(
          isa, number, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
        let stored = product.apply(to: x, rows: rows)
        let rounded = product.apply(to: x, rows: rows, as: KERNELS_BF16)
        let added = product.apply(to: x, rows: rows, KERNELS_RESIDUAL, over: old)
        #expect(stored.gapsAreUntouched && rounded.gapsAreUntouched && added.gapsAreUntouched)
        for index in 0..<rows * outputs {
          let (row, output) = (index / outputs, index % outputs)
          let terms = (0..<inputs).map {
            Double(held(x[row * inputs + $0], as: number))
              * Double(held(weights[output * inputs + $0], as: number))
          }
          let expected = terms.reduce(0, +) + (bias.isEmpty ? 0 : Double(bias[output]))
          let bound = 1e-6 * (1 + terms.reduce(0) { $0 + abs($1) })
          #expect(abs(Double(stored.values[index]) - expected) <= bound)
          #expect(rounded.values[index] == widened(nearestBFloat16(stored.values[index])))
          #expect(abs(Double(added.values[index]) - expected - Double(old[index])) <= bound + 1e-6)
        }
      }
    }
  }

  @Test(arguments: instructionSets, numbers)
  func aRowDoesNotDependOnTheOthers(isa: kernels_isa, number: kernels_number) {
    let (rows, inputs, outputs) = (29, 40, 70)
    let product = PackedProduct(
      isa, number, weights: normals(inputs * outputs, seed: 1), inputs: inputs, outputs: outputs)
    let x = normals(rows * inputs, seed: 2)
    let together = product.apply(to: x, rows: rows, KERNELS_GELU).values
    for row in 0..<rows {
      let alone = product.apply(to: Array(x[row * inputs..<(row + 1) * inputs]), rows: 1, KERNELS_GELU).values
      #expect(alone == Array(together[row * outputs..<(row + 1) * outputs]))
    }
  }

  @Test(arguments: instructionSets, numbers)
  func notANumberStaysInItsRow(isa: kernels_isa, number: kernels_number) {
    var x = normals(3 * 20, seed: 1)
    x[25] = .nan
    let product = PackedProduct(isa, number, weights: normals(20 * 40, seed: 2), inputs: 20, outputs: 40)
    for ending in [KERNELS_STORE, KERNELS_GELU] {
      for result in numbers {
        let found = product.apply(to: x, rows: 3, ending, as: result).values
        #expect(found[40..<80].allSatisfy { $0.isNaN })
        #expect(found[..<40].allSatisfy { $0.isFinite } && found[80...].allSatisfy { $0.isFinite })
      }
    }
  }

  @Test(arguments: instructionSets)
  func roundsToTheNearestEvenBFloat16(isa: kernels_isa) {
    let ties: [Float] = [
      1, 1.00390625, 1.01171875, -1.00390625, 3.4e38, -3.4e38, .infinity, -.infinity, .nan, 0, -0.0, 1e-30,
    ]
    let values = ties + normals(61, seed: 1)
    var rounded = [UInt16](repeating: 0, count: values.count)
    kernels_round_bf16(isa, values.count, values, &rounded)
    for (value, found) in zip(values, rounded) {
      #expect(value.isNaN ? widened(found).isNaN : found == nearestBFloat16(value), "\(value)")
    }
  }

  /// Unsigned activations and signed weights are summed exactly.
  @Test(arguments: instructionSets)
  func eightBitsAreSummedExactly(isa: kernels_isa) {
    for (rows, inputs, outputs) in shapes {
      let columns = kernels_panels(isa, outputs) * kernels_panel_columns(isa)
      let weights = normals(inputs * outputs, seed: 1)
      var scale = [Float](repeating: 0, count: columns)
      var sums = [Int32](repeating: 0, count: columns)
      var steps = [kernels_step](repeating: kernels_step(), count: rows)
      var bytes = [UInt8](repeating: 0, count: rows * kernels_row_bytes(KERNELS_I8, inputs))
      let x = normals(rows * inputs, seed: 2)
      kernels_quantize(rows, inputs, x, &bytes, &steps)
      var whole = [Int](repeating: 0, count: inputs * outputs)
      for output in 0..<outputs {
        let own = weights[output * inputs..<(output + 1) * inputs]
        scale[output] = (own.map { abs($0) }.max() ?? 0) / 127
        for input in 0..<inputs {
          let inverse = 1 / scale[output]
          whole[output * inputs + input] = Int(
            (weights[output * inputs + input] * inverse).rounded(.toNearestOrEven))
          sums[output] += Int32(whole[output * inputs + input])
        }
      }
      var panels = [UInt32](repeating: 0, count: kernels_panel_bytes(isa, KERNELS_I8, inputs, outputs) / 4)
      kernels_pack(isa, KERNELS_I8, weights, inputs, inputs, outputs, scale, &panels)
      var out = [Float](repeating: 0, count: rows * outputs)
      panels.withUnsafeBytes { panels in
        scale.withUnsafeBufferPointer { scale in
          sums.withUnsafeBufferPointer { sums in
            var product = kernels_product(
              number: KERNELS_I8, inputs: inputs, outputs: outputs, panels: panels.baseAddress, bias: nil,
              scale: scale.baseAddress, sums: sums.baseAddress)
            kernels_matmul(
              isa, &product, bytes, kernels_row_bytes(KERNELS_I8, inputs), rows, steps, KERNELS_STORE,
              KERNELS_F32,
              &out, outputs * 4)
          }
        }
      }
      let stride = kernels_row_bytes(KERNELS_I8, inputs)
      for index in out.indices {
        let (row, output) = (index / outputs, index % outputs)
        let sum = (0..<inputs).reduce(0) {
          $0 + (Int(bytes[row * stride + $1]) - Int(steps[row].zero)) * whole[output * inputs + $1]
        }
        let expected = Double(sum) * Double(steps[row].scale) * Double(scale[output])
        #expect(abs(Double(out[index]) - expected) <= 1e-6 * abs(expected))
      }
    }
  }

  @Test func quantisedRowsAreWithinHalfAStep() {
    let (rows, width) = (4, 33)
    var x = normals(rows * width, seed: 1)
    for index in 0..<width { x[index] = abs(x[index]) + 5 }
    for index in width..<2 * width { x[index] = 0 }
    let stride = kernels_row_bytes(KERNELS_I8, width)
    var bytes = [UInt8](repeating: 0, count: rows * stride)
    var steps = [kernels_step](repeating: kernels_step(), count: rows)
    kernels_quantize(rows, width, x, &bytes, &steps)
    for row in 0..<rows {
      for column in 0..<stride {
        let found = Float(Int32(bytes[row * stride + column]) - steps[row].zero) * steps[row].scale
        let expected = column < width ? x[row * width + column] : 0
        #expect(abs(found - expected) <= 0.501 * steps[row].scale)
      }
    }
  }
}
