/// The extents of a vision transformer, all of which follow from the shapes of its tensors (but for the number
/// of heads, which no shape tells when heads are not 64 wide).
package struct ViTGeometry: Sendable, Equatable, Codable {
  /// Components of a token, and so of an embedding.
  package let width: Int
  /// Number of blocks.
  package let depth: Int
  /// Attention heads a block; each is width / heads wide.
  package let heads: Int
  /// Side of a patch, pixels.
  package let patchSize: Int
  package let inputChannels: Int
  /// Side of the square grid of patches that the stored positional embedding is for.
  package let gridSize: Int
  /// Hidden units of a block's MLP.
  package let mlpWidth: Int
  /// Whether residual branches are scaled by a learned vector (DINOv2).
  package let hasLayerScale: Bool
  /// Extra tokens behind the class token (DINOv2 with registers); 0 for most.
  package let registerCount: Int
  /// Whether the class token has a position of its own. timm's models with registers have none: it is added
  /// to the token already.
  package let classHasPosition: Bool

  package init(
    width: Int, depth: Int, heads: Int, patchSize: Int, inputChannels: Int, gridSize: Int, mlpWidth: Int,
    hasLayerScale: Bool = false, registerCount: Int = 0, classHasPosition: Bool = true
  ) {
    self.width = width
    self.depth = depth
    self.heads = heads
    self.patchSize = patchSize
    self.inputChannels = inputChannels
    self.gridSize = gridSize
    self.mlpWidth = mlpWidth
    self.hasLayerScale = hasLayerScale
    self.registerCount = registerCount
    self.classHasPosition = classHasPosition
  }

  /// Values of one patch over all inputs.
  var patchValueCount: Int { inputChannels * patchSize * patchSize }
}

extension ViTGeometry {
  /// One tensor of a model: what it is called and its extents.
  struct Tensor: Equatable {
    let name: String
    let shape: [Int]
  }

  /// Every tensor of a model of this geometry, under the names of facebookresearch/dino and dinov2.
  func tensors() -> [Tensor] {
    let tokens = gridSize * gridSize + (classHasPosition ? 1 : 0)
    var list = [
      Tensor(name: "cls_token", shape: [1, 1, width]),
      Tensor(name: "pos_embed", shape: [1, tokens, width]),
      Tensor(name: "patch_embed.proj.weight", shape: [width, inputChannels, patchSize, patchSize]),
      Tensor(name: "patch_embed.proj.bias", shape: [width]),
    ]
    if registerCount > 0 {
      list.append(Tensor(name: "register_tokens", shape: [1, registerCount, width]))
    }
    for block in 0..<depth { list += blockTensors("blocks.\(block).") }
    list += Self.norm("norm", width)
    return list
  }

  private func blockTensors(_ prefix: String) -> [Tensor] {
    var list = Self.norm(prefix + "norm1", width)
    list += Self.linear(prefix + "attn.qkv", outputs: 3 * width, inputs: width)
    list += Self.linear(prefix + "attn.proj", outputs: width, inputs: width)
    list += Self.norm(prefix + "norm2", width)
    list += Self.linear(prefix + "mlp.fc1", outputs: mlpWidth, inputs: width)
    list += Self.linear(prefix + "mlp.fc2", outputs: width, inputs: mlpWidth)
    if hasLayerScale {
      list += ["ls1.gamma", "ls2.gamma"].map { Tensor(name: prefix + $0, shape: [width]) }
    }
    return list
  }

  private static func norm(_ name: String, _ width: Int) -> [Tensor] {
    [Tensor(name: name + ".weight", shape: [width]), Tensor(name: name + ".bias", shape: [width])]
  }

  private static func linear(_ name: String, outputs: Int, inputs: Int) -> [Tensor] {
    [
      Tensor(name: name + ".weight", shape: [outputs, inputs]),
      Tensor(name: name + ".bias", shape: [outputs]),
    ]
  }
}
