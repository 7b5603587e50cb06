/// The names of facebookresearch, which the canonical names are taken from.
extension NamingScheme {
  /// DINO, DINO4Cells, DINOv2 and Cell-DINO.
  ///
  /// - Source: `vision_transformer.py` of facebookresearch/dino; `dinov2/models/vision_transformer.py` and
  ///   `dinov2/layers/swiglu_ffn.py` of facebookresearch/dinov2.
  static let authors = NamingScheme(
    .authors,
    tensors: [
      "cls_token": ["cls_token"],
      "pos_embed": ["pos_embed"],
      "register_tokens": ["register_tokens"],
      "blocks.#.ls1.gamma": ["blocks.#.ls1.gamma"],
      "blocks.#.ls2.gamma": ["blocks.#.ls2.gamma"],
    ],
    layers: [
      "patch_embed.proj": ["patch_embed.proj"],
      "blocks.#.norm1": ["blocks.#.norm1"],
      "blocks.#.attn.qkv": ["blocks.#.attn.qkv"],
      "blocks.#.attn.proj": ["blocks.#.attn.proj"],
      "blocks.#.norm2": ["blocks.#.norm2"],
      "blocks.#.mlp.fc1": ["blocks.#.mlp.fc1"],
      "blocks.#.mlp.fc2": ["blocks.#.mlp.fc2"],
      "blocks.#.mlp.w12": ["blocks.#.mlp.w12"],
      "blocks.#.mlp.w3": ["blocks.#.mlp.w3"],
      "norm": ["norm"],
    ],
    unused: trainingHeads + ["mask_token"])

  /// DINOv3: no positional embedding but the periods of the rotation, and a mask over the biases that takes
  /// those of the keys away.
  ///
  /// - Source: `dinov3/models/vision_transformer.py`, `dinov3/layers/attention.py` and `ffn_layers.py` of
  ///   facebookresearch/dinov3.
  static let authorsV3 = authors.changed(
    as: .authorsV3,
    tensors: [
      "register_tokens": ["storage_tokens"],
      "rope_embed.periods": ["rope_embed.periods"],
      "blocks.#.attn.qkv.bias_mask": ["blocks.#.attn.qkv.bias_mask"],
    ],
    layers: ["blocks.#.mlp.w12": ["blocks.#.mlp.w1", "blocks.#.mlp.w2"]],
    without: ["pos_embed"])

  /// What a training puts behind or beside the model: the projection heads of DINO, DINOv2 and DINOv3, the norm of
  /// the class tokens of local crops, and centers of the losses.
  static let trainingHeads = [
    "head.mlp.", "head.last_layer.", "dino_head.", "ibot_head.", "local_cls_norm.", "dino_loss.",
    "ibot_patch_loss.",
  ]
}
