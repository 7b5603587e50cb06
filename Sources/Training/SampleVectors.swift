/// Where training reads vectors from, a mini-batch at a time. Samples are numbered 0..<count.
///
/// Folds train at the same time, so `gather` is called from several threads at once.
package protocol SampleVectors: Sendable {
  var dimension: Int { get }
  /// How many samples there are.
  var count: Int { get }

  /// Copies the vectors of these samples.
  /// - Shape: `batch` receives [indices.count, dimension], row-major.
  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>)
}

/// Copies one vector a sample, from where `location` says it lies.
@inline(__always)
func copyVectors(
  _ indices: ArraySlice<Int32>, dimension: Int, into batch: UnsafeMutableBufferPointer<Float>,
  from location: (Int32) -> UnsafePointer<Float>
) {
  precondition(batch.count >= indices.count * dimension)
  guard var target = batch.baseAddress else { return }
  for index in indices {
    target.update(from: location(index), count: dimension)
    target += dimension
  }
}
