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
