import Faults

/// What a file of weights says of the images that its model was trained on: texts and numbers of its metadata, nil
/// where it is silent. Whoever uses the model is to give it such images.
///
/// Keys: `normalization` (a rule, by the word of the recipe), `image_size` (pixels), `crop_um` (micrometres),
/// `pooling` (a word), `rotations` (a number).
package struct TrainingInput: Sendable, Equatable, Encodable {
  /// The word of the rule for intensities, such as "self"; not looked at here.
  package let normalization: String?
  /// Side of the model's input, pixels.
  package let imageSizePx: Int?
  /// Side of the square around a cell, micrometres.
  package let cropUm: Double?
  /// Which tokens make the vector, by the word of the recipe; not looked at here.
  package let pooling: String?
  /// By how many rotations of a crop the vector is averaged; not looked at here.
  package let rotations: Int?

  /// - Throws: `badData` for a number that is none.
  init(metadata: [String: String], name: String) throws {
    func number<Number: LosslessStringConvertible & Comparable & Numeric>(
      _ key: String, _ type: Number.Type
    ) throws -> Number? {
      guard let text = metadata[key] else { return nil }
      guard let number = Number(text), number > 0, number < 1_000_000 else {
        throw Fault(.badData, "\(name): metadata \(key)", expected: "a number above 0", found: "\"\(text)\"")
      }
      return number
    }
    normalization = metadata["normalization"]
    imageSizePx = try number("image_size", Int.self)
    cropUm = try number("crop_um", Double.self)
    pooling = metadata["pooling"]
    rotations = try number("rotations", Int.self)
  }
}
