import Glibc
import Kernels
import Testing

private let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
  (1, 1, 1), (1, 2, 7), (2, 3, 8), (3, 5, 9), (4, 16, 16), (5, 7, 31), (6, 64, 32), (7, 33, 33), (12, 65, 40),
  (13, 31, 64), (25, 48, 65),
]

/// Rows in 8 bits; what lies between them is 0xA5.
private struct QuantizedRows {
  let width: Int
  let stride: Int
  private(set) var bytes: [UInt8]
  private(set) var steps: [kernels_step]

  private init(rows: Int, width: Int) {
    self.width = width
    stride = kernels_row_bytes(KERNELS_I8, width) + 12
    bytes = [UInt8](repeating: 0xA5, count: rows * stride)
    steps = [kernels_step](repeating: kernels_step(), count: rows)
  }

  init(_ isa: kernels_isa, as number: kernels_number = KERNELS_F32, _ x: [Float], width: Int) {
    self.init(rows: x.count / width, width: width)
    let size = number == KERNELS_BF16 ? 2 : 4
    let sourceStride = width * size + 6
    var source = [UInt8](repeating: 0, count: steps.count * sourceStride)
    for (index, value) in x.enumerated() {
      store(value, as: number, in: &source, at: index / width * sourceStride + index % width * size)
    }
    kernels_quantize(isa, number, steps.count, width, source, sourceStride, &bytes, stride, &steps)
  }

  init(_ isa: kernels_isa, normOf x: [Float], width: Int, gamma: [Float], beta: [Float]) {
    self.init(rows: x.count / width, width: width)
    var scratch = [Float](repeating: .nan, count: width)
    kernels_layer_norm_quantized(
      isa, gamma, beta, 1e-6, steps.count, width, x, 4 * width, &scratch, &bytes, stride, &steps)
  }

  func whole(_ row: Int, _ column: Int) -> Int {
    Int(bytes[row * stride + column]) - Int(steps[row].zero)
  }

  func value(_ row: Int, _ column: Int) -> Float { Float(whole(row, column)) * steps[row].scale }

  var gapsAreUntouched: Bool {
    steps.indices.allSatisfy { row in
      bytes[row * stride + stride - 12..<(row + 1) * stride].allSatisfy { $0 == 0xA5 }
    }
  }
}

