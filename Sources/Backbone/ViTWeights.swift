import Copenblas
import Kernels

/// The parameters of a vision transformer in the layout that the forward pass reads.
///
/// Unchecked: threads share the floats behind the pointers, but nobody writes to them after `init`, and they
/// live as long as this object.
final class ViTWeights: @unchecked Sendable {
  /// x W^T + b, a weight row per output.
  struct Linear {
    let weight: UnsafePointer<Float>
    let bias: UnsafePointer<Float>
    let inputs: Int
    let outputs: Int
  }

  struct LayerNorm {
    let gamma: UnsafePointer<Float>
    let beta: UnsafePointer<Float>
  }

  struct Block {
    let norm1: LayerNorm
    /// Queries, and keys followed by values; head-major inside each.
    let query: Linear
    let keyValue: Linear
    let projection: Linear
    /// nil without LayerScale.
    let scale1: UnsafePointer<Float>?
    let norm2: LayerNorm
    let hidden: Linear
    let output: Linear
    let scale2: UnsafePointer<Float>?
  }

  let patch: Linear
  /// The class token with its position, then the registers: [1 + registerCount, width].
  let leadingTokens: UnsafePointer<Float>
  let blocks: [Block]
  let norm: LayerNorm
  /// Positions of the patches as stored: [gridSize^2, width].
  let positions: [Float]
  private let memory: [UnsafeMutablePointer<Float>]

  init(_ checkpoint: ViTCheckpoint) throws {
    var arena = Arena()
    do {
      let geometry = checkpoint.geometry
      let width = geometry.width
      patch = try arena.linear(checkpoint, "patch_embed.proj", geometry.patchValueCount, width)
      var positions = try checkpoint.floats("pos_embed")
      var leading = try checkpoint.floats("cls_token")
      if checkpoint.geometry.classHasPosition {
        for component in 0..<width { leading[component] += positions[component] }
        positions.removeFirst(width)
      }
      if geometry.registerCount > 0 { leading += try checkpoint.floats("register_tokens") }
      self.positions = positions
      leadingTokens = arena.store(leading)
      blocks = try (0..<geometry.depth).map {
        try arena.block(checkpoint, "blocks.\($0).", geometry)
      }
      norm = try arena.norm(checkpoint, "norm")
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

  mutating func linear(
    _ checkpoint: ViTCheckpoint, _ name: String, _ inputs: Int, _ outputs: Int
  ) throws -> ViTWeights.Linear {
    ViTWeights.Linear(
      weight: store(try checkpoint.floats(name + ".weight")),
      bias: store(try checkpoint.floats(name + ".bias")), inputs: inputs, outputs: outputs)
  }

  mutating func norm(_ checkpoint: ViTCheckpoint, _ name: String) throws -> ViTWeights.LayerNorm {
    ViTWeights.LayerNorm(
      gamma: store(try checkpoint.floats(name + ".weight")),
      beta: store(try checkpoint.floats(name + ".bias")))
  }

  mutating func block(
    _ checkpoint: ViTCheckpoint, _ prefix: String, _ geometry: ViTGeometry
  ) throws -> ViTWeights.Block {
    let width = geometry.width
    // One tensor holds queries, keys and values; queries are split off because the last block needs one only.
    let joint = try linear(checkpoint, prefix + "attn.qkv", width, 3 * width)
    return ViTWeights.Block(
      norm1: try norm(checkpoint, prefix + "norm1"),
      query: .init(weight: joint.weight, bias: joint.bias, inputs: width, outputs: width),
      keyValue: .init(
        weight: joint.weight + width * width, bias: joint.bias + width, inputs: width, outputs: 2 * width),
      projection: try linear(checkpoint, prefix + "attn.proj", width, width),
      scale1: geometry.hasLayerScale ? store(try checkpoint.floats(prefix + "ls1.gamma")) : nil,
      norm2: try norm(checkpoint, prefix + "norm2"),
      hidden: try linear(checkpoint, prefix + "mlp.fc1", width, geometry.mlpWidth),
      output: try linear(checkpoint, prefix + "mlp.fc2", geometry.mlpWidth, width),
      scale2: geometry.hasLayerScale ? store(try checkpoint.floats(prefix + "ls2.gamma")) : nil)
  }
}

extension ViTWeights.Linear {
  /// The products without the bias, which the kernel that follows adds: [rows, inputs] -> [rows, outputs].
  func multiply(_ input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs), blasint(inputs), 1, input,
      blasint(inputs), weight, blasint(inputs), 0, output, blasint(outputs))
  }
}

extension ViTWeights.LayerNorm {
  /// timm, DINO and DINOv2 all use 1e-6.
  static let epsilon: Float = 1e-6

  func apply(_ input: UnsafePointer<Float>, rows: Int, width: Int, into output: UnsafeMutablePointer<Float>) {
    kernels_layer_norm(gamma, beta, Self.epsilon, rows, width, input, output)
  }
}
