import Formats
import Randomness
import TestSupport

@testable import Backbone

extension ViTGeometry {
  /// Small enough for a debug build.
  static func tiny(
    width: Int = 16, depth: Int = 2, heads: Int = 2, inputChannels: Int = 2, layerScale: Bool = false,
    registers: Int = 0, mlp: MLPKind = .gelu
  ) -> ViTGeometry {
    ViTGeometry(
      width: width, depth: depth, heads: heads, patchSize: 4, inputChannels: inputChannels, gridSize: 3,
      mlpWidth: 24, mlp: mlp, hasLayerScale: layerScale, registerCount: registers)
  }
}

/// Calls `body` with a model of random weights.
@discardableResult
func withSeededModel<Result>(
  _ geometry: ViTGeometry = .tiny(), inputRoles: [String]? = nil,
  _ body: (VisionTransformer) throws -> Result
) throws -> Result {
  try withTemporaryDirectory { folder in
    let path = folder + "/tiny.safetensors"
    try VisionTransformer.writeSeeded(geometry: geometry, inputRoles: inputRoles, seed: 1, to: path)
    return try body(VisionTransformer(path: path))
  }
}

/// Random pixels of unit variance.
func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.normal()) }
}

extension VisionTransformer {
  /// `embed` on arrays.
  func embed(
    _ images: [Float], count: Int, height: Int, width: Int, threads: Int = 1, pooling: Pooling? = nil
  ) throws -> [Float] {
    var vectors = [Float](repeating: .nan, count: count * dimension(for: pooling ?? defaultPooling))
    try images.withUnsafeBufferPointer { images in
      try vectors.withUnsafeMutableBufferPointer {
        try embed(
          images, count: count, height: height, width: width, into: $0, threads: threads, pooling: pooling)
      }
    }
    return vectors
  }
}

extension Embedder {
  /// `embed` on an array.
  func embed(_ crops: [Float], count: Int, height: Int, width: Int, threads: Int = 1) throws -> [Float] {
    try crops.withUnsafeBufferPointer {
      try embed(crops: $0, count: count, height: height, width: width, threads: threads)
    }
  }
}

/// The largest absolute difference; infinite when counts differ or a value is NaN.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