@Suite struct QuantizeTests {
  @Test(arguments: instructionSets, [KERNELS_F32, KERNELS_BF16])
  func valuesAreWithinHalfAStep(isa: kernels_isa, number: kernels_number) {
    for width in [1, 3, 16, 33, 70, 384] {
      var x = normals(4 * width, seed: 1)
      for index in 0..<width { x[index] = abs(x[index]) + 5 }
      for index in width..<2 * width { x[index] = 0 }
      for index in 2 * width..<3 * width { x[index] *= -1e-20 }
      let found = QuantizedRows(isa, as: number, x, width: width)
      #expect(found.gapsAreUntouched)
      for row in 0..<4 {
        for column in 0..<kernels_row_bytes(KERNELS_I8, width) {
          let expected = column < width ? held(x[row * width + column], as: number) : 0
          #expect(abs(found.value(row, column) - expected) <= 0.501 * found.steps[row].scale)
        }
        let own = x[row * width..<(row + 1) * width].map { held($0, as: number) } + [0]
        let range = (own.max() ?? 0) - (own.min() ?? 0)
        #expect(
          range == 0 ? found.steps[row].scale == 1 : abs(found.steps[row].scale / range * 255 - 1) < 1e-6)
      }
    }
  }

  @Test(arguments: instructionSets, [Float.nan, .infinity, -.infinity])
  func aRowThatIsNotFiniteHasNoStep(isa: kernels_isa, value: Float) {
    for place in [0, 17, 36] {
      var x = normals(3 * 37, seed: 1)
      x[37 + place] = value
      let found = QuantizedRows(isa, x, width: 37)
      #expect(found.steps[1].scale.isNaN)
      #expect(found.steps[0].scale.isFinite && found.steps[2].scale.isFinite)
      let ones = [Float](repeating: 1, count: 37)
      #expect(QuantizedRows(isa, normOf: x, width: 37, gamma: ones, beta: ones).steps[1].scale.isNaN)
    }
  }

  @Test(arguments: instructionSets, [5, 16, 64, 100, 384])
  func theLayerNormIsThatOfItsOwnKernel(isa: kernels_isa, width: Int) {
    let x = normals(6 * width, seed: 1).map { 3 * $0 + 2 }
    let (gamma, beta) = (normals(width, seed: 2), normals(width, seed: 3))
    var norm = [Float](repeating: 0, count: x.count)
    kernels_layer_norm_on(isa, gamma, beta, 1e-6, 6, width, x, &norm)
    let found = QuantizedRows(isa, normOf: x, width: width, gamma: gamma, beta: beta)
    #expect(found.gapsAreUntouched)
    for index in x.indices {
      let (row, column) = (index / width, index % width)
      #expect(abs(found.value(row, column) - norm[index]) <= 0.51 * found.steps[row].scale)
    }
  }

  @Test(arguments: instructionSets)
  func aRowDoesNotDependOnTheOthers(isa: kernels_isa) {
    let x = normals(9 * 50, seed: 1)
    let together = QuantizedRows(isa, x, width: 50)
    for row in 0..<9 {
      let alone = QuantizedRows(isa, Array(x[row * 50..<(row + 1) * 50]), width: 50)
      #expect((0..<50).allSatisfy { alone.whole(0, $0) == together.whole(row, $0) })
    }
  }
}

/// Weights of a normal distribution in whole numbers, with all that a product of 8 bits needs.
private struct WholeProduct {
  let inputs: Int
  let outputs: Int
  let whole: [Int]
  let scale: [Float]
  private let sums: [Int32]
  private let bias: [Float]
  private let panels: [UInt32]

  init(_ isa: kernels_isa, inputs: Int, outputs: Int, bias: [Float] = []) {
    (self.inputs, self.outputs) = (inputs, outputs)
    let columns = kernels_panels(isa, outputs) * kernels_panel_columns(isa)
    let weights = normals(inputs * outputs, seed: 1)
    var scale = [Float](repeating: 0, count: columns)
    var sums = [Int32](repeating: 0, count: columns)
    var whole = [Int](repeating: 0, count: inputs * outputs)
    for output in 0..<outputs {
      let own = weights[output * inputs..<(output + 1) * inputs]
      scale[output] = (own.map { abs($0) }.max() ?? 0) / 127
      let inverse = 1 / scale[output]
      for (input, weight) in own.enumerated() {
        whole[output * inputs + input] = Int((weight * inverse).rounded(.toNearestOrEven))
        sums[output] += Int32(whole[output * inputs + input])
      }
    }
    var panels = [UInt32](repeating: 0, count: kernels_panel_bytes(isa, KERNELS_I8, inputs, outputs) / 4)
    kernels_pack(isa, KERNELS_I8, weights, inputs, inputs, outputs, scale, &panels)
    (self.scale, self.sums, self.whole, self.panels) = (scale, sums, whole, panels)
    self.bias = bias.isEmpty ? [] : bias + [Float](repeating: 0, count: columns - outputs)
  }

