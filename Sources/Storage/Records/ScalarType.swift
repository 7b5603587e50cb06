package import Kernels

/// The numbers that a space keeps its vectors in. Everybody reads and writes them as float32: what is stored is the
/// nearest number of the type, of two that are as near the even one.
package enum ScalarType: String, Sendable, Encodable, CaseIterable, DocumentContent {
  /// IEEE 754 binary32.
  case float32
  /// IEEE 754 binary16: 11 significant bits, up to 65,504.
  case float16
  /// The upper half of a binary32: 8 significant bits, and its range.
  case bfloat16

  package var byteCount: Int { self == .float32 ? 4 : 2 }

  /// As the kernels call it; its number is the one in a block's header.
  package var kernel: kernels_scalar {
    switch self {
    case .float32: KERNELS_FLOAT32
    case .float16: KERNELS_FLOAT16
    case .bfloat16: KERNELS_BFLOAT16
    }
  }

  var code: UInt8 { UInt8(kernel.rawValue) }

  /// The type of a code; nil for an unknown one.
  init?(code: UInt8) {
    guard let type = ScalarType.allCases.first(where: { $0.code == code }) else { return nil }
    self = type
  }

  /// Reads stored numbers, exactly.
  /// - Shape: `values` has room for `count`.
  package func widen(_ stored: UnsafeRawPointer, count: Int, into values: UnsafeMutablePointer<Float>) {
    kernels_widen(kernel, stored, count, values)
  }

  /// Stores numbers of which `firstBeyond` finds none.
  func narrow(_ values: UnsafeBufferPointer<Float>, into stored: UnsafeMutableRawPointer) {
    guard let base = values.baseAddress else { return }
    kernels_narrow(kernel, base, values.count, stored)
  }

  /// The position of the first value that the type cannot hold: NaN, infinity, or what would be rounded to infinity.
  package func firstBeyond(in values: UnsafeBufferPointer<Float>) -> Int? {
    guard let base = values.baseAddress else { return nil }
    let position = kernels_first_beyond(kernel, base, values.count)
    return position < values.count ? position : nil
  }

  /// The largest number, as messages spell it.
  package var greatestText: String {
    switch self {
    case .float32: "3.4028235e38"
    case .float16: "65504"
    case .bfloat16: "3.3895e38"
    }
  }
}
