extension ViTGeometry {
  /// One tensor of a model: what it is called and its extents.
  struct Tensor: Equatable {
    let name: String
    let shape: [Int]
  }

  /// Every tensor of a model of this geometry, under its canonical name: that of facebookresearch/dino and
  /// dinov2, and `pool.*` for attention pooling, which they do not have.
  ///
  /// Joint tensors are listed as one, their parts one behind the other by rows: queries, keys and values as
  /// `qkv`, the two halves of SwiGLU as `w12`.
  func tensors() -> [Tensor] {
    var list = [Tensor(name: "cls_token", shape: [1, 1, width])]
    if let gridSize {
      let positions = gridSize * gridSize + (classHasPosition ? 1 : 0)
      list.append(Tensor(name: "pos_embed", shape: [1, positions, width]))
    }
    list += [
      Tensor(name: "patch_embed.proj.weight", shape: [width, inputChannels, patchSize, patchSize]),
      Tensor(name: "patch_embed.proj.bias", shape: [width]),
    ]
    if registerCount > 0 {
      list.append(Tensor(name: "register_tokens", shape: [1, registerCount, width]))
    }
    for block in 0..<depth { list += blockTensors("blocks.\(block).") }
    list += Self.norm("norm", width)
    if let pool = attentionPooling {
      list += Self.linear("pool.v", outputs: pool.hiddenWidth, inputs: width)
      list += Self.linear("pool.u", outputs: pool.hiddenWidth, inputs: width)
      list += Self.linear("pool.scores", outputs: pool.heads, inputs: pool.hiddenWidth)
    }
    return list
  }

  /// Numbers among the weights of a model of this geometry.
  package var parameterCount: Int {
    let absentBiases = attentionBias == .queryAndValue ? depth * width : 0
    return tensors().reduce(0) { $0 + $1.shape.reduce(1, *) } - absentBiases
  }

  private func blockTensors(_ prefix: String) -> [Tensor] {
    var list = Self.norm(prefix + "norm1", width)
    let joint = Self.linear(prefix + "attn.qkv", outputs: 3 * width, inputs: width)
    list += attentionBias == .none ? Array(joint.prefix(1)) : joint
    list += Self.linear(prefix + "attn.proj", outputs: width, inputs: width)
    list += Self.norm(prefix + "norm2", width)
    let (first, last) = mlp.tensorNames
    list += Self.linear(prefix + first, outputs: hiddenUnitCount, inputs: width)
    list += Self.linear(prefix + last, outputs: width, inputs: mlpWidth)
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

extension ViTGeometry.MLPKind {
  /// The two layers of an MLP of this kind, within a block.
  var tensorNames: (first: String, last: String) {
    switch self {
    case .gelu: ("mlp.fc1", "mlp.fc2")
    case .swiglu: ("mlp.w12", "mlp.w3")
    }
  }
}