  func apply(
    _ isa: kernels_isa, to x: QuantizedRows, _ ending: kernels_ending = KERNELS_STORE,
    as result: kernels_number = KERNELS_F32, factors: [Float] = []
  ) -> [Float] {
    var out = [UInt8](repeating: 0, count: x.steps.count * outputs * 4)
    let columns = scale.count
    let factors = factors.isEmpty ? [] : factors + [Float](repeating: 0, count: columns - outputs)
    panels.withUnsafeBytes { panels in
      scale.withUnsafeBufferPointer { scale in
        sums.withUnsafeBufferPointer { sums in
          bias.withUnsafeBufferPointer { bias in
            factors.withUnsafeBufferPointer { factors in
              var product = kernels_product(
                number: KERNELS_I8, inputs: inputs, outputs: outputs, panels: panels.baseAddress,
                bias: bias.isEmpty ? nil : bias.baseAddress, scale: scale.baseAddress, sums: sums.baseAddress,
                factors: factors.isEmpty ? nil : factors.baseAddress)
              kernels_matmul(
                isa, &product, x.bytes, x.stride, x.steps.count, x.steps, ending, result, &out, outputs * 4)
            }
          }
        }
      }
    }
    let size = result == KERNELS_BF16 ? 2 : 4
    return (0..<x.steps.count * outputs).map {
      load(result, from: out, at: $0 / outputs * outputs * 4 + $0 % outputs * size)
    }
  }

  /// The sums in whole numbers, times both steps.
  func expected(_ x: QuantizedRows) -> [Double] {
    (0..<x.steps.count * outputs).map { index in
      let (row, output) = (index / outputs, index % outputs)
      let sum = (0..<inputs).reduce(0) { $0 + x.whole(row, $1) * whole[output * inputs + $1] }
      return Double(sum) * Double(x.steps[row].scale) * Double(scale[output])
    }
  }
}

@Suite struct WholeProductTests {
  @Test(arguments: instructionSets)
  func wholeNumbersAreSummedExactly(isa: kernels_isa) {
    for (rows, inputs, outputs) in shapes {
      let product = WholeProduct(isa, inputs: inputs, outputs: outputs)
      let x = QuantizedRows(isa, normals(rows * inputs, seed: 2), width: inputs)
      for (found, expected) in zip(product.apply(isa, to: x), product.expected(x)) {
        #expect(abs(Double(found) - expected) <= 1e-6 * abs(expected))
      }
    }
  }

  /// The bound is that of the polynomial and of rounding to bfloat16.
  @Test(arguments: instructionSets)
  func theGELUIsScaled(isa: kernels_isa) {
    let (rows, inputs, outputs) = (13, 40, 70)
    let bias = normals(outputs, seed: 3)
    let product = WholeProduct(isa, inputs: inputs, outputs: outputs, bias: bias)
    let x = QuantizedRows(isa, normals(rows * inputs, seed: 2), width: inputs)
    let factors = (0..<outputs).map { Float([0.25, 1, 4][$0 % 3]) }
    for factors in [[], factors] {
      let found = product.apply(isa, to: x, KERNELS_GELU, as: KERNELS_BF16, factors: factors)
      for (index, sum) in product.expected(x).enumerated() {
        let value = sum + Double(bias[index % outputs])
        let factor = factors.isEmpty ? 1 : Double(factors[index % outputs])
        let expected = 0.5 * value * (1 + erf(value / 2.0.squareRoot())) * factor
        let bound = 2e-4 * max(1, abs(value) / 12) * factor + abs(expected) / 256
        #expect(abs(Double(found[index]) - expected) <= bound, "\(value)")
      }
    }
  }

  @Test(arguments: instructionSets)
  func aRowWithoutAStepIsNotANumber(isa: kernels_isa) {
    var x = normals(3 * 20, seed: 1)
    x[25] = .nan
    let product = WholeProduct(isa, inputs: 20, outputs: 40)
    let rows = QuantizedRows(isa, x, width: 20)
    for (ending, number) in [(KERNELS_STORE, KERNELS_F32), (KERNELS_GELU, KERNELS_BF16)] {
      let found = product.apply(isa, to: rows, ending, as: number)
      #expect(found[40..<80].allSatisfy { $0.isNaN })
      #expect(found[..<40].allSatisfy { $0.isFinite } && found[80...].allSatisfy { $0.isFinite })
    }
  }
}
