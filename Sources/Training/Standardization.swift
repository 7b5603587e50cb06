import Kernels

/// Mean and spread of every dimension over the training samples: a head sees (x - mean) * scale.
struct Standardization: Sendable {
  let mean: [Float]
  /// 1 / population standard deviation; 1 for a constant dimension.
  let scale: [Float]

  /// Samples that are read at once.
  private static let batchSize = 1024

  /// Fits mean and scale to these samples, whose vectors are finite, in one pass.
  init(_ source: some SampleVectors, samples: [Int32]) {
    let dimension = source.dimension
    let batch = FloatBuffer(count: Self.batchSize * dimension)
    // The first sample as shift keeps the one-pass variance accurate when the mean is far from zero.
    var shift = [Float](repeating: 0, count: dimension)
    shift.withUnsafeMutableBufferPointer { source.gather(samples.prefix(1), into: $0) }
    var sum = [Double](repeating: 0, count: dimension)
    var squares = sum
    for start in stride(from: 0, to: samples.count, by: Self.batchSize) {
      let slice = samples[start..<min(start + Self.batchSize, samples.count)]
      source.gather(slice, into: batch.values)
      training_moments(batch.start, slice.count, dimension, shift, &sum, &squares)
    }
    var mean = shift
    var scale = shift
    let count = Double(samples.count)
    for index in 0..<dimension {
      let offset = sum[index] / count
      let center = Double(shift[index]) + offset
      let deviation = max(squares[index] / count - offset * offset, 0).squareRoot()
      // A spread below float32's resolution of the mean is rounding, not signal.
      let resolution = max(abs(center) * Double(Float.ulpOfOne), Double(Float.leastNormalMagnitude))
      mean[index] = Float(center)
      scale[index] = deviation > resolution ? Float(1 / deviation) : 1
    }
    self.mean = mean
    self.scale = scale
  }
}
