import Kernels

/// Runs a model over made-up images, before it is one that can be used.
struct Trial {
  private let geometry: ViTGeometry
  private let grid: PatchGrid
  private let positions: [Float]
  private let sidePx: Int
  /// So few images are not worth more.
  private let threads = min(8, Int(kernels_processor_count()))

  /// Patches along a side: larger images tell no more of activations, and take longer.
  private static let patchLimit = 16

  /// - Parameter weights: of any precision.
  init(_ checkpoint: ViTCheckpoint, weights: ViTWeights) throws {
    geometry = checkpoint.geometry
    sidePx = min(checkpoint.defaultImageSizePx, Self.patchLimit * geometry.patchSize)
    grid = try PatchGrid(height: sidePx, width: sidePx, patchSize: geometry.patchSize)
    positions = weights.positions.values(for: grid, of: geometry, by: checkpoint.resampling)
  }

  /// What goes into the products of a float32 model's blocks: [blocks, inputs].
  func statistics(of weights: ViTWeights, count: Int, seed: UInt64) -> [[ActivationStatistics]] {
    let images = TrialImages(
      count: count, channels: geometry.inputChannels, sidePx: sidePx, kinds: [.different, .equal, .alone],
      seed: seed)
    // One an image: sums do not depend on who worked on which.
    nonisolated(unsafe) let observers = (0..<count).map { _ in ActivationObserver(geometry) }
    positions.withUnsafeBufferPointer { positions in
      images.pixels.withUnsafeBufferPointer { pixels in
        guard let positions = positions.baseAddress, let pixels = pixels.baseAddress else { return }
        nonisolated(unsafe) let (table, start) = (positions, pixels)
        Team.run(members: threads) { member in
          for image in stride(from: member, to: count, by: threads) {
            observe(start + image * pixelCount, weights, positions: table, observers[image])
          }
        }
      }
    }
    let all = ActivationObserver(geometry)
    for observer in observers { all.add(observer) }
    return all.statistics
  }

  /// Of one image, in all inputs.
  private var pixelCount: Int { geometry.inputChannels * sidePx * sidePx }

  private func observe(
    _ image: UnsafePointer<Float>, _ weights: ViTWeights, positions: UnsafePointer<Float>,
    _ observer: ActivationObserver
  ) {
    let forward = ForwardPass(
      geometry: geometry, weights: weights, positions: positions, grid: grid, members: 1, observer: observer)
    let planes = (0..<geometry.inputChannels).map { image + $0 * sidePx * sidePx }
    var vector = [Float](repeating: 0, count: geometry.width)
    // A pooling that needs all tokens of the last block.
    forward.run(planes, pooling: .meanOfPatches, into: &vector, member: 0)
  }

  /// The embeddings of images, [count, dimension], by the model's own pooling and the mean of the patches.
  func vectors(of weights: ViTWeights, count: Int, seed: UInt64) -> [Pooling: [Float]] {
    guard geometry.defaultPooling == .classToken else {
      return Dictionary(
        uniqueKeysWithValues: [geometry.defaultPooling, .meanOfPatches].map {
          ($0, vectors(of: weights, count: count, pooling: $0, seed: seed))
        })
    }
    // Both by one pass.
    let joint = vectors(of: weights, count: count, pooling: .classAndMean, seed: seed)
    func half(_ start: Int) -> [Float] {
      (0..<count).flatMap { joint[(2 * $0 + start) * geometry.width..<(2 * $0 + start + 1) * geometry.width] }
    }
    return [.classToken: half(0), .meanOfPatches: half(1)]
  }

  /// [count, dimension].
  private func vectors(of weights: ViTWeights, count: Int, pooling: Pooling, seed: UInt64) -> [Float] {
    let images = TrialImages(
      count: count, channels: geometry.inputChannels, sidePx: sidePx, kinds: [.different], seed: seed)
    let dimension = geometry.dimension(for: pooling)
    var vectors = [Float](repeating: 0, count: count * dimension)
    positions.withUnsafeBufferPointer { positions in
      images.pixels.withUnsafeBufferPointer { pixels in
        vectors.withUnsafeMutableBufferPointer { vectors in
          guard let positions = positions.baseAddress, let pixels = pixels.baseAddress,
            let vectors = vectors.baseAddress
          else { return }
          EmbeddingJob(
            geometry: geometry, weights: weights, positions: positions, grid: grid, images: pixels,
            count: count,
            channels: geometry.inputChannels, pixelCount: sidePx * sidePx,
            passes: [InputPass((0..<geometry.inputChannels).map { .channel($0) })], pooling: pooling,
            vectors: vectors, dimension: dimension
          ).run(threads: threads)
        }
      }
    }
    return vectors
  }
}
