/// How the pixels of a crop become numbers that a model takes.
package enum Normalization: String, Sendable, Codable, CaseIterable {
  /// (x - mean) / (sd + 1e-7) in each channel, sd with the number of pixels as divisor; a constant channel is 0.
  /// - Source: DINO4Cells, `self_normalize`.
  case selfStandardize = "self"
  /// (x - min) / (max - min) in each channel, in 0...1; a constant channel is 0.
  case minmax
  /// (x - min) / (max - min + 1e-6) over all channels together, so that their proportions stay.
  /// - Source: SubCell.
  case jointMinmax = "minmax-joint"
  /// As `minmax` between the 0.1 and the 99.9 percentile (linear interpolation), clipped to 0...1.
  case percentile
  /// x / the largest value of the sample type: 255 or 65535; floats unchanged.
  case range
  /// As `range`; then each *input of the model* subtracts its mean of ImageNet and divides by its standard
  /// deviation. That part depends on the input that a channel goes to, and is the embedder's.
  case imagenet
  /// The same with other numbers, which the recipe keeps.
  case fixed

  /// Whether the rule depends on other pixels than the one.
  package var usesStatistics: Bool {
    switch self {
    case .selfStandardize, .minmax, .jointMinmax, .percentile: true
    case .range, .imagenet, .fixed: false
    }
  }
}

/// The pixels whose statistics a normalisation uses.
package enum NormalizationScope: String, Sendable, Codable, CaseIterable {
  /// The crop's *valid* pixels: those of the image and, where the background is zeroed, of the object. Other
  /// pixels are 0 afterwards.
  case crop
  /// All pixels of the square, those that are not valid counting as zeros and treated like them: a crop that was
  /// saved as a file with black around the cell, and read again.
  case square
  /// All pixels of the image, before crops are resized: cells keep their brightness among each other. Pixels of a
  /// crop that are not valid are 0 afterwards.
  case image
}

/// A rule with its statistics: (x - subtracted) / divisor, clipped to 0...1 or not. An infinite divisor makes
/// all 0.
struct IntensityLine: Sendable, Equatable {
  let subtracted: Float
  let divisor: Float
  var clips = false

  func apply(to pixels: UnsafeMutableBufferPointer<Float>) {
    for index in 0..<pixels.count {
      let value = (pixels[index] - subtracted) / divisor
      pixels[index] = clips ? min(max(value, 0), 1) : value
    }
  }

  /// The line through two values that become 0 and 1; all 0 when they are the same.
  fileprivate init(from low: Float, to high: Float, clips: Bool = false) {
    self.init(subtracted: low, divisor: low < high ? high - low : .infinity, clips: clips)
  }

  fileprivate init(subtracted: Float, divisor: Float, clips: Bool = false) {
    self.subtracted = subtracted
    self.divisor = divisor
    self.clips = clips
  }
}

extension Normalization {
  /// The rule for each of some channels that belong together.
  /// - Parameter valid: which pixels of each channel enter statistics; nil for all.
  func lines(
    through channels: [UnsafeBufferPointer<Float>], valid: UnsafeBufferPointer<Bool>?,
    sampleTypes: [SampleType]
  ) -> [IntensityLine] {
    guard self == .jointMinmax else {
      return zip(channels, sampleTypes).map { line(through: $0, valid, $1) }
    }
    let extremes = channels.compactMap { Self.extremes($0, valid) }
    let low = extremes.map(\.low).min() ?? 0
    let high = extremes.map(\.high).max() ?? 0
    return channels.map { _ in IntensityLine(subtracted: low, divisor: high - low + 1e-6) }
  }

  private func line(
    through pixels: UnsafeBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?, _ sampleType: SampleType
  ) -> IntensityLine {
    switch self {
    case .range, .imagenet, .fixed: return IntensityLine(subtracted: 0, divisor: sampleType.fullScale)
    case .selfStandardize:
      let (mean, deviation) = Self.moments(pixels, valid)
      // A sum of many equal floats is not exactly their multiple: what is constant is found by comparing.
      let (low, high) = Self.extremes(pixels, valid) ?? (0, 0)
      return IntensityLine(
        subtracted: Float(mean), divisor: low == high ? .infinity : Float(deviation + 1e-7))
    case .minmax, .jointMinmax:
      let (low, high) = Self.extremes(pixels, valid) ?? (0, 0)
      return IntensityLine(from: low, to: high)
    case .percentile:
      let (low, high) = Self.percentiles(pixels, valid)
      return IntensityLine(from: low, to: high, clips: true)
    }
  }

  private static func moments(
    _ pixels: UnsafeBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
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
    _ pixels: UnsafeBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
  ) -> (low: Float, high: Float)? {
    var low = Float.infinity
    var high = -Float.infinity
    for index in 0..<pixels.count where valid?[index] ?? true {
      low = min(low, pixels[index])
      high = max(high, pixels[index])
    }
    return low <= high ? (low, high) : nil
  }

  private static func percentiles(
    _ pixels: UnsafeBufferPointer<Float>, _ valid: UnsafeBufferPointer<Bool>?
  ) -> (low: Float, high: Float) {
    var values: [Float] = []
    values.reserveCapacity(pixels.count)
    for index in 0..<pixels.count where valid?[index] ?? true { values.append(pixels[index]) }
    guard !values.isEmpty else { return (0, 0) }
    return (quantile(0.001, of: &values), quantile(0.999, of: &values))
  }
}
