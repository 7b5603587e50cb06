import Faults
import Kernels

/// x W^T + b with the weights packed for one instruction set.
///
/// Unchecked: threads share the memory behind the pointers, but nobody writes to it. It belongs to the packed weights,
/// which whoever has the layer keeps.
final class Linear: @unchecked Sendable {
  let inputs: Int
  let outputs: Int
  let precision: Precision
  /// [outputs], for whoever adds it himself.
  let biasOrZeros: UnsafePointer<Float>
  private let isa = kernels_active_isa()
  private let product: kernels_product

  /// - Parameters:
  ///   - name: what the layer was packed under.
  ///   - addsBias: whether `multiply` adds the bias.
  ///   - scalesResults: with int8, whether results behind the GELU are multiplied with factors of their own.
  /// - Throws: `badData` when there is no such layer of these extents.
  init(
    _ packed: PackedWeights, _ name: String, inputs: Int, outputs: Int, precision: Precision,
    addsBias: Bool = true, scalesResults: Bool = false
  ) throws(Fault) {
    self.inputs = inputs
    self.outputs = outputs
    self.precision = precision
    let panels = try packed.array(
      name + ".panels", of: UInt8.self, count: kernels_panel_bytes(isa, precision.number, inputs, outputs))
    let columns = Self.paddedCount(outputs)
    biasOrZeros = try packed.floats(name + ".bias", count: columns)
    let isInt8 = precision == .int8
    product = kernels_product(
      number: precision.number, inputs: inputs, outputs: outputs, panels: panels,
      bias: addsBias ? biasOrZeros : nil,
      scale: isInt8 ? try packed.floats(name + ".steps", count: columns) : nil,
      sums: isInt8 ? try packed.array(name + ".sums", of: Int32.self, count: columns) : nil,
      factors: isInt8 && scalesResults ? try packed.floats(name + ".factors", count: columns) : nil)
  }

  /// Packs a layer for the instruction set of this process.
  ///
  /// - Parameters:
  ///   - weights: [outputs, inputs].
  ///   - bias: [outputs], or none.
  ///   - scale: factors of the outputs, [outputs], which become part of weights and bias; or none.
  ///   - calibration: of int8 only, and needed there.
  static func pack(
    _ name: String, weights: UnsafeBufferPointer<Float>, bias: [Float], scale: [Float] = [], inputs: Int,
    outputs: Int, precision: Precision, calibration: Calibration? = nil,
    into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    precondition((precision == .int8) == (calibration != nil))
    precondition(weights.count == inputs * outputs && (bias.isEmpty || bias.count == outputs))
    precondition(scale.isEmpty || scale.count == outputs)
    let isa = kernels_active_isa()
    let whole = calibration.map {
      Int8Weights(weights, scale: scale, inputs: inputs, outputs: outputs, calibration: $0)
    }
    func pack(_ weights: UnsafePointer<Float>?, _ panels: UnsafeMutableRawBufferPointer) {
      kernels_pack(isa, precision.number, weights, inputs, inputs, outputs, whole?.steps, panels.baseAddress)
    }
    try target.add(name + ".panels", byteCount: kernels_panel_bytes(isa, precision.number, inputs, outputs)) {
      panels in
      if let whole {
        pack(whole.values, panels)
      } else if scale.isEmpty {
        pack(weights.baseAddress, panels)
      } else {
        pack(weights.indices.map { weights[$0] * scale[$0 / inputs] }, panels)
      }
    }
    var bias = scale.isEmpty || bias.isEmpty ? bias : zip(bias, scale).map { $0 * $1 }
    if let whole {
      bias = bias.isEmpty ? whole.corrections : zip(bias, whole.corrections).map { $0 + $1 }
      try target.add(name + ".steps", padded(whole.steps, outputs))
      try target.add(name + ".sums", padded(whole.sums, outputs))
    }
    if let factors = calibration?.resultFactors, !factors.isEmpty {
      try target.add(name + ".factors", padded(factors, outputs))
    }
    try target.add(name + ".bias", padded(bias, outputs))
  }

  /// With zeros up to whole panels.
  private static func padded<Number: AdditiveArithmetic>(_ values: [Number], _ outputs: Int) -> [Number] {
    values + [Number](repeating: .zero, count: paddedCount(outputs) - values.count)
  }

  /// Outputs of whole panels.
  private static func paddedCount(_ outputs: Int) -> Int {
    let isa = kernels_active_isa()
    return kernels_panels(isa, outputs) * kernels_panel_columns(isa)
  }

  /// - Parameters:
  ///   - input: rows of the precision's numbers, whole words each, `input.stride` bytes apart.
  ///   - steps: of these rows, with int8 only.
  ///   - result: what `output` holds: float32, or the precision's numbers.
  func multiply(
    _ input: Rows, _ steps: UnsafePointer<kernels_step>? = nil, rows: Int,
    _ ending: kernels_ending = KERNELS_STORE, as result: Precision,
    into output: Rows
  ) {
    withUnsafePointer(to: product) {
      kernels_matmul(
        isa, $0, input.start, input.stride, rows, precision == .int8 ? steps : nil, ending, result.number,
        output.start, output.stride)
    }
  }
}

/// Rows of numbers in memory.
struct Rows {
  let start: UnsafeMutableRawPointer
  /// Bytes from one row to the next.
  let stride: Int

  /// From a later row on.
  func from(_ row: Int) -> Rows { Rows(start: start + row * stride, stride: stride) }

  /// From a later byte of each row on.
  func advanced(bytes: Int) -> Rows { Rows(start: start + bytes, stride: stride) }

  var bytes: UnsafeMutablePointer<UInt8> { start.assumingMemoryBound(to: UInt8.self) }

  func floats(_ row: Int = 0) -> UnsafeMutablePointer<Float> {
    (start + row * stride).assumingMemoryBound(to: Float.self)
  }
}
