import Kernels

/// What training makes small: a loss for each sample and class, on logits. Formulas and sources stand in
/// `kernels_training.h`.
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

  package enum Kind: String, Sendable, CaseIterable, Codable {
    case binary = "bce"
    case weighted, focal, asymmetric
  }

  package enum Defaults {
    /// Those of torchvision's `sigmoid_focal_loss`, with which SubCell's heads were trained.
    package static let focal = HeadLoss.focal(alpha: 0.25, gamma: 2)
    /// Ridnik et al., 2021, section 4: gamma+ 0 and gamma- 4, margin 0.05 for multi-label images.
    package static let asymmetric = HeadLoss.asymmetric(positive: 0, negative: 4, margin: 0.05)
  }

  package var kind: Kind {
    switch self {
    case .binary: .binary
    case .weighted: .weighted
    case .focal: .focal
    case .asymmetric: .asymmetric
    }
  }

  var kernel: training_loss {
    switch self {
    case .binary, .weighted:
      training_loss(kind: TRAINING_CROSS_ENTROPY, alpha: 0, positive: 0, negative: 0, margin: 0)
    case .focal(let alpha, let gamma):
      training_loss(kind: TRAINING_FOCAL, alpha: alpha ?? -1, positive: gamma, negative: 0, margin: 0)
    case .asymmetric(let positive, let negative, let margin):
      training_loss(
        kind: TRAINING_ASYMMETRIC, alpha: 0, positive: positive, negative: negative, margin: margin)
    }
  }

  /// What the positives of each class count.
  /// - Parameter positives: among `samples` samples, of each class.
  func positiveWeights(positives: [Int], samples: Int) -> [Float] {
    guard case .weighted(let factor) = self else { return positives.map { _ in 1 } }
    return positives.map { factor ?? (Float(samples - $0) + 0.5) / (Float($0) + 0.5) }
  }

  private enum CodingKeys: String, CodingKey {
    case kind, factor, alpha, gamma, positive, negative, margin
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
    }
  }
}
