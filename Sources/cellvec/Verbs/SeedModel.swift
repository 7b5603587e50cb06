import ArgumentParser
import Backbone
import Faults

/// `cellvec models seed`.
struct SeedModel: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "seed", abstract: "Write a vision transformer with random weights.",
    usage: "cellvec models seed <file> [<options>]",
    discussion: """
      It is not a trained model, but distances between its embeddings follow those
      between images, which is enough for tests and demonstrations. The same options
      write the same bytes.

      Example:
        cellvec models seed demo.safetensors --width 96 --depth 4 --patch 8
      """)

  @Argument(
    help: ArgumentHelp("File to write.", valueName: "file"), completion: .file(extensions: ["safetensors"]))
  var file: String
  @Option(help: ArgumentHelp("Numbers in an embedding.", valueName: "count")) var width = 384
  @Option(help: ArgumentHelp("Transformer blocks.", valueName: "count")) var depth = 12
  @Option(help: ArgumentHelp("Attention heads, a divisor of the width.", valueName: "count")) var heads: Int?
  @Option(help: ArgumentHelp("Side of a patch.", valueName: "pixels")) var patch = 16
  @Option(help: ArgumentHelp("Roles of the inputs, separated by commas.", valueName: "roles"))
  var inputs = "nucleus,protein"
  @Option(help: ArgumentHelp("Side of the images that the model is for.", valueName: "pixels"))
  var imageSize = 224
  @Option(help: "Seed of the weights.") var seed: UInt64 = 0
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    func require(_ option: String, _ value: Int, in range: ClosedRange<Int>) throws {
      guard !range.contains(value) else { return }
      throw ValidationError(
        "\(option): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    try require("--width", width, in: 1...4096)
    try require("--depth", depth, in: 1...64)
    try require("--patch", patch, in: 1...256)
    try require("--image-size", imageSize, in: patch...4096)
    try require("number of --inputs", names(in: inputs).count, in: 1...64)
    guard headCount > 0, width.isMultiple(of: headCount) else {
      throw ValidationError("--heads: expected a divisor of the width \(width), found \(headCount)")
    }
    guard imageSize.isMultiple(of: patch) else {
      throw ValidationError("--image-size: expected a multiple of the patch \(patch), found \(imageSize)")
    }
    guard Set(names(in: inputs)).count == names(in: inputs).count else {
      throw ValidationError("--inputs: expected different roles, found \(inputs)")
    }
  }

  /// Heads are 64 wide as in the published models, or 32, or there is one.
  private var headCount: Int {
    heads ?? [64, 32].first { width.isMultiple(of: $0) }.map { width / $0 } ?? 1
  }

  func run() throws {
    let roles = names(in: inputs)
    let geometry = ViTGeometry(
      width: width, depth: depth, heads: headCount, patchSize: patch, inputChannels: roles.count,
      gridSize: imageSize / patch, mlpWidth: 4 * width)
    try VisionTransformer.writeSeeded(geometry: geometry, inputRoles: roles, seed: seed, to: file)
    talk.say("wrote \(file): random weights for the inputs \(roles.joined(separator: ", "))")
  }
}
