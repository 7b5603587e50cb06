/// The names of timm.
///
/// - Source: `timm/models/vision_transformer.py` and `timm/models/eva.py` of timm 1.0.31.
extension NamingScheme {
  /// DINO and DINOv2: the authors' names, but for registers.
  static let timm = authors.changed(
    as: .timm, tensors: ["register_tokens": ["reg_token"]], without: ["blocks.#.mlp.w"])

  /// DINOv2 with SwiGLU, whose two halves are called as one layer of an ordinary MLP.
  static let timmGated = timm.changed(
    as: .timm,
    layers: ["blocks.#.mlp.w12": ["blocks.#.mlp.fc1"], "blocks.#.mlp.w3": ["blocks.#.mlp.fc2"]],
    without: ["blocks.#.mlp.fc"])

  /// DINOv3, built as timm's Eva.
  static let timmV3 = NamingScheme(
    .timmV3,
    tensors: [
      "cls_token": ["cls_token"],
      "register_tokens": ["reg_token"],
      "blocks.#.attn.qkv.weight": ["blocks.#.attn.qkv.weight"],
      "blocks.#.attn.qkv.bias": ["blocks.#.attn.q_bias", "blocks.#.attn.k_bias", "blocks.#.attn.v_bias"],
      "blocks.#.ls1.gamma": ["blocks.#.gamma_1"],
      "blocks.#.ls2.gamma": ["blocks.#.gamma_2"],
    ],
    layers: [
      "patch_embed.proj": ["patch_embed.proj"],
      "blocks.#.norm1": ["blocks.#.norm1"],
      "blocks.#.attn.proj": ["blocks.#.attn.proj"],
      "blocks.#.norm2": ["blocks.#.norm2"],
      "blocks.#.mlp.fc1": ["blocks.#.mlp.fc1"],
      "blocks.#.mlp.fc2": ["blocks.#.mlp.fc2"],
      "blocks.#.mlp.w12": ["blocks.#.mlp.fc1_g", "blocks.#.mlp.fc1_x"],
      "blocks.#.mlp.w3": ["blocks.#.mlp.fc2"],
      "norm": ["norm"],
    ],
    zeros: ["blocks.#.attn.q_bias", "blocks.#.attn.k_bias", "blocks.#.attn.v_bias"])
}
