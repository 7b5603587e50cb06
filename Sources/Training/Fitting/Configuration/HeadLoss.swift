import Kernels

/// What training makes small: a loss on the logits of each sample, class by class or, of one label, over all classes.
/// Formulas and sources stand in `kernels_training.h`.
package enum HeadLoss: Sendable, Equatable, Codable {
  /// Binary cross-entropy.
  case binary
  /// Binary cross-entropy whose positives count `factor` times, or, where that is nil, as many times as the
  /// class has negatives for a positive among the samples that are learned from.
  case weighted(factor: Float?)
  /// Focal loss; an `alpha` of nil weighs positives and negatives alike.
  case focal(alpha: Float?, gamma: Float)
  /// Asymmetric loss: exponents for positives and negatives, and the probability below which a negative is
  /// free.
  case asymmetric(positive: Float, negative: Float, margin: Float)
  /// Cross-entropy of one class a sample. With `isBalanced` a sample weighs as much less as its class has more of them,
  /// so that all classes count alike; of `smoothing` s, the labelled class is learned as 1 - s, and s is spread over all.
  /// A class weighs in both: what is spread to it is multiplied by its weight, as PyTorch does.
  case softmax(isBalanced: Bool, smoothing: Float)

  package enum Kind: String, Sendable, CaseIterable, Codable {
    case binary = "bce"
    case weighted, focal, asymmetric, softmax, balanced

    /// What the loss is learned for.
    package var task: ClassificationTask { self == .softmax || self == .balanced ? .single : .multi }
  }

  package enum Defaults {
    /// Those of torchvision's `sigmoid_focal_loss`, with which SubCell's heads were trained.
    package static let focal = HeadLoss.focal(alpha: 0.25, gamma: 2)
    /// Ridnik et al., 2021, section 4: gamma+ 0 and gamma- 4, margin 0.05 for multi-label images.
    package static let asymmetric = HeadLoss.asymmetric(positive: 0, negative: 4, margin: 0.05)

    /// Plain cross-entropy of one label or several.
    package static func loss(of task: ClassificationTask) -> HeadLoss {
      task == .single ? .softmax(isBalanced: false, smoothing: 0) : .binary
    }
  }

  package var kind: Kind {
    switch self {
    case .binary: .binary
    case .weighted: .weighted
    case .focal: .focal
    case .asymmetric: .asymmetric
    case .softmax(let isBalanced, _): isBalanced ? .balanced : .softmax
    }
  }

  /// What the loss is learned for.
  package var task: ClassificationTask { kind.task }

  /// How a loss is computed.
  enum Kernel {
    /// A loss for each class.
    case perClass(training_loss)
    case softmax(smoothing: Float)
  }

  var kernel: Kernel {
    switch self {
    case .binary, .weighted:
      .perClass(training_loss(kind: TRAINING_CROSS_ENTROPY, alpha: 0, positive: 0, negative: 0, margin: 0))
    case .focal(let alpha, let gamma):
      .perClass(
        training_loss(kind: TRAINING_FOCAL, alpha: alpha ?? -1, positive: gamma, negative: 0, margin: 0))
    case .asymmetric(let positive, let negative, let margin):
      .perClass(
        training_loss(
          kind: TRAINING_ASYMMETRIC, alpha: 0, positive: positive, negative: negative, margin: margin))
    case .softmax(_, let smoothing): .softmax(smoothing: smoothing)
    }
  }

  /// What the positives of each class count; of a balanced loss 0 for a class without any, which smoothing would else
  /// teach every sample.
  /// - Parameter positives: among `samples` samples, of each class.
  func positiveWeights(positives: [Int], samples: Int) -> [Float] {
    switch self {
    case .weighted(let factor):
      positives.map { factor ?? (Float(samples - $0) + 0.5) / (Float($0) + 0.5) }
    case .softmax(true, _):
      balancedWeights(positives: positives, samples: samples)
    case .binary, .focal, .asymmetric, .softmax: positives.map { _ in 1 }
    }
  }

  private func balancedWeights(positives: [Int], samples: Int) -> [Float] {
    let learned = Float(positives.count { $0 > 0 })
    return positives.map { $0 > 0 ? Float(samples) / (learned * Float($0)) : 0 }
  }

  private enum CodingKeys: String, CodingKey {
    case kind, factor, alpha, gamma, positive, negative, margin, smoothing
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Float { try values.decode(Float.self, forKey: key) }
    switch try values.decode(Kind.self, forKey: .kind) {
    case .binary: self = .binary
    case .weighted: self = .weighted(factor: try values.decodeIfPresent(Float.self, forKey: .factor))
    case .focal:
      self = .focal(
        alpha: try values.decodeIfPresent(Float.self, forKey: .alpha), gamma: try number(.gamma))
    case .asymmetric:
      self = .asymmetric(
        positive: try number(.positive), negative: try number(.negative), margin: try number(.margin))
    case .softmax: self = .softmax(isBalanced: false, smoothing: try number(.smoothing))
    case .balanced: self = .softmax(isBalanced: true, smoothing: try number(.smoothing))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    switch self {
    case .binary: break
    case .weighted(let factor): try values.encodeIfPresent(factor, forKey: .factor)
    case .focal(let alpha, let gamma):
      try values.encodeIfPresent(alpha, forKey: .alpha)
      try values.encode(gamma, forKey: .gamma)
    case .asymmetric(let positive, let negative, let margin):
      try values.encode(positive, forKey: .positive)
      try values.encode(negative, forKey: .negative)
      try values.encode(margin, forKey: .margin)
    case .softmax(_, let smoothing): try values.encode(smoothing, forKey: .smoothing)
    }
  }
}
