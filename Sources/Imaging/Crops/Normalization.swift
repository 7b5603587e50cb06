extension Normalization {
  /// Normalises the valid pixels of one channel of one crop in place and sets the others to 0.
  /// - Parameter valid: nil when all pixels are valid.
  func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, valid: UnsafeBufferPointer<Bool>?, sampleType: SampleType
  ) {
    let (subtracted, divisor, clips) = line(through: pixels, valid, sampleType)
    let count = pixels.count
    for index in 0..<count {
      let value = (pixels[index] - subtracted) / divisor
      pixels[index] = clips ? min(max(value, 0), 1) : value
    }
    guard let valid else { return }
    for index in 0..<count where !valid[index] { pixels[index] = 0 }
  }

  /// The rule as a line: (x - subtracted) / divisor, clipped to 0...1 or not. An infinite divisor makes all 0.
  private func line(
    through pixels: UnsafeMutableBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?,
    _ sampleType: SampleType
  ) -> (subtracted: Float, divisor: Float, clips: Bool) {
    switch self {
    case .range: return (0, sampleType.fullScale, false)
    case .selfStandardize:
      let (mean, deviation) = Self.moments(pixels, valid)
      // A sum of many equal floats is not exactly their multiple: what is constant is found by comparing.
      let (low, high) = Self.extremes(pixels, valid)
      return (Float(mean), low == high ? .infinity : Float(deviation + 1e-7), false)
    case .minmax:
      let (low, high) = Self.extremes(pixels, valid)
      return (low, low < high ? high - low : .infinity, false)
    case .percentile:
      let (low, high) = Self.percentiles(pixels, valid)
      return (low, low < high ? high - low : .infinity, true)
    }
  }

  private static func moments(
    _ pixels: UnsafeMutableBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
  ) -> (mean: Double, deviation: Double) {
    var count = 0
    var sum = 0.0
    for index in 0..<pixels.count where valid?[index] ?? true {
      sum += Double(pixels[index])
      count += 1
    }
    guard count > 0 else { return (0, 0) }
    let mean = sum / Double(count)
    var squares = 0.0
    for index in 0..<pixels.count where valid?[index] ?? true {
      let difference = Double(pixels[index]) - mean
      squares += difference * difference
    }
    return (mean, (squares / Double(count)).squareRoot())
  }

  private static func extremes(
    _ pixels: UnsafeMutableBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
  ) -> (low: Float, high: Float) {
    var low = Float.infinity
    var high = -Float.infinity
    for index in 0..<pixels.count where valid?[index] ?? true {
      low = min(low, pixels[index])
      high = max(high, pixels[index])
    }
    return low <= high ? (low, high) : (0, 0)
  }

  private static func percentiles(
    _ pixels: UnsafeMutableBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
  ) -> (low: Float, high: Float) {
    let sorted = pixels.indices.filter { valid?[$0] ?? true }.map { pixels[$0] }.sorted()
    guard !sorted.isEmpty else { return (0, 0) }
    return (quantile(0.001, of: sorted), quantile(0.999, of: sorted))
  }
}

/// The quantile of sorted values, interpolated linearly between the two nearest as NumPy does.
func quantile(_ fraction: Double, of sorted: [Float]) -> Float {
  let position = fraction * Double(sorted.count - 1)
  let below = Int(position)
  guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
  let part = position - Double(below)
  return Float(Double(sorted[below]) * (1 - part) + Double(sorted[below + 1]) * part)
}
