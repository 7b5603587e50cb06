/// Means of other samples' vectors, held in memory as float32.
struct AveragedVectors: SampleVectors {
  let dimension: Int
  let count: Int
  private let values: [Float]

  /// - Parameter members: of each sample, those of `source` that it is the mean of; none is empty.
  init(of source: some SampleVectors, members: [[Int32]]) {
    let dimension = source.dimension
    var values = [Float](repeating: 0, count: members.count * dimension)
    let vector = FloatBuffer(count: dimension)
    var sums = [Double](repeating: 0, count: dimension)
    for (sample, members) in members.enumerated() {
      for index in 0..<dimension { sums[index] = 0 }
      for member in members {
        source.gather([member][...], into: vector.values)
        for index in 0..<dimension { sums[index] += Double(vector.start[index]) }
      }
      for index in 0..<dimension {
        values[sample * dimension + index] = Float(sums[index] / Double(members.count))
      }
    }
    self.dimension = dimension
    count = members.count
    self.values = values
  }

  /// - Shape: `values` is [samples, dimension], row-major.
  init(_ values: [Float], dimension: Int) {
    self.dimension = dimension
    count = values.count / dimension
    self.values = values
  }

  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    guard var target = batch.baseAddress else { return }
    values.withUnsafeBufferPointer { values in
      for index in indices {
        let vector = UnsafeBufferPointer(
          rebasing: values[Int(index) * dimension..<(Int(index) + 1) * dimension])
        if let start = vector.baseAddress { target.update(from: start, count: dimension) }
        target += dimension
      }
    }
  }
}
