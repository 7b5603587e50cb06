@testable import Training

/// Vectors held in memory.
struct InMemoryVectors: SampleVectors {
  let dimension: Int
  let count: Int
  private let values: [Float]

  /// - Shape: `values` is [values.count / dimension, dimension], row-major.
  init(_ values: [Float], dimension: Int) {
    precondition(dimension > 0 && values.count.isMultiple(of: dimension))
    self.dimension = dimension
    self.count = values.count / dimension
    self.values = values
  }

  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    values.withUnsafeBufferPointer { values in
      for (place, index) in indices.enumerated() {
        for column in 0..<dimension {
          batch[place * dimension + column] = values[Int(index) * dimension + column]
        }
      }
    }
  }
}
