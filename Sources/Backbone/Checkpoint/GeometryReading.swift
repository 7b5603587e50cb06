import Faults
import Formats

/// Finds out the geometry of a model from the shapes of its tensors, and the rest from metadata and
/// configuration.
struct GeometryReading {
  private let file: any TensorFile
  private let names: TensorNames
  private let scheme: NamingScheme
  private let configuration: ModelConfiguration?
  let geometry: ViTGeometry
  /// Whether nothing says how many heads there are, so that the family's usual width is taken.
  let headsAreAssumed: Bool

  init(
    file: any TensorFile, names: TensorNames, scheme: NamingScheme, configuration: ModelConfiguration?
  ) throws {
    let shapes = TensorShapes(file: file, names: names, scheme: scheme)
    let source = scheme.source
    let mlp: ViTGeometry.MLPKind = shapes.has("blocks.#.mlp.w12.weight") ? .swiglu : .gelu
    let first = "blocks.#.\(mlp.tensorNames.first).weight"
    try shapes.require((source.isRotary ? [] : ["pos_embed"]) + ["patch_embed.proj.weight", first])

    let patch = try shapes.shape("patch_embed.proj.weight", "[width, inputs, patch, patch]", rank: 4)
    let hidden = try shapes.shape(first, "[hidden, width]", rank: 2)[0] * scheme.parts(of: first).count
    let registers =
      shapes.has("register_tokens")
      ? try shapes.shape("register_tokens", "[1, registers, width]", rank: 3, mayBeEmpty: true)[1] : 0
    let classHasPosition = !source.isRotary && !(source == .timm && registers > 0)
    let width = patch[0]
    let (heads, areAssumed) = try Self.headCount(file, shapes, source, configuration, width: width)
    headsAreAssumed = areAssumed
    let attentionBias: ViTGeometry.AttentionBias =
      shapes.has("blocks.#.attn.qkv.bias_mask") ? .queryAndValue : shapes.attentionBias

    self.file = file
    self.names = names
    self.scheme = scheme
    self.configuration = configuration
    geometry = ViTGeometry(
      width: width, depth: names.blocks.count, heads: heads, patchSize: patch[3], inputChannels: patch[1],
      gridSize: source.isRotary ? nil : try shapes.gridSize(classHasPosition: classHasPosition),
      mlpWidth: mlp == .swiglu ? hidden / 2 : hidden, mlp: mlp, attentionBias: attentionBias,
      hasLayerScale: shapes.has("blocks.#.ls1.gamma") || shapes.has("blocks.#.ls2.gamma"),
      registerCount: registers, classHasPosition: classHasPosition,
      epsilon: try configuration?.checkedEpsilon ?? source.epsilon,
      attentionPooling: try shapes.attentionPooling())
    guard !source.isRotary || geometry.headWidth % 4 == 0 else {
      throw Fault(
        .badData, file.name, expected: "heads whose width is a multiple of 4, for rotary positions",
        found: "a width of \(geometry.headWidth)")
    }
  }

  /// Whether a tensor is the classifier that timm and DINO leave without classes.
  func isEmptyHead(_ name: String) -> Bool {
    guard name.hasPrefix("head."), let shape = names.stored[name].flatMap(file.shape(of:)) else {
      return false
    }
    return shape.contains(0)
  }

  /// What tells this reading of the tensors from that of a file without a configuration:
  /// "num_attention_heads 2; layer_norm_eps 1e-06"; empty for nothing.
  func configured(ropeTheta: Double) throws -> String {
    guard let configuration else { return readingOfNames }
    let shapes = TensorShapes(file: file, names: names, scheme: scheme)
    let heads = try? Self.headCount(file, shapes, scheme.source, nil, width: geometry.width).heads
    let alone = try NamingScheme.best(for: names, of: file, configuration: nil).source
    let registers = geometry.registerCount > 0
    return [
      heads == geometry.heads ? nil : "num_attention_heads \(geometry.heads)",
      geometry.epsilon == scheme.source.epsilon ? nil : "layer_norm_eps \(geometry.epsilon)",
      alone.resampling(hasRegisters: registers) == scheme.source.resampling(hasRegisters: registers)
        ? nil : "architecture of timm",
      !scheme.source.isRotary || shapes.has("rope_embed.periods")
        || configuration.ropeTheta ?? ViTCheckpoint.customaryTheta == ViTCheckpoint.customaryTheta
        ? nil : "rope_theta \(ropeTheta)", readingOfNames.isEmpty ? nil : readingOfNames,
    ].compactMap { $0 }.joined(separator: "; ")
  }

  /// Positions of models that timm spells as their authors do were once resized as the authors do it: vectors of
  /// then and now must not share a space.
  private var readingOfNames: String {
    let isResizedAnew =
      scheme.source == .timm && geometry.registerCount == 0
      && scheme.source.resampling(hasRegisters: false) == .antialiased
    return isResizedAnew ? "positions as timm resizes them" : ""
  }

