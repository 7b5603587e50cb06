/// The names of Hugging Face transformers. ViT and DINOv2 have two spellings: `save_pretrained` writes the
/// old one, and `torch.save` of a model of transformers 5 the one that it has in memory.
///
/// - Source: the tensors of models instantiated with transformers 5.24
///   (tools/fixtures/families/huggingface.py).
extension NamingScheme {
  /// `ViTModel`, as which the DINO models are distributed.
  static let huggingFaceViT = huggingFace(
    .huggingFaceViT, blocks: "encoder.layer.#", norms: ("layernorm_before", "layernorm_after"),
    attention: ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
    projection: "attention.output.dense", mlp: ("intermediate.dense", "output.dense"))

  static let huggingFaceViTInMemory = huggingFace(
    .huggingFaceViT, blocks: "layers.#", norms: ("layernorm_before", "layernorm_after"),
    attention: ["attention.q_proj", "attention.k_proj", "attention.v_proj"],
    projection: "attention.o_proj", mlp: ("mlp.fc1", "mlp.fc2"))

  /// `Dinov2Model` and `Dinov2WithRegistersModel`.
  static let huggingFaceV2 = huggingFace(
    .huggingFaceV2, blocks: "encoder.layer.#", norms: ("norm1", "norm2"),
    attention: ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
    projection: "attention.output.dense", mlp: ("mlp.fc1", "mlp.fc2"),
    swiglu: (["mlp.weights_in"], "mlp.weights_out"))

  static let huggingFaceV2InMemory = huggingFace(
    .huggingFaceV2, blocks: "encoder.layer.#", norms: ("norm1", "norm2"),
    attention: ["attention.q_proj", "attention.k_proj", "attention.v_proj"],
    projection: "attention.o_proj", mlp: ("mlp.fc1", "mlp.fc2"),
    swiglu: (["mlp.gate_proj", "mlp.up_proj"], "mlp.down_proj"))

  /// `DINOv3ViTModel`. In memory blocks are called `model.layer.#`, of which `TensorNames` takes the first
  /// word.
  static let huggingFaceV3 = huggingFace(
    .huggingFaceV3, blocks: "layer.#", norms: ("norm1", "norm2"),
    attention: ["attention.q_proj", "attention.k_proj", "attention.v_proj"],
    projection: "attention.o_proj", mlp: ("mlp.up_proj", "mlp.down_proj"),
    swiglu: (["mlp.gate_proj", "mlp.up_proj"], "mlp.down_proj"),
    biasesMayBeAbsent: true
  ).changed(
    as: .huggingFaceV3,
    layers: ["patch_embed.proj": ["embeddings.patch_embeddings"], "norm": ["norm"]],
    without: ["pos_embed"])

  private static func huggingFace(
    _ source: ViTSource, blocks: String, norms: (String, String), attention: [String], projection: String,
    mlp: (String, String), swiglu: (first: [String], last: String)? = nil, biasesMayBeAbsent: Bool = false
  ) -> NamingScheme {
    func inBlock(_ name: String) -> String { "\(blocks).\(name)" }
    var layers = [
      "patch_embed.proj": ["embeddings.patch_embeddings.projection"],
      "blocks.#.norm1": [inBlock(norms.0)],
      "blocks.#.attn.qkv": attention.map(inBlock),
      "blocks.#.attn.proj": [inBlock(projection)],
      "blocks.#.norm2": [inBlock(norms.1)],
      "blocks.#.mlp.fc1": [inBlock(mlp.0)],
      "blocks.#.mlp.fc2": [inBlock(mlp.1)],
      "norm": ["layernorm"],
    ]
    if let swiglu {
      layers["blocks.#.mlp.w12"] = swiglu.first.map(inBlock)
      layers["blocks.#.mlp.w3"] = [inBlock(swiglu.last)]
    }
    return NamingScheme(
      source,
      tensors: [
        "cls_token": ["embeddings.cls_token"],
        "pos_embed": ["embeddings.position_embeddings"],
        "register_tokens": ["embeddings.register_tokens"],
        "blocks.#.ls1.gamma": [inBlock("layer_scale1.lambda1")],
        "blocks.#.ls2.gamma": [inBlock("layer_scale2.lambda1")],
      ],
      layers: layers, zeros: biasesMayBeAbsent ? Set(attention.map { inBlock($0) + ".bias" }) : [],
      unused: ["embeddings.mask_token", "pooler.", "classifier."])
  }
}
