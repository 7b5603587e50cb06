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
  /// - Throws: `badData` when there is no such layer of these extents.
  init(
    _ packed: PackedWeights, _ name: String, inputs: Int, outputs: Int, precision: Precision,
    addsBias: Bool = true
  ) throws(Fault) {
    self.inputs = inputs
    self.outputs = outputs
    self.precision = precision
    let panels = try packed.array(
      name + ".panels", of: UInt8.self, count: kernels_panel_bytes(isa, precision.number, inputs, outputs))
    biasOrZeros = try packed.floats(name + ".bias", count: Self.paddedCount(outputs))
    product = kernels_product(
      number: precision.number, inputs: inputs, outputs: outputs, panels: panels,
      bias: addsBias ? biasOrZeros : nil, scale: nil, sums: nil)
  }

  /// Packs a layer for the instruction set of this process.
  ///
  /// - Parameters:
  ///   - weights: [outputs, inputs].
  ///   - bias: [outputs], or none.
  ///   - scale: factors of the outputs, [outputs], which become part of weights and bias; or none.
  static func pack(
    _ name: String, weights: UnsafeBufferPointer<Float>, bias: [Float], scale: [Float] = [], inputs: Int,
    outputs: Int, precision: Precision, into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    precondition(weights.count == inputs * outputs && (bias.isEmpty || bias.count == outputs))
    precondition(scale.isEmpty || scale.count == outputs)
    let isa = kernels_active_isa()
    func pack(_ weights: UnsafePointer<Float>?, _ panels: UnsafeMutableRawBufferPointer) {
      kernels_pack(isa, precision.number, weights, inputs, inputs, outputs, nil, panels.baseAddress)
    }
    try target.add(name + ".panels", byteCount: kernels_panel_bytes(isa, precision.number, inputs, outputs)) {
      panels in
      if scale.isEmpty {
        pack(weights.baseAddress, panels)
      } else {
        pack(weights.indices.map { weights[$0] * scale[$0 / inputs] }, panels)
      }
    }
    var padded = [Float](repeating: 0, count: paddedCount(outputs))
    for (index, value) in bias.enumerated() { padded[index] = value * (scale.isEmpty ? 1 : scale[index]) }
    try target.add(name + ".bias", padded)
  }

  /// Outputs of whole panels.
  private static func paddedCount(_ outputs: Int) -> Int {
    let isa = kernels_active_isa()
    return kernels_panels(isa, outputs) * kernels_panel_columns(isa)
  }

  /// - Parameters:
  ///   - input: rows of the precision's numbers, whole words each, `input.stride` bytes apart.
  ///   - result: what `output` holds: float32, or the precision's numbers.
  func multiply(
    _ input: Rows, rows: Int, _ ending: kernels_ending = KERNELS_STORE, as result: Precision,
    into output: Rows
  ) {
    withUnsafePointer(to: product) {
      kernels_matmul(
        isa, $0, input.start, input.stride, rows, nil, ending, result.number, output.start, output.stride)
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

  func floats(_ row: Int = 0) -> UnsafeMutablePointer<Float> {
    (start + row * stride).assumingMemoryBound(to: Float.self)
  }
}