  private static func headCount(
    _ file: any TensorFile, _ shapes: TensorShapes, _ source: ViTSource, _ configuration: ModelConfiguration?,
    width: Int
  ) throws -> (heads: Int, areAssumed: Bool) {
    let told = try file.metadata["num_heads"].map { text in
      guard let heads = Int(text), heads > 0, width % heads == 0 else {
        throw Fault(
          .badData, "\(file.name): metadata num_heads", expected: "a divisor of the width \(width)",
          found: text)
      }
      return heads
    }
    if let configuration, let heads = configuration.heads {
      guard heads > 0, width % heads == 0 else {
        throw configuration.contradiction(
          "num_attention_heads", expected: "a divisor of the width \(width)", found: "\(heads)")
      }
      guard told == nil || told == heads else {
        throw configuration.contradiction(
          "num_attention_heads", expected: "\(told ?? heads), as in the metadata of \(file.name)",
          found: "\(heads)")
      }
      return (heads, false)
    }
    if let told { return (told, false) }
    // A period for each fourth component of a head.
    if shapes.has("rope_embed.periods") {
      let periods = try shapes.shape("rope_embed.periods", "[head width / 4]", rank: 1)[0]
      if width % (4 * periods) == 0 { return (width / (4 * periods), false) }
    }
    // The widest DINOv3, of 7 billion parameters, is the only published model with wider heads.
    let headWidth = source.isRotary && width == 4096 ? 128 : 64
    guard width % headWidth == 0 else {
      throw Fault(
        .badData, file.name, "the number of heads is unknown: the width \(width) is no multiple of 64",
        remedy: "put num_heads into the file's metadata, or num_attention_heads into a config.json beside it")
    }
    return (width / headWidth, true)
  }
}

/// Shapes by canonical names, in which `#` stands for the first block that has the tensor.
private struct TensorShapes {
  let file: any TensorFile
  let names: TensorNames
  let scheme: NamingScheme

  /// Whether the first part of a tensor is there, in some block.
  func has(_ canonical: String) -> Bool {
    scheme.parts(of: canonical).first.map { names.patterns.contains($0.pattern) } ?? false
  }

  /// - Throws: the names of those that are missing.
  func require(_ canonical: [String]) throws {
    let missing = canonical.filter { !has($0) }.flatMap { name in
      scheme.parts(of: name.replacingMark(with: "0")).map(\.name)
    }
    guard let problem = ViTCheckpoint.listed(missing, "missing") else { return }
    throw Fault(.badData, file.name, problem, remedy: ViTCheckpoint.remedy)
  }

  /// The shape of a tensor's first part.
  func shape(_ canonical: String, _ meaning: String, rank: Int, mayBeEmpty: Bool = false) throws -> [Int] {
    let candidates =
      canonical.contains("#") ? names.blocks.map { canonical.replacingMark(with: $0) } : [canonical]
    let plain = candidates.lazy.compactMap { scheme.parts(of: $0).first?.name }
      .first { names.stored[$0] != nil }
    let stored = plain.flatMap { names.stored[$0] } ?? canonical
    let shape = file.shape(of: stored) ?? []
    guard shape.count == rank, mayBeEmpty || shape.allSatisfy({ $0 > 0 }) else {
      throw Fault(
        .badData, "\(file.name): tensor \(stored)", expected: "the shape \(meaning)", found: "\(shape)")
    }
    return shape
  }

  func gridSize(classHasPosition: Bool) throws -> Int {
    let patches = try shape("pos_embed", "[1, tokens, width]", rank: 3)[1] - (classHasPosition ? 1 : 0)
    let side = Int(Double(patches).squareRoot().rounded())
    guard side > 0, side * side == patches else {
      let name = scheme.parts(of: "pos_embed").first.flatMap { names.stored[$0.name] } ?? "pos_embed"
      throw Fault(
        .badData, "\(file.name): tensor \(name)", expected: "a square grid of positions",
        found: "\(patches) positions")
    }
    return side
  }

  var attentionBias: ViTGeometry.AttentionBias {
    let parts = scheme.parts(of: "blocks.#.attn.qkv.bias")
    let present = parts.filter { !scheme.mayBeAbsent($0.pattern) || names.patterns.contains($0.pattern) }
    return present.count == parts.count ? .all : present.isEmpty ? .none : .queryAndValue
  }

  /// nil for a model without pooling of its own.
  func attentionPooling() throws -> ViTGeometry.AttentionPooling? {
    let layers = ["pool.v.weight", "pool.u.weight", "pool.scores.weight"]
    guard layers.contains(where: has) else { return nil }
    try require(layers)
    let scores = try shape("pool.scores.weight", "[heads, hidden]", rank: 2)
    return ViTGeometry.AttentionPooling(heads: scores[0], hiddenWidth: scores[1])
  }
}

extension String {
  /// The name of a tensor of one block.
  fileprivate func replacingMark(with block: String) -> String {
    split(separator: "#", omittingEmptySubsequences: false).joined(separator: block)
  }
}

extension ModelConfiguration {
  /// - Throws: `badData` when it is not a small positive number.
  fileprivate var checkedEpsilon: Float? {
    get throws {
      guard let epsilon else { return nil }
      guard epsilon > 0, epsilon < 1, Float(epsilon) > 0 else {
        throw contradiction("layer_norm_eps", expected: "a small positive number", found: "\(epsilon)")
      }
      return Float(epsilon)
    }
  }
}
