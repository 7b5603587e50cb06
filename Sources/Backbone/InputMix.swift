/// What one input of a model sees in one pass: channels of the image, each with a weight, and a constant.
///
///     input = offset + sum over terms of weight * channel
///
/// The model's first layer is linear in its inputs, so that a change of its weights over the channels can be had
/// by mixing channels instead: scDINO's averaged weights are the same sum of channels at every input.
struct InputMix: Sendable, Equatable {
  struct Term: Sendable, Equatable {
    let channel: Int
    let weight: Float
  }

  var terms: [Term]
  var offset: Float = 0

  static let zeros = InputMix(terms: [])

  static func channel(_ channel: Int) -> InputMix { InputMix(terms: [Term(channel: channel, weight: 1)]) }
}

/// One pass over a model: what each of its inputs sees. A channel that stands alone is read where it lies; other
/// mixtures are made first, equal ones once.
struct InputPass: Sendable, Equatable {
  private enum Source: Sendable, Equatable {
    case zeros
    case channel(Int)
    /// The mixture of this number.
    case mixture(Int)
  }

  /// One for each input.
  private let sources: [Source]
  private let mixtures: [InputMix]

  /// - Parameter inputs: one for each input of the model.
  init(_ inputs: [InputMix]) {
    var mixtures: [InputMix] = []
    sources = inputs.map { mix in
      if mix == .zeros { return .zeros }
      if let only = mix.terms.first, mix == .channel(only.channel) { return .channel(only.channel) }
      if let known = mixtures.firstIndex(of: mix) { return .mixture(known) }
      mixtures.append(mix)
      return .mixture(mixtures.count - 1)
    }
    self.mixtures = mixtures
  }

  var inputCount: Int { sources.count }

  /// Planes that must be made before the pass.
  var mixtureCount: Int { mixtures.count }

  /// The planes of an image that the inputs see, nil being all zeros.
  /// - Shape: `image` is [channels, pixelCount]; `scratch` has room for `mixtureCount` planes and must be left
  ///   alone as long as the planes are used.
  func planes(
    of image: UnsafePointer<Float>, pixelCount: Int, scratch: UnsafeMutablePointer<Float>
  ) -> [UnsafePointer<Float>?] {
    for (number, mix) in mixtures.enumerated() {
      let target = scratch + number * pixelCount
      target.update(repeating: mix.offset, count: pixelCount)
      for term in mix.terms {
        let (source, weight) = (image + term.channel * pixelCount, term.weight)
        for index in 0..<pixelCount { target[index] += weight * source[index] }
      }
    }
    return sources.map { source in
      switch source {
      case .zeros: nil
      case .channel(let channel): image + channel * pixelCount
      case .mixture(let number): UnsafePointer(scratch + number * pixelCount)
      }
    }
  }
}

/// Mean and standard deviation that a model was trained with at each of its inputs: inputs see
/// (x - mean) / deviation.
package struct InputScaling: Sendable, Equatable, Codable {
  package let mean: [Double]
  package let deviation: [Double]

  package init(mean: [Double], deviation: [Double]) {
    self.mean = mean
    self.deviation = deviation
  }

  /// Red, green and blue of ImageNet, for values of 0...1.
  /// - Source: torchvision's `Normalize` in the evaluation of DINO and DINOv2.
  package static let imagenet = InputScaling(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// Whether every input can be divided by its deviation, in single precision.
  package var isUsable: Bool {
    (mean + deviation).allSatisfy { Float($0).isFinite } && deviation.allSatisfy { Float($0) > 0 }
  }

  /// The mixture after scaling each of its channels as this input's. Absent inputs stay zero.
  func applied(to mix: InputMix, input: Int) -> InputMix {
    let (mean, deviation) = (Float(mean[input]), Float(deviation[input]))
    let terms = mix.terms.map { InputMix.Term(channel: $0.channel, weight: $0.weight / deviation) }
    return InputMix(terms: terms, offset: -mix.terms.reduce(0) { $0 + $1.weight } * mean / deviation)
  }
}

extension InputScaling: CustomStringConvertible {
  /// "mean 0.5 0.4, SD 0.2 0.2".
  package var description: String {
    func text(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: " ") }
    return "mean \(text(mean)), SD \(text(deviation))"
  }
}
