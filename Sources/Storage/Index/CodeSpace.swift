import Identity
import Kernels

/// The rotated space in which the vectors of an index are coded.
package struct CodeSpace: Sendable {
  package let dimension: Int
  /// Numbers of a rotated vector: the dimension rounded up to whole groups of 64.
  package let width: Int
  /// [rounds, width], each 1 or -1.
  private let signs: [Float]

  package init(dimension: Int, seed: UInt64) {
    self.dimension = dimension
    width = kernels_code_width(dimension)
    var signs: [Float] = []
    let count = KERNELS_ROTATION_ROUNDS * width
    signs.reserveCapacity(count)
    for word in 0..<UInt32(count / 64) {
      let bits = withUnsafeBytes(of: word.littleEndian) { checksum64($0, seed: seed) }
      for bit in 0..<UInt64(64) { signs.append(bits >> bit & 1 == 1 ? -1 : 1) }
    }
    self.signs = signs
  }

  package var groupByteCount: Int { kernels_group_bytes(width) }

  /// Writes a vector scaled to unit length and rotated; a zero vector stays zero.
  /// - Parameters:
  ///   - vector: [dimension] numbers of the scalar type, finite.
  ///   - target: [width].
  package func rotateUnit(
    of vector: UnsafeRawPointer, _ scalar: ScalarType = .float32, into target: UnsafeMutablePointer<Float>
  ) {
    scalar.widen(vector, count: dimension, into: target)
    var norm2 = 0.0
    for index in 0..<dimension { norm2 += Double(target[index]) * Double(target[index]) }
    let scale = norm2 > 0 ? 1 / norm2.squareRoot() : 0
    for index in 0..<dimension { target[index] = Float(Double(target[index]) * scale) }
    rotate(target)
  }

  /// Writes a vector of float32 that has unit length, rotated.
  package func rotate(_ unit: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    target.update(from: unit, count: dimension)
    rotate(target)
  }

  private func rotate(_ target: UnsafeMutablePointer<Float>) {
    for index in dimension..<width { target[index] = 0 }
    signs.withUnsafeBufferPointer { signs in
      if let signs = signs.baseAddress { kernels_random_rotation(kernels_active_isa(), width, signs, target) }
    }
  }
}
