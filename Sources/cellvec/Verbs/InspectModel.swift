import ArgumentParser
import Backbone
import Identity

/// `cellvec models inspect`.
struct InspectModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a file of weights is.",
    discussion: """
      Example:
        cellvec models inspect dino.safetensors
      """)

  @Argument(help: ArgumentHelp("A safetensors file.", valueName: "file")) var file: String
  @Flag(help: "Write one JSON object.") var json = false

  func run() throws {
    let description = ModelDescription(of: try VisionTransformer(path: file))
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
  /// Digest of the file.
  let hash: String
  let parameters: Int
  let geometry: ViTGeometry
  /// What each input is for; nil when the file does not say.
  let inputs: [String]?
  /// Side of the images that the model was trained on, pixels.
  let imageSizePx: Int
  let ignoredTensors: [String]

  init(of model: VisionTransformer) {
    name = model.name
    hash = model.hash.description
    parameters = model.geometry.parameterCount
    geometry = model.geometry
    inputs = model.inputRoles
    imageSizePx = model.defaultImageSizePx
    ignoredTensors = model.ignoredTensors
  }

  var card: Card {
    Card([
      ("name", .text(name)), ("hash", .text(hash)), ("parameters", .integer(parameters)),
      ("embedding", .text("\(geometry.width) numbers")), ("blocks", .integer(geometry.depth)),
      ("heads", .integer(geometry.heads)), ("patch", .text("\(geometry.patchSize) px")),
      ("trained on", .text("\(imageSizePx) x \(imageSizePx) px")),
      ("inputs", inputs.map { .list($0) } ?? .text("\(geometry.inputChannels), of unknown roles")),
      ("registers", .integer(geometry.registerCount)), ("unused tensors", .integer(ignoredTensors.count)),
    ])
  }
}
