import Kernels

/// The numbers that a forward pass multiplies. Sums, layer norms, the softmax and the residual stream are float32
/// in any case.
package enum Precision: String, Sendable, Codable, CaseIterable {
  case float32
  /// 8 bits of mantissa: faster than float32 with AMX, and on AMD's processors with AVX512-BF16; a cosine of at least
  /// 0.9999 to float32, or 0.9995 with SwiGLU, whose hidden units are products of two rounded numbers.
  case bfloat16
  /// Whole numbers of 8 bits in the products of the blocks, and the fastest of the others in attention and for patches.
  /// Its vectors share no space with those of the others; a model for which they lie too far from float32 is refused
  /// (see `Int8SelfTest`).
  case int8

  /// The fastest here that keeps a cosine of 0.9999 to float32 with models of this kind.
  static func fastest(for geometry: ViTGeometry) -> Precision {
    geometry.mlp == .swiglu ? .float32 : fastestFloating
  }

  private static let fastestFloating: Precision = kernels_bf16_pays() ? .bfloat16 : .float32

  var number: kernels_number {
    switch self {
    case .float32: KERNELS_F32
    case .bfloat16: KERNELS_BF16
    case .int8: KERNELS_I8
    }
  }

  /// The numbers of attention and of patches.
  var floating: Precision { self == .int8 ? Self.fastestFloating : self }
}
