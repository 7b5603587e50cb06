package import Faults
import Formats

/// What a file's metadata can say of the images that its model was trained on, by the key there.
package enum TrainingFact: String, Sendable, CaseIterable {
  /// What each input is meant for: words between commas.
  case inputs
  /// The rule for intensities, by the word of the recipe.
  case normalization
  /// Side of the model's input, pixels.
  case imageSize = "image_size"
  /// Side of the square around a cell, micrometres.
  case cropUm = "crop_um"
  /// Which tokens make the vector, by the word of the recipe.
  case pooling
  /// Over how many rotations of a crop the vector is the mean.
  case rotations

  /// The option that says the same, and goes before the metadata.
  private var option: String {
    switch self {
    case .inputs: "--map, or with --inputs of cellvec models add"
    case .normalization: "--normalize"
    case .imageSize: "--input-size"
    case .cropUm: "--crop, in pixels"
    case .pooling: "--pooling"
    case .rotations: "--rotations"
    }
  }

  /// The fault of metadata that are of no use, which names the option that takes their place.
  /// - Parameter name: whose metadata they are.
  package func fault(_ name: String, expected: String, found: String) -> Fault {
    Fault(
      .badData, "\(name): metadata \(rawValue)", expected: expected, found: "\"\(excerpt(found))\"",
      remedy: "say it with \(option)")
  }
}

/// What a file of weights says of the images that its model was trained on: texts and numbers of its metadata, nil
/// where it is silent, or says what is of no use. Whoever uses the model is to give it such images.
package struct TrainingInput: Sendable, Equatable {
  /// Roles of the inputs, in their order.
  package private(set) var inputs: [String]?
  /// The word of the rule for intensities, such as "self"; not looked at here.
  package let normalization: String?
  /// Side of the model's input, pixels.
  package private(set) var imageSizePx: Int?
  /// Side of the square around a cell, micrometres.
  package private(set) var cropUm: Double?
  /// Which tokens make the vector, by the word of the recipe; not looked at here.
  package let pooling: String?
  /// Over how many rotations of a crop the vector is the mean.
  package private(set) var rotations: Rotations?
  private var unusable: [TrainingFact: Fault] = [:]

  /// - Parameters:
  ///   - inputCount: inputs of the model.
  ///   - name: what faults are told of.
  init(metadata: [String: String], inputCount: Int, name: String) {
    normalization = metadata[TrainingFact.normalization.rawValue]
    pooling = metadata[TrainingFact.pooling.rawValue]
    func read<Value>(
      _ fact: TrainingFact, expected: String, _ value: (String) -> Value?
    ) -> Value? {
      guard let text = metadata[fact.rawValue] else { return nil }
      guard let value = value(text) else {
        unusable[fact] = fact.fault(name, expected: expected, found: text)
        return nil
      }
      return value
    }
    func number<Number: LosslessStringConvertible & Comparable & Numeric>(_ text: String) -> Number? {
      Number(text).flatMap { $0 > 0 && $0 < 1_000_000 ? $0 : nil }
    }
    imageSizePx = read(.imageSize, expected: "a number above 0 and below 1000000", number)
    cropUm = read(.cropUm, expected: "a number above 0 and below 1000000", number)
    rotations = read(.rotations, expected: "1, 2 or 4") { Int($0).flatMap(Rotations.init(rawValue:)) }
    inputs = read(.inputs, expected: "\(inputCount) different roles") { text in
      let roles = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return roles.count == inputCount && Set(roles).count == inputCount && !roles.contains("") ? roles : nil
    }
  }

  /// Looks whether what the file says of one thing can be used, before it is: an option may go before it.
  /// - Throws: `badData`, with that option, when it cannot.
  package func check(_ fact: TrainingFact) throws {
    if let fault = unusable[fact] { throw fault }
  }
}

extension TrainingInput: Encodable {
  private enum CodingKeys: CodingKey {
    case normalization, imageSizePx, cropUm, pooling, rotations
  }
}
