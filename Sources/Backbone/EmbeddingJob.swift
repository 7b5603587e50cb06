import Synchronization

/// Images that are embedded by one call, each once a pass. A task is one pass over one image.
///
/// Unchecked: threads read the images, and write to the vectors of different tasks.
struct EmbeddingJob: @unchecked Sendable {
  let geometry: ViTGeometry
  let weights: ViTWeights
  let positions: UnsafePointer<Float>
  let grid: PatchGrid
  /// [count, channels, pixelCount].
  let images: UnsafePointer<Float>
  let count: Int
  let channels: Int
  let pixelCount: Int
  let passes: [InputPass]
  let pooling: Pooling
  /// [count, passes, dimension].
  let vectors: UnsafeMutablePointer<Float>
  let dimension: Int

  /// Whole images by each thread, which never wait for one another; what is left over by all threads together.
  func run(threads: Int) {
    let tasks = 0..<count * passes.count
    let shared = tasks.count - tasks.count % threads
    if shared > 0 { runApart(tasks.prefix(shared), threads: threads) }
    if shared < tasks.count { runTogether(tasks.dropFirst(shared), threads: threads) }
  }

  private func runApart(_ tasks: Range<Int>, threads: Int) {
    let next = Atomic(tasks.lowerBound)
    Team.run(members: threads) { _ in
      let forward = makeForward(members: 1)
      withMixtures { mixtures in
        while true {
          let task = next.add(1, ordering: .relaxed).oldValue
          guard task < tasks.upperBound else { return }
          forward.run(planes(of: task, mixtures), pooling: pooling, into: vector(of: task), member: 0)
        }
      }
    }
  }

  private func runTogether(_ tasks: Range<Int>, threads: Int) {
    let forward = makeForward(members: threads)
    withMixtures { mixtures in
      for task in tasks {
        nonisolated(unsafe) let planes = planes(of: task, mixtures)
        Team.run(members: threads) { member in
          forward.run(planes, pooling: pooling, into: vector(of: task), member: member)
        }
      }
    }
  }

  private func makeForward(members: Int) -> ForwardPass {
    ForwardPass(geometry: geometry, weights: weights, positions: positions, grid: grid, members: members)
  }

  /// Scratch for the planes that an image has not, but a pass mixes.
  private func withMixtures(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    let mixtures = UnsafeMutablePointer<Float>.allocate(
      capacity: (passes.map(\.mixtureCount).max() ?? 0) * pixelCount)
    defer { mixtures.deallocate() }
    body(mixtures)
  }

  private func planes(of task: Int, _ mixtures: UnsafeMutablePointer<Float>) -> [UnsafePointer<Float>?] {
    let (image, pass) = task.quotientAndRemainder(dividingBy: passes.count)
    return passes[pass].planes(
      of: images + image * channels * pixelCount, pixelCount: pixelCount, scratch: mixtures)
  }

  private func vector(of task: Int) -> UnsafeMutablePointer<Float> { vectors + task * dimension }
}
