import TestSupport
import Testing

@testable import Backbone

@Suite struct EmbeddingJobTests {
  /// Three threads take three images apart and what is left over together: 1, 2, 3 + 1 and 3 + 2 images.
  @Test(arguments: [1, 2, 4, 5], Precision.allCases)
  func threeThreadsGiveTheVectorsOfOne(count: Int, precision: Precision) throws {
    // 400 patches are more than one strip.
    let geometry = ViTGeometry.tiny(width: 48, heads: 3, registers: 2)
    let side = 80
    try withTemporaryDirectory { folder in
      let path = folder + "/model.safetensors"
      try VisionTransformer.writeSeeded(geometry: geometry, seed: 2, to: path)
      let model = try VisionTransformer(path: path, precision: precision)
      let images = noise(count * 2 * side * side)
      for pooling in [Pooling.classToken, .classAndMean] {
        func vectors(threads: Int) throws -> [UInt32] {
          try model.embed(
            images, count: count, height: side, width: side, threads: threads, pooling: pooling
          ).map(\.bitPattern)
        }
        #expect(try vectors(threads: 3) == vectors(threads: 1), "\(pooling)")
      }
    }
  }

  @Test(arguments: [1, 2, 4, 5])
  func soDoPassesOfOneImage(channels: Int) throws {
    try withSeededModel(.tiny(inputChannels: 2)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .replicate(.concat), roles: (0..<channels).map { "channel \($0)" })
      let crop = noise(channels * 144)
      let alone = try embedder.embed(crop, count: 1, height: 12, width: 12)
      #expect(try embedder.embed(crop, count: 1, height: 12, width: 12, threads: 3) == alone)
    }
  }
}
