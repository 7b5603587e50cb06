import Glibc
import Kernels
import Randomness
import Testing

/// Rows of several kinds: the oracle must hold for all of them.
private enum Distribution: CaseIterable {
  case normal
  case shifted
  case large
  case tiny
  case constant
  case zeros
  case outlier

  func values(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      switch self {
      case .normal: Float(generator.normal())
      case .shifted: Float(10 + generator.normal())
      case .large: Float(1e4 * generator.normal())
      case .tiny: Float(1e-30 * generator.normal())
      case .constant: 3
      case .zeros: 0
      case .outlier: index % 97 == 5 ? 60 : Float(generator.normal())
      }
    }
  }
}

/// Below, at and beyond a vector of eight, and the widths of real models.
private let widths = [1, 3, 7, 8, 9, 31, 64, 197, 384, 785]

@Suite struct LayerNormTests {
  @Test(arguments: instructionSets, widths)
  func equalsTheFormulaInDouble(isa: kernels_isa, width: Int) {
    let rows = 3
    let gamma = Distribution.normal.values(width, seed: 2).map { 1 + 0.2 * $0 }
    let beta = Distribution.normal.values(width, seed: 3)
    for distribution in Distribution.allCases {
      let x = distribution.values(rows * width)
      var out = [Float](repeating: .nan, count: rows * width)
      kernels_layer_norm_on(isa, gamma, beta, 1e-6, rows, width, x, &out)
      for row in 0..<rows {
        let values = x[row * width..<(row + 1) * width].map(Double.init)
        let mean = values.reduce(0, +) / Double(width)
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(width)
        // Centring in float32 costs up to an ulp of the mean, in units of the standard deviation.
        let spread = (variance + 1e-6).squareRoot()
        let bound = 2e-6 + 3e-7 * abs(mean) / spread
        for (index, value) in values.enumerated() {
          let expected = (value - mean) / spread * Double(gamma[index]) + Double(beta[index])
          let error = abs(Double(out[row * width + index]) - expected)
          #expect(error <= bound * max(1, abs(expected)), "\(distribution) row \(row) column \(index)")
        }
      }
    }
  }

  @Test(arguments: instructionSets)
  func aConstantRowGivesBeta(isa: kernels_isa) {
    let beta = Distribution.normal.values(20)
    var out = [Float](repeating: .nan, count: 20)
    kernels_layer_norm_on(
      isa, [Float](repeating: 5, count: 20), beta, 1e-6, 1, 20, [Float](repeating: 3, count: 20), &out)
    #expect(out == beta)
  }

  @Test(arguments: instructionSets)
  func aRowDoesNotDependOnItsNeighbours(isa: kernels_isa) {
    let (rows, width) = (5, 37)
    let x = Distribution.normal.values(rows * width)
    let ones = [Float](repeating: 1, count: width)
    var together = [Float](repeating: 0, count: rows * width)
    kernels_layer_norm_on(isa, ones, ones, 1e-6, rows, width, x, &together)
    for row in 0..<rows {
      var alone = [Float](repeating: 0, count: width)
      kernels_layer_norm_on(
        isa, ones, ones, 1e-6, 1, width, Array(x[row * width..<(row + 1) * width]), &alone)
      #expect(alone == Array(together[row * width..<(row + 1) * width]))
    }
  }

  @Test(arguments: instructionSets)
  func notANumberStaysInItsRow(isa: kernels_isa) {
    var x = Distribution.normal.values(2 * 11)
    x[10] = .nan
    let ones = [Float](repeating: 1, count: 11)
    var out = [Float](repeating: 0, count: 2 * 11)
    kernels_layer_norm_on(isa, ones, ones, 1e-6, 2, 11, x, &out)
    #expect(out[..<11].allSatisfy { $0.isNaN })
    #expect(out[11...].allSatisfy { $0.isFinite })
  }
}

@Suite struct SoftmaxTests {
  @Test(arguments: instructionSets, widths)
  func equalsTheFormulaInDouble(isa: kernels_isa, width: Int) {
    for distribution in Distribution.allCases {
      let values = distribution.values(2 * width)
      var x = values
      kernels_softmax_on(isa, 2, width, &x)
      for row in 0..<2 {
        let range = row * width..<(row + 1) * width
        let largest = values[range].max() ?? 0
        let weights = values[range].map { exp(max(-87, Double($0 - largest))) }
        let sum = weights.reduce(0, +)
        for (index, weight) in zip(range, weights) {
          let error = abs(Double(x[index]) - weight / sum)
          #expect(error <= 5e-7 * weight / sum + 1e-44, "\(distribution) \(index)")
        }
      }
    }
  }

  @Test(arguments: instructionSets)
  func equalValuesShareEqually(isa: kernels_isa) {
    for value: Float in [0, -1e38, 1e38] {
      var x = [Float](repeating: value, count: 10)
      kernels_softmax_on(isa, 1, 10, &x)
      #expect(x == [Float](repeating: 0.1, count: 10))
    }
  }

