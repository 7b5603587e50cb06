import ArgumentParser
import Backbone
import Identity

/// `cellvec models inspect`.
struct InspectModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a model is and which images it expects.",
    discussion: """
      Examples:
        cellvec models inspect dino.safetensors
        cellvec models inspect run1/checkpoint.pth#student
      """)

  @Argument(help: ArgumentHelp("A model's name, or a file of weights.", valueName: "name|file")) var file:
    String
  @Flag(help: "Write one JSON object.") var json = false

  func run() throws {
    let found = try ModelRegistry.standard.load(file)
    let description = ModelDescription(of: found.model, preset: found.preset)
    if json {
      try StandardOutput.writeJSON(description)
    } else {
      try StandardOutput.write(lines: description.card.lines())
    }
  }
}

/// What `models inspect` writes.
struct ModelDescription: Encodable {
  let name: String
  /// Digest of the file, and of what tells this reading of it from others.
  let hash: String
  /// Whose model it is: "DINOv2 with registers (timm)".
  let family: String
  let architecture: String
  let parameters: Int
  let geometry: ViTGeometry
  /// Whether the number of heads is the usual one for the width, because nothing says it.
  let headsAreAssumed: Bool
  /// What each input is for; nil when nothing says so.
  let inputs: [String]?
  /// Side of the images that suit the model, pixels: that of the training where it is known.
  let imageSizePx: Int
  /// How the family's training brought intensities to the inputs; nil when that is not known.
  let expectedNormalization: String?
  /// What the file says of the images that the model expects.
  let trainingInput: TrainingInput
  /// The preset that the model was added with.
  let preset: String?
  let ignoredTensors: [String]
  /// Of a checkpoint with several models the one that was read, and all of them.
  let branch: String?
  let branches: [String]
  /// Numbers of a vector by the default pooling.
  let dimension: Int
  /// Ways in which tokens can become the vector, the default first.
  let poolings: [String]

  init(of model: VisionTransformer, preset: String? = nil) {
    name = model.name
    hash = model.hash.description
    family = model.familyName
    architecture = model.geometry.architecture
    parameters = model.geometry.parameterCount
    geometry = model.geometry
    headsAreAssumed = model.headsAreAssumed
    inputs = model.inputRoles
    imageSizePx = model.trainingInput.imageSizePx ?? model.defaultImageSizePx
    expectedNormalization = model.expectedNormalization?.words
    trainingInput = model.trainingInput
    self.preset = preset
    ignoredTensors = model.ignoredTensors
    branch = model.branch
    branches = model.branches
    let pooling = model.trainingInput.pooling.flatMap(Pooling.init) ?? model.defaultPooling
    poolings = ([pooling] + model.poolings.filter { $0 != pooling }).map(\.rawValue)
    dimension = model.dimension(for: pooling)
  }

  var card: Card {
    Card(
      [
        ("name", .text(name)), ("hash", .text(hash)), ("family", .text(family)),
        ("architecture", .text(architecture)),
        ("parameters", .integer(parameters)), ("vector", .text("\(dimension) numbers")),
        ("width", .integer(geometry.width)),
        ("blocks", .integer(geometry.depth)),
        ("heads", .text(heads)),
        ("patch", .text("\(geometry.patchSize) px")),
        ("image size", .text(imageSize)), ("positions", .text("\(geometry.positions)")),
        ("MLP", .text("\(geometry.mlp), \(geometry.mlpWidth) units")),
        ("epsilon", .text("\(geometry.epsilon)")),
        ("pooling", .list(poolings)),
        ("inputs", inputs.map { .list($0) } ?? .text("\(geometry.inputChannels), of unknown roles")),
        ("registers", .integer(geometry.registerCount)), ("preprocessing", .text(preprocessing)),
        ("unused tensors", .text(unused)),
      ] + (branch.map { [("branch", .text("\($0), of \(branches.joined(separator: ", "))"))] } ?? []))
  }

  private var heads: String {
    let assumed = headsAreAssumed ? ", assumed: \(geometry.width / geometry.heads) numbers each" : ""
    return "\(geometry.heads)\(assumed)"
  }

  private var imageSize: String {
    let size = "\(imageSizePx) x \(imageSizePx) px"
    let isTrained = trainingInput.imageSizePx != nil || geometry.trainedImageSizePx != nil
    return isTrained ? "\(size), as trained" : "\(size) by default; the file does not say"
  }

  /// The first few names, and how many more there are.
  private var unused: String {
    guard ignoredTensors.count > 4 else { return ignoredTensors.joined(separator: ", ") }
    return ignoredTensors.prefix(4).joined(separator: ", ") + " and \(ignoredTensors.count - 4) more"
  }

  /// What is known of the images that the model expects.
  private var preprocessing: String {
    let facts = [
      preset.map { "preset \($0)" }, expectedNormalization.map { "its family is trained with \($0)" },
      trainingInput.normalization.map { "normalization \($0)" },
      trainingInput.cropUm.map { "squares of \($0) µm" }, trainingInput.pooling.map { "pooling \($0)" },
    ].compactMap { $0 }
    return facts.isEmpty
      ? "not stated; choose one with --preset or --normalize" : facts.joined(separator: ", ")
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
