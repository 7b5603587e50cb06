import Backbone
import Formats
import Identity

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
  let positions: ViTGeometry.PositionKind
  let pooling: Pooling
  /// All poolings that the model can do.
  let poolings: [Pooling]
  /// What each input is for; nil when nothing says so.
  let inputs: [String]?
  /// Side of the images that the model was trained on, pixels; nil when nothing says so.
  let trainedImageSizePx: Int?
  /// Side of the images that the model is given when no option says otherwise, pixels.
  let imageSizePx: Int
  /// How the training brought intensities to the inputs; nil when that is not known.
  let expectedNormalization: String?
  /// What the file says of the images that the model expects.
  let trainingInput: TrainingInput
  /// The preset that the model was added with.
  let preset: String?
  let ignoredTensors: [String]

  init(of model: VisionTransformer, preset: String? = nil) {
    name = model.name
    hash = model.hash.description
    format = model.format
    branch = model.branches.chosen
    branches = model.branches.all
    family = model.familyName
    architecture = model.geometry.architecture
    parameters = model.geometry.parameterCount
    geometry = model.geometry
    positions = model.geometry.positions
    pooling = model.defaultPooling
    poolings = model.poolings
    inputs = model.inputRoles
    trainedImageSizePx = model.trainingInput.imageSizePx ?? model.trainedImageSizePx
    imageSizePx = trainedImageSizePx ?? model.defaultImageSizePx
    expectedNormalization = model.expectedNormalization?.words
    trainingInput = model.trainingInput
    self.preset = preset
    ignoredTensors = model.ignoredTensors
  }

  var card: Card {
    Card([
      ("name", .text(name)), ("hash", .text(hash)), ("format", .text(format.rawValue)),
      ("branch", .text(branchWords)), ("family", .text(family)), ("architecture", .text(architecture)),
      ("parameters", .integer(parameters)), ("embedding", .text("\(geometry.width) numbers")),
      ("blocks", .integer(geometry.depth)), ("heads", .integer(geometry.heads)),
      ("MLP", .text("\(geometry.mlp.words), \(geometry.mlpWidth) units")),
      ("patch", .text("\(geometry.patchSize) px")), ("positions", .text(positions.rawValue)),
      ("epsilon", .text("\(geometry.epsilon)")), ("registers", .integer(geometry.registerCount)),
      ("trained on", .text(trainedImageSizePx.map(square) ?? "images of unknown size")),
      ("input size", .text("\(square(imageSizePx)) by default")),
      ("inputs", inputs.map { .list($0) } ?? .text("\(geometry.inputChannels), of unknown roles")),
      ("pooling", .text(poolingWords)), ("preprocessing", .text(preprocessing)),
      ("unused tensors", .list(ignoredTensors)),
    ])
  }

  private func square(_ side: Int) -> String { "\(side) x \(side) px" }

  /// "teacher; there are also student, optimizer".
  private var branchWords: String {
    let others = branches.filter { $0 != branch }
    let name = branch ?? "none, the file as a whole"
    return others.isEmpty ? name : "\(name); there are also \(others.joined(separator: ", "))"
  }

  private var poolingWords: String {
    let others = poolings.filter { $0 != pooling }.map(\.rawValue)
    return "\(pooling.rawValue) by default, or \(others.joined(separator: ", "))"
  }

  /// What is known of the images that the model expects.
  private var preprocessing: String {
    let facts = [
      preset.map { "preset \($0)" }, expectedNormalization.map { "trained with \($0)" },
      trainingInput.normalization.map { "normalization \($0)" },
      trainingInput.cropUm.map { "squares of \($0) µm" }, trainingInput.pooling.map { "pooling \($0)" },
    ].compactMap { $0 }
    return facts.isEmpty
      ? "not stated; choose one with --preset or --normalize" : facts.joined(separator: ", ")
  }
}

extension ViTGeometry.MLPKind {
  fileprivate var words: String {
    switch self {
    case .gelu: "GELU"
    case .swiglu: "SwiGLU"
    }
  }
}

extension InputNormalization {
  /// Words for a reader: "mean 0 and SD 1 in each channel".
  fileprivate var words: String {
    switch self {
    case .imageNet: "ImageNet's mean and SD of each input"
    case .fixed(let mean, let deviation): "mean \(mean) and SD \(deviation) of the inputs"
    case .eachChannel: "mean 0 and SD 1 in each channel"
    case .minMax: "0 to 1 between the extremes of all channels"
    }
  }
}