  @Test(arguments: instructionSets)
  func notANumberStaysInItsRow(isa: kernels_isa) {
    for place in [0, 4, 10] {
      var x = Distribution.normal.values(2 * 11)
      x[place] = .nan
      kernels_softmax_on(isa, 2, 11, &x)
      #expect(x[..<11].allSatisfy { $0.isNaN })
      #expect(x[11...].allSatisfy { $0.isFinite })
    }
  }
}

@Suite struct GeluTests {
  /// As the end of a product with 1.
  private func gelu(_ values: [Float], _ isa: kernels_isa, as result: kernels_number = KERNELS_F32) -> [Float]
  {
    PackedProduct(isa, KERNELS_F32, weights: values, inputs: 1, outputs: values.count)
      .apply(to: [1], rows: 1, KERNELS_GELU, as: result).values
  }

  private func exact(_ v: Float) -> Double { 0.5 * Double(v) * erfc(-Double(v) / 2.0.squareRoot()) }

  @Test(arguments: instructionSets)
  func equalsErfInDouble(isa: kernels_isa) {
    let values = stride(from: Float(-16), through: 16, by: 1.0 / 512).map { $0 }
    var largestError = 0.0
    var largestTailError = 0.0
    for (v, found) in zip(values, gelu(values, isa)) {
      let expected = exact(v)
      let error = abs(Double(found) - expected)
      #expect(error <= 1e-7 + abs(expected) * 0x1p-24, "at \(v)")
      largestError = max(largestError, error - abs(expected) * 0x1p-24)
      if v < 0, v >= -12 { largestTailError = max(largestTailError, error / abs(expected)) }
    }
    #expect(largestError < 1e-7)
    #expect(largestTailError < 5e-6)
  }

  @Test(arguments: instructionSets)
  func smallValuesKeepTheirRelativeAccuracy(isa: kernels_isa) {
    let values = (-30...(-1)).flatMap { [Float(exp2(Double($0))), -Float(exp2(Double($0)))] }
    for (v, found) in zip(values, gelu(values, isa)) {
      #expect(abs(Double(found) - exact(v)) <= 3e-7 * abs(exact(v)), "at \(v)")
    }
  }

  @Test(arguments: instructionSets)
  func specialValues(isa: kernels_isa) {
    let found = gelu([0, -0.0, .infinity, 1e30, -1e30, .nan, -.infinity], isa)
    #expect(found[0] == 0 && found[1] == 0)
    #expect(found[2] == .infinity && found[3] == 1e30)
    #expect(abs(found[4]) < 1e-35 && abs(found[6]) < 1e-35)
    #expect(found[5].isNaN)
  }

  @Test(arguments: instructionSets)
  func theBiasIsAddedFirst(isa: kernels_isa) {
    let bias = Distribution.normal.values(13)
    let x = Distribution.normal.values(13, seed: 9)
    let product = PackedProduct(isa, KERNELS_F32, weights: x, bias: bias, inputs: 1, outputs: 13)
    #expect(product.apply(to: [1], rows: 1, KERNELS_GELU).values == gelu(zip(x, bias).map { $0 + $1 }, isa))
  }

  @Test(arguments: instructionSets)
  func theQuickOneIsWithinItsBound(isa: kernels_isa) {
    let values = stride(from: Float(-12), through: 12, by: 1.0 / 256).map { $0 }
    for (v, found) in zip(values, gelu(values, isa, as: KERNELS_BF16)) {
      #expect(abs(Double(found) - exact(v)) <= 5e-5 + abs(exact(v)) * 0x1p-8, "at \(v)")
    }
  }
}

