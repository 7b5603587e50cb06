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
  /// Whole numbers of 8 bits, and a float32 behind those of a vector that they are multiplied with: its largest magnitude
  /// is 127 times that. Each is within half of it.
  case int8

  /// Bytes of a vector of so many numbers.
  package func byteCount(dimension: Int) -> Int {
    switch self {
    case .float32: 4 * dimension
    case .float16, .bfloat16: 2 * dimension
    case .int8: dimension + MemoryLayout<Float>.size
    }
  }

  /// As the kernels call it; its number is the one in a block's header.
  package var kernel: kernels_scalar {
    switch self {
    case .float32: KERNELS_FLOAT32
    case .float16: KERNELS_FLOAT16
    case .bfloat16: KERNELS_BFLOAT16
    case .int8: KERNELS_INT8
    }
  }

  var code: UInt8 { UInt8(kernel.rawValue) }

  /// The type of a code; nil for an unknown one.
  init?(code: UInt8) {
    guard let type = ScalarType.allCases.first(where: { $0.code == code }) else { return nil }
    self = type
  }

  /// Reads a stored vector, exactly.
  /// - Shape: `values` has room for `count`, the dimension.
  package func widen(_ stored: UnsafeRawPointer, count: Int, into values: UnsafeMutablePointer<Float>) {
    kernels_widen(kernel, stored, count, values)
  }

  /// Stores vectors of numbers of which `firstBeyond` finds none.
  /// - Shape: `values` is [vectors, dimension].
  package func narrow(
    _ values: UnsafeBufferPointer<Float>, dimension: Int, into stored: UnsafeMutableRawPointer
  ) {
    guard let base = values.baseAddress else { return }
    kernels_narrow(kernel, base, values.count / dimension, dimension, stored)
  }

  /// The position of the first value that the type cannot hold: NaN, infinity, or what would be rounded to infinity.
  package func firstBeyond(in values: UnsafeBufferPointer<Float>) -> Int? {
    guard let base = values.baseAddress else { return nil }
    let position = kernels_first_beyond(kernel, base, values.count)
    return position < values.count ? position : nil
  }

  /// The largest magnitude that a vector must have at least to keep as many bits as others, unless it is zero, and how
  /// messages spell it; nil where that hardly matters.
  package var leastLargest: (value: Float, text: String)? {
    switch self {
    case .float32, .bfloat16: nil
    case .float16: (0x1p-14, "6.1e-5")
    case .int8: (127 * 0x1p-126, "1.5e-36")
    }
  }

  /// The largest number, as messages spell it.
  package var greatestText: String {
    switch self {
    case .float32, .int8: "3.4028235e38"
    case .float16: "65504"
    case .bfloat16: "3.3895e38"
    }
  }
}
