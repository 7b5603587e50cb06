import Glibc

/// A correction of probabilities that keeps their order within a class, so that a probability of p is right
/// in a part p of the samples that it was fitted on.
package enum HeadCalibration: Sendable, Equatable {
  case none
  /// Logits are divided by it.
  case temperature(Double)
  /// A curve for each class.
  case isotonic([IsotonicCurve])

  /// - Parameter complements: 1 - p of each probability p, which a temperature of several labels needs and float32 rounds
  ///   away near 1; nil where it is not known better than from p.
  /// - Shape: both are [samples, classCount].
  func apply(
    to probabilities: UnsafeMutableBufferPointer<Float>,
    complements: UnsafeBufferPointer<Float>? = nil, classCount: Int, task: ClassificationTask
  ) {
    switch self {
    case .none: return
    case .temperature(let temperature) where task == .single:
      for start in stride(from: 0, to: probabilities.count, by: classCount) {
        Self.scale(probabilities.extracting(start..<start + classCount), by: temperature)
      }
    case .temperature(let temperature):
      for index in probabilities.indices {
        let complement = complements?[index] ?? 1 - probabilities[index]
        probabilities[index] = Self.scaled(probabilities[index], complement: complement, by: temperature)
      }
    case .isotonic(let curves):
      for index in probabilities.indices {
        probabilities[index] = curves[index % classCount].value(at: probabilities[index])
      }
    }
  }

  /// p^(1 / T) over the sum of all: the softmax of logits over T, where the probabilities are a softmax. NaN stays.
  private static func scale(_ probabilities: UnsafeMutableBufferPointer<Float>, by temperature: Double) {
    let logarithms = probabilities.map { logarithm(of: $0) / temperature }
    let largest = logarithms.max() ?? 0
    let powers = logarithms.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    for index in probabilities.indices where !probabilities[index].isNaN {
      probabilities[index] = Float(powers[index] / sum)
    }
  }

  /// log p.
  static func logarithm(of probability: Float) -> Double { log(held(probability)) }

  /// log(p / q) with q = 1 - p: what a temperature is fitted to, and divides. At most 87.3 either way.
  static func logit(_ p: Float, complement q: Float) -> Double { log(held(p) / held(q)) }

  /// The sigmoid of p's logit over T, with q = 1 - p.
  private static func scaled(_ p: Float, complement q: Float, by temperature: Double) -> Float {
    Float(1 / (1 + exp(-logit(p, complement: q) / temperature)))
  }

  /// The least probability that a correction knows: the least normal number of float32, 2^-126. ONNX files have it, too.
  static let leastProbability = Float.leastNormalMagnitude

  /// A probability; what is less than the least one is that. NaN stays.
  private static func held(_ probability: Float) -> Double { Double(max(probability, leastProbability)) }
}

/// A curve that never falls: straight between its knots, level beyond them.
package struct IsotonicCurve: Sendable, Equatable, Codable {
  /// Probabilities, increasing.
  package let x: [Float]
  /// What they become, from 0 to 1, never falling. As many.
  package let y: [Float]

  /// A curve that changes nothing.
  static let identity = IsotonicCurve(x: [0, 1], y: [0, 1])

  var isValid: Bool {
    !x.isEmpty && x.count == y.count && zip(x, x.dropFirst()).allSatisfy { $0 < $1 }
      && zip(y, y.dropFirst()).allSatisfy { $0 <= $1 } && y.allSatisfy { (0...1).contains($0) }
      && x.allSatisfy(\.isFinite)
  }

  func value(at probability: Float) -> Float {
    var (low, high) = (0, x.count)
    while low < high {
      let middle = (low + high) / 2
      if x[middle] <= probability { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return y[0] }
    guard low < x.count else { return y[x.count - 1] }
    let part = (probability - x[low - 1]) / (x[low] - x[low - 1])
    return y[low - 1] + part * (y[low] - y[low - 1])
  }
}

extension HeadCalibration: Codable {
  private enum Kind: String, Codable {
    case none, temperature, isotonic
  }

  private enum CodingKeys: String, CodingKey {
    case kind, temperature, curves
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    switch try values.decode(Kind.self, forKey: .kind) {
    case .none: self = .none
    case .temperature: self = .temperature(try values.decode(Double.self, forKey: .temperature))
    case .isotonic: self = .isotonic(try values.decode([IsotonicCurve].self, forKey: .curves))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .none: try values.encode(Kind.none, forKey: .kind)
    case .temperature(let temperature):
      try values.encode(Kind.temperature, forKey: .kind)
      try values.encode(temperature, forKey: .temperature)
    case .isotonic(let curves):
      try values.encode(Kind.isotonic, forKey: .kind)
      try values.encode(curves, forKey: .curves)
    }
  }

  /// Whether it can be applied to probabilities of so many classes.
  func fits(classCount: Int) -> Bool {
    switch self {
    case .none: true
    case .temperature(let temperature): temperature > 0 && temperature.isFinite
    case .isotonic(let curves): curves.count == classCount && curves.allSatisfy(\.isValid)
    }
  }
}
