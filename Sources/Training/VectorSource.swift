/// Where training reads vectors from, a mini-batch at a time. Samples are numbered 0..<count.
///
/// Folds train at the same time, so `gather` is called from several threads at once.
package protocol VectorSource: Sendable {
  var dimension: Int { get }
  /// How many samples there are.
  var count: Int { get }

  /// Copies the vectors of these samples.
  /// - Shape: `batch` receives [indices.count, dimension], row-major.
  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>)
}

/// Vectors held in memory.
package struct InMemoryVectors: VectorSource {
  package let dimension: Int
  package let count: Int
  private let values: [Float]

  /// - Shape: `values` is [values.count / dimension, dimension], row-major.
  package init(_ values: [Float], dimension: Int) {
    precondition(dimension > 0 && values.count.isMultiple(of: dimension))
    self.dimension = dimension
    self.count = values.count / dimension
    self.values = values
  }

  package func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    values.withUnsafeBufferPointer { values in
      guard let source = values.baseAddress else { return }
      copyVectors(indices, dimension: dimension, into: batch) { source + Int($0) * dimension }
    }
  }
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
