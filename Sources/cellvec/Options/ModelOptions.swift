import ArgumentParser
import Backbone
import Faults
import Formats
import Imaging
import Ingest
import Storage

extension ModelRegistry {
  /// The models of this user.
  static var standard: ModelRegistry { ModelRegistry(environment: variable) }
}

/// How a published family of models was fed.
struct PresetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Defaults of a family, of cellvec models presets.", valueName: "name"))
  private var preset: String?

  @Option(
    help: ArgumentHelp(
      "Input of the nucleus in DINO4Cells' HPA models, on which sources conflict: 0 (default) or 2.",
      valueName: "input", visibility: .hidden))
  private var hpaNucleus: Int?

  /// - Throws: `usage` when the nucleus was chosen, and the model says otherwise what its inputs are.
  func checkNucleus(_ preset: Preset?, of model: VisionTransformer) throws {
    guard hpaNucleus != nil, let inputs = model.inputRoles, inputs != preset?.inputs else { return }
    throw Fault(
      .usage, "--hpa-nucleus",
      "model \(model.name) says that its inputs are \(inputs.joined(separator: ", "))",
      remedy: "leave it out, or say what goes where with --map")
  }

  /// - Parameter standard: the preset where no option names one.
  func resolve(standard: String? = nil) throws -> Preset? {
    guard let name = preset ?? standard else {
      guard hpaNucleus == nil else {
        throw Fault(.usage, "--hpa-nucleus", expected: "--preset", found: "none")
      }
      return nil
    }
    return try Preset.named(name, hpaNucleus: hpaNucleus)
  }
}

/// Which of several models in a file.
struct BranchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Of a file with several models the wanted one, such as student; default: the teacher, or the whole file.",
      valueName: "name"))
  var branch: String?
}

/// Which backbone.
struct BackboneOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Weights: a model's name or a file (.safetensors, .pth); default \(BundledModel.name).",
      valueName: "name|file"), completion: .file())
  private var backbone: String?
  @OptionGroup private var branch: BranchOptions
  @Option(
    help: ArgumentHelp(
      "Numbers that the model multiplies: float32, bfloat16 or int8; default: the fastest here that stays close to float32.",
      valueName: "numbers"))
  private var precision: Precision?

  var nameOrPath: String { backbone ?? BundledModel.name }

  func load(from registry: ModelRegistry = .standard) throws -> ModelRegistry.Found {
    try registry.load(nameOrPath, branch: branch.branch, precision: precision)
  }
}

/// Which backbone, and how it is to be fed.
struct ModelOptions: ParsableArguments {
  @OptionGroup private var backbone: BackboneOptions
  @OptionGroup var preset: PresetOptions
  @OptionGroup var strategy: StrategyOptions
  @Option(
    help: ArgumentHelp(
      "Tokens that become the vector: class, mean (of patches), class-mean, or attention; default: the model's own.",
      valueName: "tokens", visibility: .hidden))
  private var pooling: Pooling?
  @Option(
    help: ArgumentHelp(
      "Rotations of a crop whose vectors are averaged: 1, 2 or 4, at as many times the work; default: the model's own.",
      valueName: "count", visibility: .hidden))
  private var rotations: Rotations?

  /// The backbone with what goes with it.
  struct Loaded {
    let model: VisionTransformer
    let preset: Preset?
    let defaults: RecipeDefaults
    let pooling: Pooling
    let rotations: Rotations
    /// What finds the backbone again, from any folder.
    let reference: BackboneReference
  }

  /// - Parameter crops: options that go before what the model's file says.
  func load(crops: CropOptions, from registry: ModelRegistry = .standard) throws -> Loaded {
    let found = try backbone.load(from: registry)
    let name = backbone.nameOrPath
    let chosen = try preset.resolve(standard: found.preset)
    try preset.checkNucleus(chosen, of: found.model)
    let defaults = try RecipeDefaults(
      for: found.model, preset: chosen, told: crops.told.union(told))
    return Loaded(
      model: found.model, preset: chosen, defaults: defaults, pooling: pooling ?? defaults.pooling,
      rotations: rotations ?? defaults.rotations,
      reference: found.isNamed
        ? BackboneReference(path: name)
        : BackboneReference(path: absolutePath(name), branch: found.model.branches.unusual))
  }

  /// What these options say in place of a model's metadata.
  private var told: Set<TrainingFact> {
    var told: Set<TrainingFact> = []
    if pooling != nil { told.insert(.pooling) }
    if rotations != nil { told.insert(.rotations) }
    return told
  }
}

extension CropOptions {
  /// What these options say in place of a model's metadata.
  fileprivate var told: Set<TrainingFact> {
    var told: Set<TrainingFact> = []
    if normalize != nil { told.insert(.normalization) }
    if inputSize != nil { told.insert(.imageSize) }
    return told
  }
}

extension ModelOptions.Loaded {
  /// What is assumed of the model because nothing says it, for the user to look at.
  func assumptions(crops: CropOptions) -> [String] {
    var lines: [String] = []
    if model.headsAreAssumed {
      let heads = model.geometry.heads
      lines.append("model \(model.name) does not say how many heads it has: \(heads) are assumed")
    }
    let isChosen = preset != nil || crops.normalize != nil || model.trainingInput.normalization != nil
    guard !isChosen else { return lines }
    let instead = "channels get mean 0 and SD 1 in each crop, unless --preset or --normalize says otherwise"
    switch model.expectedNormalization {
    case .fixed where defaults.crop.normalization == .fixed: break
    case .fixed(let mean, let deviation):
      let words = InputNormalization.fixed(mean: mean, deviation: deviation).words
      lines.append("model \(model.name): its family is trained with \(words); \(instead)")
    case nil: lines.append("model \(model.name) does not say which intensities it expects; \(instead)")
    case .eachChannel, .minMax: break
    }
    return lines
  }

  /// The recipe that these options make for images of some roles.
  /// - Throws: `usage` when options and model do not fit.
  func recipe(crops: CropOptions, strategy: StrategyOptions, roles: [String]) throws -> Recipe {
    let source = try crops.source()
    let crop = crops.recipe(over: defaults.crop)
    if source != .whole, crop.cropSizePx == nil {
      try model.trainingInput.check(.cropUm)
      if let size = model.trainingInput.cropUm {
        throw Fault(
          .usage, "--crop", expected: "the side of the square around a cell, in pixels", found: "none",
          remedy:
            "model \(model.name) was trained on squares of \(size) µm: divide that by the width of a pixel")
      }
    }
    let roles = roles.sorted()
    return Recipe(
      source: source, segmentationRole: crops.segmentOn, crop: crop,
      scaling: crop.normalization == .fixed ? defaults.scaling : nil,
      strategy: try strategy.channelStrategy(
        roles: roles, backbone: model, inputs: defaults.inputs, standard: defaults.strategy),
      pooling: pooling, rotations: rotations, roles: roles, isInt8: model.precision == .int8)
  }
}

extension Pooling: ExpressibleByArgument {}
extension Rotations: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
