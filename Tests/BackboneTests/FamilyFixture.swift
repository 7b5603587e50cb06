import Formats
import TestSupport
import Testing

@testable import Backbone

/// A tiny model of one family, as its source writes it, with embeddings of the source's own implementation
/// (tools/fixtures/families).
struct FamilyFixture: Sendable, CustomTestStringConvertible {
  let folder: String
  /// What the model must be said to be.
  let family: String
  let epsilon: Float
  var inputs = 3
  var mlp = ViTGeometry.MLPKind.gelu
  var bias = ViTGeometry.AttentionBias.all
  var registers = 0
  var isRotary = false
  var ignoredCount = 0
  var resampling = PositionResampling.offset

  var testDescription: String { folder }

  var path: String { fixturePath("families/\(folder)/model.safetensors") }

  func cases() throws -> SafetensorsFile {
    try SafetensorsFile(path: fixturePath("families/\(folder)/cases.safetensors"))
  }

  func configuration() throws -> ModelConfiguration? { try ModelConfiguration(besideWeights: path) }

  static let all: [FamilyFixture] = [
    .init(
      folder: "dinov2-swiglu", family: "DINOv2", epsilon: 1e-6, mlp: .swiglu, ignoredCount: 1),
    .init(
      folder: "cell-dino", family: "DINOv2, 4 inputs, as Cell-DINO", epsilon: 1e-6, inputs: 4, ignoredCount: 4
    ),
    .init(
      folder: "channel-adaptive-dino", family: "DINOv2, 1 input, as channel-adaptive DINO", epsilon: 1e-6,
      inputs: 1, ignoredCount: 4),
    .init(
      folder: "dinov3", family: "DINOv3", epsilon: 1e-5, bias: .queryAndValue, registers: 4, isRotary: true,
      ignoredCount: 1, resampling: .antialiased),
    .init(
      folder: "dinov3-swiglu", family: "DINOv3", epsilon: 1e-5, inputs: 1, mlp: .swiglu, bias: .queryAndValue,
      registers: 4, isRotary: true, ignoredCount: 3, resampling: .antialiased),
    .init(folder: "timm-dino", family: "DINO (timm)", epsilon: 1e-6, resampling: .antialiased),
    .init(folder: "timm-dinov2", family: "DINOv2 (timm)", epsilon: 1e-6, inputs: 1, resampling: .antialiased),
    .init(
      folder: "timm-dinov2-swiglu", family: "DINOv2 (timm)", epsilon: 1e-6, inputs: 1, mlp: .swiglu,
      resampling: .antialiased),
    .init(
      folder: "timm-dinov2-registers", family: "DINOv2 with registers (timm)", epsilon: 1e-6, inputs: 1,
      registers: 4, resampling: .antialiased),
    .init(
      folder: "timm-dinov3", family: "DINOv3 (timm)", epsilon: 1e-5, bias: .none, registers: 4,
      isRotary: true,
      resampling: .antialiased),
    .init(
      folder: "timm-dinov3-bias", family: "DINOv3 (timm)", epsilon: 1e-5, inputs: 1, bias: .queryAndValue,
      registers: 4, isRotary: true, resampling: .antialiased),
    .init(
      folder: "timm-dinov3-swiglu", family: "DINOv3 (timm)", epsilon: 1e-5, inputs: 1, mlp: .swiglu,
      bias: .none,
      registers: 4, isRotary: true, resampling: .antialiased),
    .init(
      folder: "huggingface-vit", family: "ViT (Hugging Face)", epsilon: 1e-6, inputs: 4, ignoredCount: 2,
      resampling: .exact),
    .init(
      folder: "huggingface-vit-classifier", family: "ViT (Hugging Face)", epsilon: 1e-12, inputs: 1,
      ignoredCount: 2, resampling: .exact),
    .init(
      folder: "huggingface-vit-memory", family: "ViT (Hugging Face)", epsilon: 1e-12, inputs: 1,
      ignoredCount: 2,
      resampling: .exact),
    .init(
      folder: "huggingface-dinov2", family: "DINOv2 (Hugging Face)", epsilon: 1e-6, ignoredCount: 1,
      resampling: .exact),
    .init(
      folder: "huggingface-dinov2-swiglu", family: "DINOv2 (Hugging Face)", epsilon: 1e-6, inputs: 1,
      mlp: .swiglu, ignoredCount: 1, resampling: .exact),
    .init(
      folder: "huggingface-dinov2-memory", family: "DINOv2 (Hugging Face)", epsilon: 1e-6, inputs: 1,
      mlp: .swiglu, ignoredCount: 1, resampling: .exact),
    .init(
      folder: "huggingface-dinov2-registers", family: "DINOv2 with registers (Hugging Face)", epsilon: 1e-6,
      inputs: 1, registers: 3, ignoredCount: 3, resampling: .antialiased),
    .init(
      folder: "huggingface-dinov3", family: "DINOv3 (Hugging Face)", epsilon: 1e-5, bias: .queryAndValue,
      registers: 4, isRotary: true, ignoredCount: 1, resampling: .antialiased),
    .init(
      folder: "huggingface-dinov3-gated", family: "DINOv3 (Hugging Face)", epsilon: 1e-5, inputs: 1,
      mlp: .swiglu, isRotary: true, ignoredCount: 1, resampling: .exact),
    .init(
      folder: "huggingface-dinov3-memory", family: "DINOv3 (Hugging Face)", epsilon: 1e-5, inputs: 1,
      mlp: .swiglu, bias: .queryAndValue, registers: 2, isRotary: true, ignoredCount: 1,
      resampling: .antialiased),
    .init(
      folder: "subcell", family: "SubCell", epsilon: 1e-12, inputs: 4, ignoredCount: 1, resampling: .exact),
    .init(
      folder: "subcell-encoder", family: "SubCell", epsilon: 1e-12, inputs: 2, ignoredCount: 1,
      resampling: .exact),
  ]

  static func named(_ folder: String) throws -> FamilyFixture {
    try #require(all.first { $0.folder == folder })
  }
}
