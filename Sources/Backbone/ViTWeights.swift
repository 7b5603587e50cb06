import Faults
import Kernels

/// The parameters of a vision transformer in the layout that the forward pass reads.
///
/// Unchecked: threads share the floats behind the pointers, but nobody writes to them, and they live as long as this
/// object.
final class ViTWeights: @unchecked Sendable {
  struct LayerNorm {
    let gamma: UnsafePointer<Float>
    let beta: UnsafePointer<Float>
    let epsilon: Float
  }

  /// Gated attention over tokens. The bias of its scores is left out: a constant added to all scores of a
  /// head changes no weight.
  struct Pool {
    /// The gates of tanh, then those of gelu.
    let gates: Linear
    /// [heads, hiddenWidth].
    let scores: UnsafePointer<Float>
  }

  /// What tells tokens where their patches lie.
  enum Positions {
    /// A table to be added to the patches: [gridSize^2, width].
    case learned([Float])
    /// The periods by which queries and keys are turned.
    case rotary(periods: [Double])
  }

  struct Block {
    let norm1: LayerNorm
    /// Queries, and keys followed by values; head-major inside each.
    let query: Linear
    let keyValue: Linear
    /// LayerScale is part of it, as of `output`.
    let projection: Linear
    let norm2: LayerNorm
    /// Hidden units; of SwiGLU the gating ones, then the gated ones.
    let hidden: Linear
    let output: Linear
  }

  let patch: Linear
  /// The class token with its position, then the registers: [1 + registerCount, width].
  let leadingTokens: UnsafePointer<Float>
  let blocks: [Block]
  let norm: LayerNorm
  let pool: Pool?
  let positions: Positions
  let precision: Precision
  /// What all of it lies in.
  private let packed: PackedWeights

  /// - Throws: `badData` when these are not the arrays of a model of this geometry.
  init(_ packed: PackedWeights, geometry: ViTGeometry, precision: Precision) throws(Fault) {
    self.packed = packed
    self.precision = precision
    let width = geometry.width
    patch = try Linear(
      packed, "patch", inputs: geometry.patchValueCount, outputs: width, precision: precision.floating)
    leadingTokens = try packed.floats("leading", count: geometry.leadingTokenCount * width)
    if let side = geometry.gridSize {
      let count = side * side * width
      positions = .learned(
        Array(UnsafeBufferPointer(start: try packed.floats("positions", count: count), count: count)))
    } else {
      let count = geometry.headWidth / 4
      let periods = try packed.array("periods", of: Double.self, count: count)
      positions = .rotary(periods: Array(UnsafeBufferPointer(start: periods, count: count)))
    }
    var blocks: [Block] = []
    for number in 0..<geometry.depth {
      blocks.append(try Block(packed, "blocks.\(number).", geometry, precision))
    }
    self.blocks = blocks
    norm = try LayerNorm(packed, "norm", geometry)
    if let pooling = geometry.attentionPooling {
      pool = Pool(
        gates: try Linear(
          packed, "pool.gates", inputs: width, outputs: 2 * pooling.hiddenWidth, precision: .float32,
          addsBias: false),
        scores: try packed.floats("pool.scores", count: pooling.heads * pooling.hiddenWidth))
    } else {
      pool = nil
    }
  }
}

extension ViTWeights.Block {
  fileprivate init(
    _ packed: PackedWeights, _ prefix: String, _ geometry: ViTGeometry, _ precision: Precision
  ) throws(Fault) {
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(Fault) -> Linear {
      try Linear(packed, prefix + name, inputs: inputs, outputs: outputs, precision: precision)
    }
    let width = geometry.width
    norm1 = try ViTWeights.LayerNorm(packed, prefix + "norm1", geometry)
    query = try linear("query", width, width)
    keyValue = try linear("keyValue", width, 2 * width)
    projection = try linear("projection", width, width)
    norm2 = try ViTWeights.LayerNorm(packed, prefix + "norm2", geometry)
    // The gate of SwiGLU adds the bias.
    let hasGELU = geometry.mlp == .gelu
    hidden = try Linear(
      packed, prefix + "hidden", inputs: width, outputs: geometry.hiddenUnitCount, precision: precision,
      addsBias: hasGELU, scalesResults: hasGELU)
    output = try linear("output", geometry.mlpWidth, width)
  }
}

extension ViTWeights.LayerNorm {
  fileprivate init(_ packed: PackedWeights, _ name: String, _ geometry: ViTGeometry) throws(Fault) {
    gamma = try packed.floats(name + ".gamma", count: geometry.width)
    beta = try packed.floats(name + ".beta", count: geometry.width)
    epsilon = geometry.epsilon
  }

  /// Writes the norm of float32 rows.
  func apply(_ input: UnsafePointer<Float>, width: Int, into output: UnsafeMutablePointer<Float>) {
    kernels_layer_norm(gamma, beta, epsilon, 1, width, input, output)
  }
}
