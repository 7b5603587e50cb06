import Backbone
import Formats
import Identity
import Imaging
import Ingest

/// What `models inspect` writes.
struct ModelDescription: Encodable {
  let name: String
  /// Digest of the file, and of what the branch or a configuration changes.
  let hash: String
  let format: TensorFormat
  /// Which of several models in the file it is; nil where the file is one.
  let branch: String?
  /// All branches that one can choose.
  let branches: [String]
  /// Whose model it is: "DINOv2 with registers (timm)".
  let family: String
  let architecture: String
  let parameters: Int
  let geometry: ViTGeometry
  /// Whether the number of heads is the usual one of the family, because nothing says it.
  let headsAreAssumed: Bool
  let positions: ViTGeometry.PositionKind
  /// All poolings that the model can do.
  let poolings: [Pooling]
  /// What `ingest` does with the model when no option says otherwise.
  let defaults: Defaults
  /// What each input is for; nil when nothing says so.
  let inputs: [String]?
  /// Side of the images that the model was trained on, pixels; nil when nothing says so.
  let trainedImageSizePx: Int?
  /// How the training brought intensities to the inputs; nil when that is not known.
  let expectedNormalization: String?
  /// What the file says of the images that the model expects.
  let trainingInput: TrainingInput
  /// The preset that the model was added with.
  let preset: String?
  let ignoredTensors: [String]

  struct Defaults: Encodable {
    let strategy: String
    let normalization: Normalization
    let normalizationScope: NormalizationScope
    /// Mean and SD of each input, of the normalization `fixed`.
    let scaling: InputScaling?
    /// Side of the model's input, pixels.
    let inputSizePx: Int
    let pooling: Pooling
    let rotations: Rotations
    /// Numbers of the vector of one pass.
    let dimension: Int
  }

  /// - Throws: `badData` when the file's metadata are of no use, `missingInput` for an unknown preset.
  init(of model: VisionTransformer, preset: String? = nil) throws {
    for fact in TrainingFact.allCases { try model.trainingInput.check(fact) }
    name = model.name
    hash = model.hash.description
    format = model.format
    branch = model.branches.chosen
    branches = model.branches.all
    family = model.familyName
    architecture = model.geometry.architecture
    parameters = model.geometry.parameterCount
    geometry = model.geometry
    headsAreAssumed = model.headsAreAssumed
    positions = model.geometry.positions
    poolings = model.poolings
    let recipe = try RecipeDefaults(for: model, preset: preset.map { try Preset.named($0) })
    let crop = recipe.crop
    defaults = Defaults(
      strategy: recipe.strategy.rawValue, normalization: crop.normalization,
      normalizationScope: crop.normalizationScope,
      scaling: crop.normalization == .fixed ? recipe.scaling : nil, inputSizePx: crop.outputSizePx,
      pooling: recipe.pooling, rotations: recipe.rotations, dimension: model.dimension(for: recipe.pooling))
    inputs = model.inputRoles
    trainedImageSizePx = model.trainingInput.imageSizePx ?? model.trainedImageSizePx
    expectedNormalization = model.expectedNormalization?.words
    trainingInput = model.trainingInput
    self.preset = preset
    ignoredTensors = model.ignoredTensors
  }

  var card: Card {
    Card([
      ("name", .text(name)), ("hash", .text(hash)), ("format", .text(format.rawValue)),
      ("branch", .text(branchWords)), ("family", .text(family)), ("architecture", .text(architecture)),
      ("parameters", .integer(parameters)),
      ("embedding", .text("\(defaults.dimension) numbers, pooling \(defaults.pooling.rawValue)")),
      ("blocks", .integer(geometry.depth)), ("heads", .text(heads)),
      ("MLP", .text("\(geometry.mlp.words), \(geometry.mlpWidth) units")),
      ("patch", .text("\(geometry.patchSize) px")), ("positions", .text(positions.rawValue)),
      ("epsilon", .text("\(geometry.epsilon)")), ("registers", .integer(geometry.registerCount)),
      ("trained on", .text(trainedImageSizePx.map(square) ?? "images of unknown size")),
      ("inputs", inputs.map { .list($0) } ?? .text("\(geometry.inputChannels), of unknown roles")),
      ("poolings", .list(poolings.map(\.rawValue))), ("preprocessing", .text(preprocessing)),
      ("by default", .text(defaults.description)),
      ("unused tensors", ignoredTensors.isEmpty ? .text("none") : .list(ignoredTensors)),
    ])
  }

  private var heads: String {
    let assumed = headsAreAssumed ? ", assumed: \(geometry.width / geometry.heads) numbers each" : ""
    return "\(geometry.heads)\(assumed)"
  }

  private func square(_ side: Int) -> String { "\(side) x \(side) px" }

  /// "teacher; there are also student, optimizer".
  private var branchWords: String {
    let others = branches.filter { $0 != branch }
    let name = branch ?? "none, the file as a whole"
    return others.isEmpty ? name : "\(name); there are also \(others.joined(separator: ", "))"
  }

  /// What is known of the images that the model expects.
  private var preprocessing: String {
    let facts = [
      preset.map { "preset \($0)" }, expectedNormalization.map { "its family is trained with \($0)" },
      trainingInput.normalization.map { "normalization \($0)" },
      trainingInput.cropUm.map { "squares of \($0) µm" }, trainingInput.pooling.map { "pooling \($0)" },
      trainingInput.rotations.map { "rotations \($0)" },
    ].compactMap { $0 }
    return facts.isEmpty
      ? "not stated; choose one with --preset or --normalize" : facts.joined(separator: ", ")
  }
}

extension ModelDescription.Defaults: CustomStringConvertible {
  /// "strategy map; intensities self over the crop; 224 x 224 px".
  var description: String {
    let scope = normalization.usesStatistics ? " over the \(normalizationScope.rawValue)" : ""
    let numbers = scaling.map { " (\($0))" } ?? ""
    return
      "strategy \(strategy); intensities \(normalization.rawValue)\(numbers)\(scope); \(inputSizePx) x \(inputSizePx) px"
      + (rotations == .one ? "" : "; mean of \(rotations.rawValue) rotations")
  }
}

extension ViTGeometry.MLPKind {
  var words: String {
    switch self {
    case .gelu: "GELU"
    case .swiglu: "SwiGLU"
    }
  }
}

extension InputNormalization {
  /// Words for a reader: "mean 0 and SD 1 in each channel".
  var words: String {
    switch self {
    case .imageNet: "ImageNet's mean and SD of each input"
    case .fixed(let mean, let deviation): "mean \(mean) and SD \(deviation) of the inputs"
    case .eachChannel: "mean 0 and SD 1 in each channel"
    case .minMax: "0 to 1 between the extremes of all channels"
    }
  }
}
