import Kernels

/// x W^T + b with the weights packed for one instruction set.
///
/// Unchecked: threads share the memory behind the pointers, but nobody writes to it after `init`.
final class Linear: @unchecked Sendable {
  let inputs: Int
  let outputs: Int
  let precision: Precision
  /// [outputs], for whoever adds it himself.
  let biasOrZeros: UnsafePointer<Float>
  private let isa = kernels_active_isa()
  private let memory: UnsafeMutableRawPointer
  private let product: kernels_product

  /// - Parameters:
  ///   - weights: [outputs, inputs].
  ///   - bias: [outputs], or none.
  ///   - scale: factors of the outputs, [outputs], which become part of weights and bias; or none.
  ///   - addsBias: whether `multiply` adds the bias.
  init(
    weights: UnsafeBufferPointer<Float>, bias: [Float], scale: [Float] = [], inputs: Int, outputs: Int,
    precision: Precision, addsBias: Bool = true
  ) {
    precondition(weights.count == inputs * outputs && (bias.isEmpty || bias.count == outputs))
    precondition(scale.isEmpty || scale.count == outputs)
    self.inputs = inputs
    self.outputs = outputs
    self.precision = precision
    let columns = kernels_panels(isa, outputs) * kernels_panel_columns(isa)
    let panelBytes = kernels_panel_bytes(isa, precision.number, inputs, outputs)
    memory = .allocate(byteCount: panelBytes + 4 * columns, alignment: 64)
    if scale.isEmpty {
      kernels_pack(isa, precision.number, weights.baseAddress, inputs, inputs, outputs, nil, memory)
    } else {
      let scaled = weights.indices.map { weights[$0] * scale[$0 / inputs] }
      kernels_pack(isa, precision.number, scaled, inputs, inputs, outputs, nil, memory)
    }
    let padded = (memory + panelBytes).bindMemory(to: Float.self, capacity: columns)
    padded.initialize(repeating: 0, count: columns)
    for (index, value) in bias.enumerated() { padded[index] = value * (scale.isEmpty ? 1 : scale[index]) }
    biasOrZeros = UnsafePointer(padded)
    product = kernels_product(
      number: precision.number, inputs: inputs, outputs: outputs, panels: memory,
      bias: bias.isEmpty || !addsBias ? nil : UnsafePointer(padded), scale: nil, sums: nil)
  }

  deinit { memory.deallocate() }

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
