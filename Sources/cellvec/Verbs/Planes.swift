import ArgumentParser
import Faults
import Formats
import Imaging

/// `cellvec planes`: what an image file holds, as ingest would read it.
struct Planes: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "planes", abstract: "Show the planes of an image file and the range of their values.",
    discussion: """
      Planes are the samples of each page in turn. Their numbers are those that --channels takes after '#'.

      Examples:
        cellvec planes stack.tif
        cellvec planes stack.tif --output stack.npy
      """)

  @Argument(help: "A PNG or TIFF file.", completion: .file()) var file: String
  @Option(
    help: ArgumentHelp(
      "Write the values too: float32, the rows of all planes one below the other.", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var output: String?
  @OptionGroup var format: OutputOptions

  func run() throws {
    try requireSeparateFiles(outputs: [output].compactMap(\.self), inputs: [file])
    let planes = try ImageFile.planes(at: file)
    let rows = planes.enumerated().map { index, plane -> [Value] in
      let sum = plane.pixels.reduce(0.0) { $0 + Double($1) }
      return [
        .integer(index), .integer(plane.width), .integer(plane.height), .text(plane.sampleType.rawValue),
        .real(plane.pixels.min() ?? 0), .real(plane.pixels.max() ?? 0),
        .real(sum / Double(plane.pixels.count)),
      ]
    }
    if let output { try write(planes, to: output) }
    try StandardOutput.write(
      Report(["plane", "width", "height", "type", "min", "max", "mean"], rows: rows), as: format.format)
  }

  private func write(_ planes: [Plane], to path: String) throws {
    let width = planes.first?.width ?? 0
    if let other = planes.first(where: { $0.width != width }) {
      throw Fault(
        .badData, file, expected: "planes of one width", found: "\(width) and \(other.width) pixels",
        remedy: "leave out --output")
    }
    var writer = try NPYWriter(path: path, dimension: width)
    for plane in planes { try writer.write(plane.pixels) }
    try writer.close()
  }
}
