import Kernels

/// The parameters of a vision transformer in the layout that the forward pass reads.
///
/// Unchecked: threads share the floats behind the pointers, but nobody writes to them after `init`, and they
/// live as long as this object.
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
  private let memory: [UnsafeMutablePointer<Float>]

  init(_ checkpoint: ViTCheckpoint, precision: Precision = .float32) throws {
    self.precision = precision
    var arena = Arena(precision: precision)
    do {
      let geometry = checkpoint.geometry
      let width = geometry.width
      patch = try arena.linear(checkpoint, "patch_embed.proj", geometry.patchValueCount, width)
      var leading = try checkpoint.floats("cls_token")
      if geometry.gridSize != nil {
        var table = try checkpoint.floats("pos_embed")
        if geometry.classHasPosition {
          for component in 0..<width { leading[component] += table[component] }
          table.removeFirst(width)
        }
        positions = .learned(table)
      } else {
        positions = .rotary(periods: try checkpoint.ropePeriods())
      }
      if geometry.registerCount > 0 { leading += try checkpoint.floats("register_tokens") }
      leadingTokens = arena.store(leading)
      blocks = try (0..<geometry.depth).map {
        try arena.block(checkpoint, "blocks.\($0).", geometry)
      }
      norm = try arena.norm(checkpoint, "norm")
      pool = try geometry.attentionPooling.map { try arena.pool(checkpoint, $0, width) }
      memory = arena.memory
    } catch {
      arena.free()
      throw error
    }
  }

  deinit {
    for pointer in memory { pointer.deallocate() }
  }
}

/// Copies tensors to memory that keeps its address.
private struct Arena {
  let precision: Precision
  private(set) var memory: [UnsafeMutablePointer<Float>] = []

  mutating func store(_ values: [Float]) -> UnsafePointer<Float> {
    let pointer = UnsafeMutablePointer<Float>.allocate(capacity: values.count)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.initialize(from: base, count: source.count) }
    }
    memory.append(pointer)
    return UnsafePointer(pointer)
  }

  func free() {
    for pointer in memory { pointer.deallocate() }
  }

  func linear(
    _ checkpoint: ViTCheckpoint, _ name: String, _ inputs: Int, _ outputs: Int, scale: [Float] = [],
    addsBias: Bool = true
  ) throws -> Linear {
    try checkpoint.floats(name + ".weight").withUnsafeBufferPointer {
      Linear(
        weights: $0, bias: try checkpoint.floats(name + ".bias"), scale: scale, inputs: inputs,
        outputs: outputs, precision: precision, addsBias: addsBias)
    }
  }

  mutating func pool(
    _ checkpoint: ViTCheckpoint, _ pooling: ViTGeometry.AttentionPooling, _ width: Int
  ) throws -> ViTWeights.Pool {
    func joint(_ kind: String) throws -> [Float] {
      try checkpoint.floats("pool.v" + kind) + checkpoint.floats("pool.u" + kind)
    }
    return ViTWeights.Pool(
      gates: try joint(".weight").withUnsafeBufferPointer {
        Linear(
          weights: $0, bias: try joint(".bias"), inputs: width, outputs: 2 * pooling.hiddenWidth,
          precision: .float32, addsBias: false)
      },
      scores: store(try checkpoint.floats("pool.scores.weight")))
  }

  mutating func norm(_ checkpoint: ViTCheckpoint, _ name: String) throws -> ViTWeights.LayerNorm {
    ViTWeights.LayerNorm(
      gamma: store(try checkpoint.floats(name + ".weight")),
      beta: store(try checkpoint.floats(name + ".bias")), epsilon: checkpoint.geometry.epsilon)
  }

  mutating func block(
    _ checkpoint: ViTCheckpoint, _ prefix: String, _ geometry: ViTGeometry
  ) throws -> ViTWeights.Block {
    let width = geometry.width
    // One tensor holds queries, keys and values; queries are split off because the last block needs few of them.
    let bias = try checkpoint.floats(prefix + "attn.qkv.bias")
    let (query, keyValue) = try checkpoint.floats(prefix + "attn.qkv.weight").withUnsafeBufferPointer {
      joint in
      let split = width * width
      return (
        Linear(
          weights: UnsafeBufferPointer(rebasing: joint[..<split]), bias: Array(bias.prefix(width)),
          inputs: width,
          outputs: width, precision: precision),
        Linear(
          weights: UnsafeBufferPointer(rebasing: joint[split...]), bias: Array(bias.dropFirst(width)),
          inputs: width, outputs: 2 * width, precision: precision)
      )
    }
    let mlp = geometry.mlp.tensorNames
    func layerScale(_ name: String) throws -> [Float] {
      geometry.hasLayerScale ? try checkpoint.floats("\(prefix)\(name).gamma") : []
    }
    return ViTWeights.Block(
      norm1: try norm(checkpoint, prefix + "norm1"),
      query: query,
      keyValue: keyValue,
      projection: try linear(checkpoint, prefix + "attn.proj", width, width, scale: try layerScale("ls1")),
      norm2: try norm(checkpoint, prefix + "norm2"),
      // The gate of SwiGLU adds the bias.
      hidden: try linear(
        checkpoint, prefix + mlp.first, width, geometry.hiddenUnitCount, addsBias: geometry.mlp == .gelu),
      output: try linear(
        checkpoint, prefix + mlp.last, geometry.mlpWidth, width, scale: try layerScale("ls2")))
  }
}

extension ViTWeights.LayerNorm {
  /// Writes the norm of float32 rows.
  func apply(_ input: UnsafePointer<Float>, width: Int, into output: UnsafeMutablePointer<Float>) {
    kernels_layer_norm(gamma, beta, epsilon, 1, width, input, output)
  }
}
