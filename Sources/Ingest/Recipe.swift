package import Backbone
import Faults
import Formats
import FoundationEssentials
package import Imaging
import Storage

/// Everything between an image's files and a model's input. Together with the backbone's weights it defines a
/// space: vectors of one recipe and one backbone can be compared, others cannot.
package struct Recipe: Sendable, Equatable {
  package let source: CellSource
  /// The channel in which nuclei are looked for; only used with detected nuclei.
  package let segmentationRole: String
  package let crop: CropRecipe
  /// Mean and deviation at each input of the model, of the normalization `fixed`; nil with others.
  package let scaling: InputScaling?
  package let strategy: ChannelStrategy
  /// Which tokens of the model become the vector.
  package let pooling: Pooling
  /// Over how many rotations of a crop its vector is the mean.
  package let rotations: Rotations
  /// Roles of the channels, sorted: the order in which `replicate` joins their vectors.
  package let roles: [String]
  /// Whether the model multiplies in int8, whose vectors are not compared with those of the other numbers.
  package let isInt8: Bool

  package init(
    source: CellSource, segmentationRole: String, crop: CropRecipe, scaling: InputScaling? = nil,
    strategy: ChannelStrategy, pooling: Pooling = .classToken, rotations: Rotations = .one,
    roles: [String], isInt8: Bool = false
  ) {
    self.source = source
    self.segmentationRole = segmentationRole
    self.crop = crop
    self.scaling = scaling
    self.strategy = strategy
    self.pooling = pooling
    self.rotations = rotations
    self.roles = roles.sorted()
    self.isInt8 = isInt8
  }

  /// The recipe as canonical JSON (sorted keys, no white space): equal recipes are equal texts.
  package func canonicalJSON() throws -> String {
    try Formats.canonicalJSON(self)
  }

  /// Reads the recipe that a space keeps.
  package init(canonicalJSON text: String, space: String) throws {
    do {
      self = try JSONDecoder().decode(Recipe.self, from: Data(text.utf8))
      try validate()
    } catch {
      throw Fault(
        .badData, "space \"\(space)\"", "has a recipe that this version of cellvec does not understand",
        remedy: "use the cellvec that made the space, or a newer one")
    }
  }
}

extension Recipe: Codable {
  private enum Key: String, CodingKey {
    case source, segmentationRole, crop, scaling, strategy, pooling, rotations, roles, precision
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    source = try container.decode(CellSource.self, forKey: .source)
    segmentationRole = try container.decode(String.self, forKey: .segmentationRole)
    crop = try container.decode(CropRecipe.self, forKey: .crop)
    scaling = try container.decodeIfPresent(InputScaling.self, forKey: .scaling)
    strategy = try container.decode(ChannelStrategy.self, forKey: .strategy)
    pooling = try container.decodeIfPresent(Pooling.self, forKey: .pooling) ?? .classToken
    rotations = try container.decodeIfPresent(Rotations.self, forKey: .rotations) ?? .one
    roles = try container.decode([String].self, forKey: .roles)
    let precision = try container.decodeIfPresent(Precision.self, forKey: .precision)
    isInt8 = precision == .int8
    guard precision == nil || isInt8 else {
      throw DecodingError.dataCorruptedError(
        forKey: .precision, in: container, debugDescription: "only int8 is part of a recipe")
    }
  }

  /// What was added since the first recipes is left out where it has its default: texts are compared.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(source, forKey: .source)
    try container.encode(segmentationRole, forKey: .segmentationRole)
    try container.encode(crop, forKey: .crop)
    try container.encodeIfPresent(scaling, forKey: .scaling)
    try container.encode(strategy, forKey: .strategy)
    if pooling != .classToken { try container.encode(pooling, forKey: .pooling) }
    if rotations != .one { try container.encode(rotations, forKey: .rotations) }
    try container.encode(roles, forKey: .roles)
    if isInt8 { try container.encode(Precision.int8, forKey: .precision) }
  }
}

extension Recipe: CustomStringConvertible {
  /// What matters of it to a reader, on one line: "map nucleus>0 protein>1; intensities self over the crop; squares
  /// of 96 px at 64 px, background zeroed".
  package var description: String { "\(strategy); \(preparation)" }

  /// What becomes of pixels, and of tokens: the description but for the strategy.
  package var preparation: String {
    let scope = crop.normalization.usesStatistics ? " over the \(crop.normalizationScope.rawValue)" : ""
    let numbers = scaling.map { " (\($0))" } ?? ""
    let square = crop.cropSizePx.map { "squares of \($0) px" } ?? "whole images"
    return
      "intensities \(crop.normalization.rawValue)\(numbers)\(scope); \(square) at \(crop.outputSizePx) px"
      + (crop.zeroBackground ? ", background zeroed" : "")
      + (pooling == .classToken ? "" : "; pooling \(pooling.rawValue)")
      + (rotations == .one ? "" : "; mean of \(rotations.rawValue) rotations") + (isInt8 ? "; int8" : "")
  }
}

