import Kernels

/// Numbers that AdamW changes, with its moments and a gradient; zero at first.
final class TrainedNumbers {
  let count: Int
  let value: FloatBuffer
  let gradient: FloatBuffer
  private let first: FloatBuffer
  private let second: FloatBuffer

  init(count: Int) {
    self.count = count
    let padded = count.rounded(upTo: TRAINING_LANES)
    value = FloatBuffer(count: padded)
    gradient = FloatBuffer(count: padded)
    first = FloatBuffer(count: padded)
    second = FloatBuffer(count: padded)
  }

  var values: [Float] {
    get { Array(value.values.prefix(count)) }
    set {
      precondition(newValue.count == count)
      for (index, number) in newValue.enumerated() { value.start[index] = number }
    }
  }

  /// Takes a step by the gradient, which is zero afterwards.
  func step(_ factors: training_adamw_factors) {
    var factors = factors
    training_adamw(&factors, value.count, gradient.start, value.start, first.start, second.start)
    gradient.values.update(repeating: 0)
  }
}

/// A dense layer in training, y = W x + b, with W [outputs, inputs] row-major.
final class TrainedLayer {
  let inputs: Int
  let outputs: Int
  let weights: TrainedNumbers
  /// nil for a layer without.
  let biases: TrainedNumbers?

  init(inputs: Int, outputs: Int, hasBiases: Bool = true) {
    self.inputs = inputs
    self.outputs = outputs
    weights = TrainedNumbers(count: inputs * outputs)
    biases = hasBiases ? TrainedNumbers(count: outputs) : nil
  }

  var layer: Head.Layer {
    Head.Layer(
      inputs: inputs, outputs: outputs, weights: weights.values,
      biases: biases?.values ?? Array(repeating: 0, count: outputs))
  }

  /// - Shape: x [rows, inputs], y [rows, outputs].
  func forward(
    _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, _ scratch: ProductScratch
  ) {
    scratch.multiply(
      x, rows: rows, inputs: inputs, weights: weights.value.start, outputs: outputs, adds: false, into: y)
    guard let biases else { return }
    for row in 0..<rows {
      for output in 0..<outputs { y[row * outputs + output] += biases.value.start[output] }
    }
  }

  /// Adds what rows add to the gradients of weights and biases, and writes that of x, where it is asked for.
  /// - Shape: `gradient` (of y) is [rows, outputs], x and its gradient [rows, inputs].
  func backward(
    _ gradient: UnsafePointer<Float>, x: UnsafePointer<Float>, rows: Int,
    into xGradient: UnsafeMutablePointer<Float>?, _ scratch: ProductScratch
  ) {
    // dW = dy^T x
    let turnedGradient = scratch.transposed(gradient, rows: rows, columns: outputs, in: scratch.left)
    let turnedX = scratch.transposed(x, rows: rows, columns: inputs, in: scratch.right)
    scratch.multiply(
      turnedGradient, rows: outputs, inputs: rows, weights: turnedX, outputs: inputs, adds: true,
      into: weights.gradient.start)
    if let biases {
      for output in 0..<outputs {
        var sum = 0.0
        for row in 0..<rows { sum += Double(gradient[row * outputs + output]) }
        biases.gradient.start[output] += Float(sum)
      }
    }
    guard let xGradient else { return }
    let turnedWeights = scratch.transposed(
      weights.value.start, rows: outputs, columns: inputs, in: scratch.right)
    scratch.multiply(
      gradient, rows: rows, inputs: outputs, weights: turnedWeights, outputs: inputs, adds: false,
      into: xGradient)
  }

  func step(weights factors: training_adamw_factors, biases biasFactors: training_adamw_factors) {
    weights.step(factors)
    biases?.step(biasFactors)
  }
}

/// Memory for products, that of one thread; it grows with what is multiplied.
final class ProductScratch {
  /// A matrix turned over.
  final class Turned {
    fileprivate var buffer = FloatBuffer(count: 0)
  }

  let left = Turned()
  let right = Turned()
  private let isa = kernels_active_isa()
  private var panels = FloatBuffer(count: 0)

  /// out [rows, outputs] = x [rows, inputs] times weights [outputs, inputs] transposed, added where `adds`.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, inputs: Int, weights: UnsafePointer<Float>, outputs: Int,
    adds: Bool,
    into out: UnsafeMutablePointer<Float>
  ) {
    let needed = kernels_panel_bytes(isa, KERNELS_F32, inputs, outputs) / 4
    if panels.count < needed { panels = FloatBuffer(count: needed) }
    kernels_pack(isa, KERNELS_F32, weights, inputs, inputs, outputs, nil, panels.start)
    var product = kernels_product()
    product.number = KERNELS_F32
    product.inputs = inputs
    product.outputs = outputs
    product.panels = UnsafeRawPointer(panels.start)
    kernels_matmul(
      isa, &product, x, inputs * 4, rows, nil, adds ? KERNELS_RESIDUAL : KERNELS_STORE, KERNELS_F32, out,
      outputs * 4)
  }

  /// The matrix with columns as rows, until the next call with the same memory.
  fileprivate func transposed(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, in turned: Turned
  ) -> UnsafePointer<Float> {
    if turned.buffer.count < rows * columns { turned.buffer = FloatBuffer(count: rows * columns) }
    let out = turned.buffer.start
    x.withMemoryRebound(to: UInt32.self, capacity: rows * columns) { words in
      out.withMemoryRebound(to: UInt32.self, capacity: rows * columns) { out in
        training_transpose(words, columns, rows, columns, out, rows)
      }
    }
    return UnsafePointer(out)
  }
}