@Suite struct GateTests {
  /// The first halves of the gated rows.
  private func gated(
    _ rows: [Float], _ bias: [Float], width: Int,
    by gate: (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Void
  ) -> [Float] {
    var x = rows
    let count = rows.count / (2 * width)
    gate(bias, count, width, &x)
    return (0..<count).flatMap { x[2 * width * $0..<2 * width * $0 + width] }
  }

  private func silu(_ v: Float, _ isa: kernels_isa) -> Float {
    gated([v, 1], [0, 0], width: 1) { kernels_silu_gate_on(isa, $0, $1, $2, $3) }[0]
  }

  /// gelu(w) of a large w is w, which lets tanh through.
  private func tanh(_ v: Float, _ isa: kernels_isa) -> Float {
    gated([v, 64], [0, 0], width: 1) { kernels_tanh_gelu_gate_on(isa, $0, $1, $2, $3) }[0] / 64
  }

  @Test(arguments: instructionSets)
  func functionsEqualThoseInDouble(isa: kernels_isa) {
    for v in stride(from: Float(-90), through: 90, by: 1.0 / 64) {
      let sigmoid = 1 / (1 + exp(-Double(v)))
      let error = abs(Double(silu(v, isa)) - Double(v) * sigmoid)
      #expect(error <= 6e-7 * abs(Double(v) * sigmoid) + 2e-36, "silu at \(v)")
      #expect(abs(Double(tanh(v, isa)) - Glibc.tanh(Double(v))) <= 3e-7, "tanh at \(v)")
    }
  }

  @Test(arguments: instructionSets)
  func specialValues(isa: kernels_isa) {
    #expect(silu(0, isa) == 0 && silu(1e30, isa) == 1e30 && silu(.infinity, isa) == .infinity)
    #expect(abs(silu(-1e30, isa)) < 1e-35 && abs(silu(-.infinity, isa)) < 1e-35)
    #expect(tanh(0, isa) == 0 && tanh(.infinity, isa) == 1 && tanh(-.infinity, isa) == -1)
    #expect(silu(.nan, isa).isNaN && tanh(.nan, isa).isNaN)
  }

  @Test(arguments: instructionSets, [1, 7, 8, 13, 64])
  func eachHalfTakesItsBias(isa: kernels_isa, width: Int) {
    let x = Distribution.normal.values(3 * 2 * width)
    let bias = Distribution.normal.values(2 * width, seed: 2)
    let swiglu = gated(x, bias, width: width) { kernels_silu_gate_on(isa, $0, $1, $2, $3) }
    let pooling = gated(x, bias, width: width) { kernels_tanh_gelu_gate_on(isa, $0, $1, $2, $3) }
    for row in 0..<3 {
      for column in 0..<width {
        let v = Double(x[row * 2 * width + column]) + Double(bias[column])
        let w = Double(x[row * 2 * width + width + column]) + Double(bias[width + column])
        let index = row * width + column
        #expect(abs(Double(swiglu[index]) - v / (1 + exp(-v)) * w) <= 2e-6)
        #expect(abs(Double(pooling[index]) - Glibc.tanh(v) * 0.5 * w * erfc(-w / 2.0.squareRoot())) <= 2e-6)
      }
    }
  }

  @Test(arguments: instructionSets)
  func notANumberStaysInItsRow(isa: kernels_isa) {
    for place in [0, 3, 6, 10] {
      var x = Distribution.normal.values(2 * 12)
      x[place] = .nan
      let found = gated(x, [Float](repeating: 0, count: 12), width: 6) {
        kernels_silu_gate_on(isa, $0, $1, $2, $3)
      }
      #expect(found[place % 6].isNaN)
      #expect(found[6...].allSatisfy { $0.isFinite })
    }
  }
}

@Suite struct RotationTests {
  @Test(arguments: instructionSets, [2, 4, 10, 16, 64])
  func equalsTheFormulaInDouble(isa: kernels_isa, width: Int) {
    let (rows, heads, stride) = (3, 2, 2 * width + 5)
    let half = width / 2
    let angles = Distribution.normal.values(rows * half, seed: 2).map(Double.init)
    let turns = (0..<rows).flatMap { row in
      let own = angles[row * half..<(row + 1) * half]
      return own.map { Float(cos($0)) } + own.map { Float(sin($0)) }
    }
    let x = Distribution.normal.values(rows * stride)
    var rotated = x
    kernels_rotate_on(isa, turns, rows, heads, width, stride, &rotated)
    for row in 0..<rows {
      for head in 0..<heads {
        let start = row * stride + head * width
        for i in 0..<half {
          let (a, b) = (Double(x[start + i]), Double(x[start + half + i]))
          let (c, s) = (Double(turns[row * width + i]), Double(turns[row * width + half + i]))
          let bound = 2e-7 * (abs(a) + abs(b))
          #expect(abs(Double(rotated[start + i]) - (a * c - b * s)) <= bound)
          #expect(abs(Double(rotated[start + half + i]) - (b * c + a * s)) <= bound)
        }
      }
      let rest = row * stride + heads * width..<(row + 1) * stride
      #expect(Array(rotated[rest]) == Array(x[rest]), "what lies between the rows")
    }
  }
}

@Suite struct EmptyRowsTests {
  @Test func noRowsIsNoWork() {
    kernels_softmax(0, 8, nil)
    kernels_silu_gate(nil, 0, 8, nil)
    kernels_tanh_gelu_gate(nil, 4, 0, nil)
    kernels_rotate(nil, 0, 2, 8, 16, nil)
    kernels_softmax(4, 0, nil)
    kernels_layer_norm(nil, nil, 1e-6, 0, 8, nil, nil)
  }
}

@Suite struct DenormalTests {
  @Test func denormalsAreFlushedUntilTheStateIsRestored() {
    let small = Float(bitPattern: 71_362)
    func plusZero() -> Float {
      // Turned by nothing: x * 1 - 0 * 0.
      var pair = [small, 0]
      kernels_rotate([1, 0], 1, 1, 2, 2, &pair)
      return pair[0]
    }
    let state = kernels_flush_denormals()
    let flushed = plusZero()
    kernels_restore_denormals(state)
    #if arch(x86_64)
      #expect(flushed == 0)
    #endif
    #expect(plusZero() == small)
  }
}
