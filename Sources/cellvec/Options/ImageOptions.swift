import ArgumentParser
import Storage

/// An image that is not in the database.
struct ImageOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Take the cells of an image, its files by role.", valueName: "role=file"))
  var image: [String] = []
  @Option(
    help: ArgumentHelp(
      "Of an image one cell alone: its label in the mask, or x,y,width,height of a nucleus.",
      valueName: "label", visibility: .hidden))
  var object: String?
  @Option(
    help: ArgumentHelp(
      "Weights for --image, should they have moved.", valueName: "name|file", visibility: .hidden),
    completion: .file())
  var backbone: String?

  var isGiven: Bool { !image.isEmpty }

  func validate() throws {
    if backbone != nil && !isGiven { throw ValidationError("--backbone goes with --image") }
    if object != nil && !isGiven { throw ValidationError("--object goes with --image") }
  }

  /// The vectors of the image's cells in a space.
  func read(in space: SpaceRecord, threads: Int) throws -> Queries {
    try ImageQuery(files: image, space: space, backbone: backbone).queries(object: object, threads: threads)
  }
}
