import ArgumentParser
import Backbone
import Faults
import Formats
import Imaging
import Ingest

/// `cellvec models embed`.
struct EmbedArray: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "embed", abstract: "Embed an array of ready-made model inputs.",
    usage: "cellvec models embed --input <file> --output <file> [<options>]",
    discussion: """
      Nothing is normalised or resized: the array holds what the model is to see.
      Meant for comparing with other implementations.

      Example:
        cellvec models embed --backbone dino.pth --input x.npy --output y.npy
      """)

  /// Images embedded and written at a time.
  private static let imagesPerBatch = 64

  @OptionGroup var backbone: BackboneOptions
  @Option(
    help: ArgumentHelp("A .npy file of float32, [images, inputs, height, width].", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var input: String
  @Option(
    help: ArgumentHelp("The .npy file to write: float32, [images, dimension].", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var output: String
  @Option(help: ArgumentHelp("Tokens that become the vector; default: the model's own.", valueName: "tokens"))
  var pooling: Pooling?
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    // A model's name goes before a file or folder of the same name.
    let isNamed = try ModelRegistry.standard.hasModel(named: backbone.nameOrPath)
    try requireSeparateFiles(outputs: [output], inputs: [input] + (isNamed ? [] : [backbone.nameOrPath]))
    let model = try backbone.load().model
    let images = try NPYArray(path: input, for: Self.purpose)
    let (count, channels, height, width) = (
      images.shape[0], images.shape[1], images.shape[2], images.shape[3]
    )
    guard channels == model.geometry.inputChannels else {
      throw Fault(
        .usage, input, expected: "\(model.geometry.inputChannels) inputs, as model \(model.name) has",
        found: "\(channels)")
    }
    let pooling = try pooling ?? RecipeDefaults.pooling(of: model)
    try model.check(pooling)
    let dimension = model.dimension(for: pooling)
    var blank: [Int] = []
    var writer = try NPYWriter(path: output, dimension: dimension)
    for start in stride(from: 0, to: count, by: Self.imagesPerBatch) {
      let batch = start..<min(start + Self.imagesPerBatch, count)
      var vectors = [Float](repeating: 0, count: batch.count * dimension)
      let imageLength = channels * height * width
      try images.withUnsafeValues { values in
        blank += batch.filter { image in
          (0..<channels).allSatisfy { channel in
            let start = image * imageLength + channel * height * width
            return areBlank(values[start..<start + height * width])
          }
        }
        let pixels = values[batch.lowerBound * imageLength..<batch.upperBound * imageLength]
        try vectors.withUnsafeMutableBufferPointer {
          try model.embed(
            UnsafeBufferPointer(rebasing: pixels), count: batch.count, height: height, width: width, into: $0,
            threads: threads.count, pooling: pooling)
        }
      }
      try writer.write(vectors)
    }
    try writer.close()
    if let first = blank.first {
      StandardError.writeLine(
        "warning: \(input): images of \(count) whose pixels are all equal in every input: \(blank.count), "
          + "the first is number \(first); their vectors mean nothing")
    }
  }

  private static let purpose = NPYArray.Purpose(
    axes: 4...4, description: "an array of shape (images, inputs, height, width)")
}
