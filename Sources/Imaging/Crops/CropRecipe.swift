/// Where the cells of an image come from.
package enum CellSource: Sendable, Equatable {
  /// The image itself is the one cell.
  case whole
  /// The objects of the image's label mask.
  case masks
  /// Nuclei found in one of the image's channels.
  case nuclei(NucleusSegmentation)
}

extension CellSource: Codable {
  private enum Key: String, CodingKey { case kind, segmentation }
  private enum Kind: String, Codable { case whole, masks, nuclei }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .whole: self = .whole
    case .masks: self = .masks
    case .nuclei: self = .nuclei(try container.decode(NucleusSegmentation.self, forKey: .segmentation))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .whole: try container.encode(Kind.whole, forKey: .kind)
    case .masks: try container.encode(Kind.masks, forKey: .kind)
    case .nuclei(let segmentation):
      try container.encode(Kind.nuclei, forKey: .kind)
      try container.encode(segmentation, forKey: .segmentation)
    }
  }
}

/// What happens to an object that the image's edge may have cut off.
package enum BorderRule: String, Sendable, Codable, CaseIterable {
  /// It is kept; where its crop leaves the image, it is padded.
  case pad
  /// It is left out.
  case drop
}

/// How the pixels of a crop become numbers that a model takes.
///
/// Statistics are those of the crop's *valid* pixels in one channel: pixels of the image and, where the
/// background is zeroed, of the object. Pixels that are not valid are 0 afterwards, whatever the rule.
package enum Normalization: String, Sendable, Codable, CaseIterable {
  /// (x - mean) / (sd + 1e-7), sd with the number of pixels as divisor; a constant channel is 0.
  /// - Source: DINO4Cells, `self_normalize`.
  case selfStandardize = "self"
  /// (x - min) / (max - min), in 0...1; a constant channel is 0.
  case minmax
  /// As `minmax` between the 0.1 and the 99.9 percentile (linear interpolation), clipped to 0...1.
  case percentile
  /// x / the largest value of the sample type: 255 or 65535; floats unchanged.
  case range
}

/// The way from an image and a cell in it to the square of numbers that a model takes.
package struct CropRecipe: Sendable, Codable, Equatable {
  /// Side of the square around the cell's centre, pixels of the image. Nil for the whole image: a square as wide
  /// as its longer side. Cells from masks and nuclei need one.
  package var cropSizePx: Int?
  /// Side of the square that the model takes.
  package var outputSizePx: Int
  /// Whether pixels outside the object are blanked.
  package var zeroBackground: Bool
  package var border: BorderRule
  /// Objects with fewer pixels are left out.
  package var minAreaPx: Int
  package var normalization: Normalization

  package init(
    cropSizePx: Int?, outputSizePx: Int, zeroBackground: Bool = false, border: BorderRule = .pad,
    minAreaPx: Int = 0, normalization: Normalization = .selfStandardize
  ) {
    self.cropSizePx = cropSizePx
    self.outputSizePx = outputSizePx
    self.zeroBackground = zeroBackground
    self.border = border
    self.minAreaPx = minAreaPx
    self.normalization = normalization
  }
}
