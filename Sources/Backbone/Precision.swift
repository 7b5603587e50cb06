import Kernels

/// The numbers that a forward pass multiplies. Sums, layer norms, the softmax and the residual stream are float32
/// in any case.
package enum Precision: String, Sendable, Codable, CaseIterable {
  case float32
  /// 8 bits of mantissa: twice as fast as float32 where the processor multiplies such numbers; a cosine of at least
  /// 0.9999 to float32.
  case bfloat16

  /// The fastest here that keeps a cosine of 0.9999 to float32.
  package static let fastest: Precision =
    kernels_active_isa().rawValue >= KERNELS_AVX512_BF16.rawValue ? .bfloat16 : .float32

  var number: kernels_number {
    switch self {
    case .float32: KERNELS_F32
    case .bfloat16: KERNELS_BF16
    }
  }
}
