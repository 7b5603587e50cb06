import ArgumentParser
import Faults
import Formats
import Imaging
import Ingest

/// `cellvec crops`: the pixels that a backbone would see.
struct Crops: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "crops",
    abstract: "Write the crops of a folder's cells as a .npy file, for training a backbone on them.",
    usage: "cellvec crops <folder> [<options>] --output <file>",
    discussion: """
      Crops are cut and normalised as ingest does it (cellvec crops --help-hidden); --normalize range keeps the intensities. The file is \
      float32, [cells, channels, size, size], with channels in the order of --channels; the table has a line for \
      each crop.

      Examples:
        cellvec crops plate1/ --output crops.npy --table cells.csv \\
          --channels nucleus='*_blue.png' protein='*_green.png' \\
          --cells nuclei --crop 96 --normalize range --metadata plate1.csv
      """)

  @Argument(help: "Folder of images, before the options, and all in it.", completion: .directory) var folder:
    String
  @Option(
    help: ArgumentHelp("File for the crops: .npy.", valueName: "file"), completion: .file(extensions: ["npy"])
  ) var output: String
  @Option(
    help: ArgumentHelp("File for a line on each crop: .csv or .tsv.", valueName: "file"), completion: .file())
  var table: String?
  @OptionGroup(title: "Images") var channels: ChannelOptions
  @OptionGroup(title: "Images") var crops: CropOptions
  @OptionGroup(title: "Images") var metadataOptions: MetadataOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    try requireEnding(of: output, among: [".npy"], option: "--output")
    try requireEnding(of: table, among: tableEndings, option: "--table")
  }

  func run() throws {
    let patterns = try channels.patterns()
    let grouping = try findImages(in: folder, channels: patterns, mask: crops.maskPattern)
    try requireSeparateFiles(
      outputs: [output, table].compactMap(\.self),
      inputs: [metadataOptions.metadata].compactMap(\.self) + grouping.images.flatMap(\.paths) + [folder])
    guard let size = crops.inputSize ?? crops.crop else {
      throw Fault(.usage, "--input-size", "is needed for whole images", remedy: "name the side of the crops")
    }
    guard crops.normalize != .fixed else {
      throw Fault(
        .usage, "--normalize fixed", "has its numbers from a model, and crops are made without one",
        remedy: "use --normalize range and do the rest in the training")
    }
    let export = CropExport(
      images: grouping.images, roles: patterns.map(\.role), source: try crops.source(),
      crop: crops.recipe(over: CropRecipe(cropSizePx: nil, outputSizePx: size)),
      segmentationRole: crops.segmentOn,
      metadata: try ImageMetadata(
        table: metadataOptions.metadata, join: metadataOptions.join, namePattern: metadataOptions.namePattern,
        types: metadataOptions.fieldTypes.types(), images: grouping.images, existing: []))
    let progress = ProgressLine(counting: "images", of: grouping.images.count, isQuiet: talk.quiet)
    let summary = try export.write(
      crops: output, table: table, threads: threads.count, progress: { progress.update(done: $0) })
    progress.finish()
    talk.say("wrote \(summary.cells) crops of \(patterns.count) x \(size) x \(size) to \(output)")
    if let warning = IngestReport.warning(of: summary.small) { talk.say("warning: \(warning)") }
    let failures = grouping.problems + summary.failures
    for failure in failures { StandardError.writeLine("cellvec: \(failure)") }
    if !failures.isEmpty { throw ExitStatus.someInputsFailed }
  }
}
