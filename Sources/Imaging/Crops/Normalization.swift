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
    var values: [Float] = []
    values.reserveCapacity(pixels.count)
    for index in 0..<pixels.count where valid?[index] ?? true { values.append(pixels[index]) }
    guard !values.isEmpty else { return (0, 0) }
    return (quantile(0.001, of: &values), quantile(0.999, of: &values))
  }
}

/// The quantile of the values, interpolated linearly between the two nearest as NumPy does. Reorders the values.
/// - Complexity: their count, in the mean.
func quantile(_ fraction: Double, of values: inout [Float]) -> Float {
  let position = fraction * Double(values.count - 1)
  let rank = Int(position)
  return values.withUnsafeMutableBufferPointer { values in
    let below = moveIntoPlace(rank, of: values)
    guard rank + 1 < values.count else { return below }
    var above = Float.infinity
    for index in rank + 1..<values.count { above = min(above, values[index]) }
    let part = position - Double(rank)
    return Float(Double(below) * (1 - part) + Double(above) * part)
  }
}

/// Puts the value of this rank where a sort would put it, smaller ones before and larger ones behind it.
private func moveIntoPlace(_ rank: Int, of values: UnsafeMutableBufferPointer<Float>) -> Float {
  var low = 0
  var high = values.count - 1
  while low < high {
    let pivot = values[(low + high) / 2]
    var left = low
    var right = high
    while left <= right {
      while values[left] < pivot { left += 1 }
      while values[right] > pivot { right -= 1 }
      if left > right { break }
      values.swapAt(left, right)
      left += 1
      right -= 1
    }
    if rank <= right {
      high = right
    } else if rank >= left {
      low = left
    } else {
      break
    }
  }
  return values[rank]
}
