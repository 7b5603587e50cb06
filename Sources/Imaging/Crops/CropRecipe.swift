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

/// The way from an image and a cell in it to the square of numbers that a model takes.
package struct CropRecipe: Sendable, Equatable {
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
  package var normalizationScope: NormalizationScope

  package init(
    cropSizePx: Int?, outputSizePx: Int, zeroBackground: Bool = false, border: BorderRule = .pad,
    minAreaPx: Int = 0, normalization: Normalization = .selfStandardize,
    normalizationScope: NormalizationScope = .crop
  ) {
    self.cropSizePx = cropSizePx
    self.outputSizePx = outputSizePx
    self.zeroBackground = zeroBackground
    self.border = border
    self.minAreaPx = minAreaPx
    self.normalization = normalization
    self.normalizationScope = normalizationScope
  }
}

extension CropRecipe: Codable {
  private enum Key: String, CodingKey {
    case cropSizePx, outputSizePx, zeroBackground, border, minAreaPx, normalization, normalizationScope
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    cropSizePx = try container.decodeIfPresent(Int.self, forKey: .cropSizePx)
    outputSizePx = try container.decode(Int.self, forKey: .outputSizePx)
    zeroBackground = try container.decode(Bool.self, forKey: .zeroBackground)
    border = try container.decode(BorderRule.self, forKey: .border)
    minAreaPx = try container.decode(Int.self, forKey: .minAreaPx)
    normalization = try container.decode(Normalization.self, forKey: .normalization)
    normalizationScope =
      try container.decodeIfPresent(NormalizationScope.self, forKey: .normalizationScope) ?? .crop
  }

  /// What was added since the first recipes is left out where it has its default: texts are compared.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(cropSizePx, forKey: .cropSizePx)
    try container.encode(outputSizePx, forKey: .outputSizePx)
    try container.encode(zeroBackground, forKey: .zeroBackground)
    try container.encode(border, forKey: .border)
    try container.encode(minAreaPx, forKey: .minAreaPx)
    try container.encode(normalization, forKey: .normalization)
    if normalizationScope != .crop { try container.encode(normalizationScope, forKey: .normalizationScope) }
  }
}