extension Recipe {
  /// The recipe for images without the channels that change no vector: those that go to no input, unless nuclei are found in
  /// them or intensities are measured over all channels together. It makes the same vectors, and is no other space.
  package var withoutUnusedChannels: Recipe {
    let entering: [String]? =
      switch strategy {
      case .map(let roles, _): roles.compactMap(\.self)
      case .reindex(let inputs): Array(inputs.keys)
      case .replicate, .average: nil
      }
    guard let entering, crop.normalization != .jointMinmax else { return self }
    var used = Set(entering)
    if case .nuclei = source { used.insert(segmentationRole) }
    return Recipe(
      source: source, segmentationRole: segmentationRole, crop: crop, scaling: scaling, strategy: strategy,
      pooling: pooling, rotations: rotations, roles: roles.filter(used.contains), isInt8: isInt8)
  }

  /// The numbers that a backbone is to multiply for this recipe.
  package var precision: Precision? { isInt8 ? .int8 : nil }

  /// The backbone with the channels entering it as this recipe says.
  /// - Throws: `usage` when the recipe does not fit the backbone.
  package func embedder(with backbone: VisionTransformer) throws -> Embedder {
    guard isInt8 == (backbone.precision == .int8) else {
      throw Fault(
        .usage, "--precision", expected: isInt8 ? "int8" : "float32 or bfloat16",
        found: backbone.precision.rawValue, remedy: "vectors of int8 share no space with others")
    }
    return try Embedder(
      backbone: backbone, strategy: strategy, roles: roles, pooling: pooling, rotations: rotations,
      scaling: crop.normalization == .imagenet ? .imagenet : scaling)
  }

  /// - Throws: `usage` when no image can be embedded this way.
  package func validate(with embedder: Embedder) throws {
    try validate()
    guard embedder.dimension <= SpaceRecord.dimensionLimit else {
      throw Fault(
        .usage, "--strategy", expected: "vectors of at most \(SpaceRecord.dimensionLimit) numbers",
        found: "\(embedder.dimension)", remedy: "name fewer channels")
    }
    // No crops: only their size is looked at.
    _ = try embedder.embed(
      crops: UnsafeBufferPointer(start: nil, count: 0), count: 0, height: crop.outputSizePx,
      width: crop.outputSizePx, threads: 1)
  }

  /// - Throws: `usage` when the recipe makes no sense, whatever the backbone.
  private func validate() throws {
    try validateCells(of: roles, source: source, segmentationRole: segmentationRole, crop: crop)
    guard (crop.normalization == .fixed) == (scaling != nil) else {
      throw Fault(
        .usage, "--normalize \(crop.normalization.rawValue)",
        expected: scaling == nil ? "a model whose files tell mean and SD of its inputs" : "no such numbers",
        found: scaling.map { "\($0)" } ?? "none", remedy: "use --normalize self, range or imagenet")
    }
    if let scaling, !scaling.isUsable {
      throw Fault(
        .usage, "--normalize fixed", expected: "numbers of single precision, SDs above 0", found: "\(scaling)"
      )
    }
  }

  /// The image with its channels in the order of `roles`, which is the order in which the embedder takes them;
  /// images come with theirs in any order.
  /// - Throws: `badData` when a channel is missing.
  func ordered(_ image: FieldOfView) throws -> FieldOfView {
    let channels = try roles.map { role in
      guard let channel = image.channels.first(where: { $0.role == role }) else {
        throw Fault(
          .badData, image.name, expected: "the channels \(roles.joined(separator: ", "))",
          found: image.channels.map(\.role).joined(separator: ", "))
      }
      return channel
    }
    return FieldOfView(name: image.name, channels: channels, mask: image.mask)
  }
}

/// Looks whether cells of images with these channels can be found and cut.
/// - Throws: `usage` when they cannot, whatever the images.
func validateCells(
  of roles: [String], source: CellSource, segmentationRole: String, crop: CropRecipe
) throws {
  try crop.validate(for: source)
  guard !roles.isEmpty, Set(roles).count == roles.count else {
    throw Fault(
      .usage, "--channels", expected: "different roles", found: roles.joined(separator: ", "))
  }
  guard case .nuclei(let segmentation) = source else { return }
  guard roles.contains(segmentationRole) else {
    throw Fault(
      .usage, "--segment-on", expected: "one of \(roles.joined(separator: ", "))",
      found: "\"\(segmentationRole)\"")
  }
  guard segmentation.diameterPx.isFinite, segmentation.diameterPx >= 0 else {
    throw Fault(
      .usage, "--nucleus-diameter", expected: "a number of pixels above 0",
      found: "\(segmentation.diameterPx)")
  }
}
