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

  /// Writes where these vectors lie as float32, each [dimension] for as long as this value is used.
  /// - Parameter vectors: room for as many; what is in it after a false does not matter.
  /// - Returns: whether they lie so; else they have to be gathered.
  func locate(_ indices: ArraySlice<Int32>, into vectors: UnsafeMutablePointer<UnsafePointer<Float>>) -> Bool

  /// The memory that is read of a vector; nil where it does not lie in one piece.
  func memory(of index: Int32) -> UnsafeRawBufferPointer?
}

extension SampleVectors {
  package func locate(
    _ indices: ArraySlice<Int32>, into vectors: UnsafeMutablePointer<UnsafePointer<Float>>
  ) -> Bool { false }

  package func memory(of index: Int32) -> UnsafeRawBufferPointer? { nil }
}
