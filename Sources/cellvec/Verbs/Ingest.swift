import ArgumentParser
import Backbone
import Faults
import Formats
import Imaging
import Ingest
import Storage

/// `cellvec ingest`: images of a folder become cells with vectors.
struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "ingest", abstract: "Embed the cells of a folder of images.",
    discussion: """
      Images that are in the database already cost no inference; a run that was stopped continues. How cells \
      are cut, and how channels meet a model's inputs: cellvec ingest --help-hidden.

      Example:
        cellvec ingest plate1/ --db lab.cellvec --backbone dino.pth \\
          --channels protein='*_green.png' nucleus='*_blue.png' \\
          --cells masks='*_mask.png' --crop 128 --metadata plate1.csv
      """)

  @Argument(help: "Folder of images, before the options, and all in it.", completion: .directory) var folder:
    String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup(title: "Images") var channels: ChannelOptions
  @OptionGroup(title: "Images") var crops: CropOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @Option(
    help: ArgumentHelp("Name of the space; default <backbone>-<strategy>.", valueName: "name"))
  var space: String?
  @OptionGroup(visibility: .hidden) var numbers: DtypeOptions
  @OptionGroup(title: "Images") var metadataOptions: MetadataOptions
  @Option(
    help: ArgumentHelp(
      "Commit after this many cells, and every 5 s; images are never split.", valueName: "cells",
      visibility: .hidden))
  var commitEvery = ImageIngest.defaultCellsPerCommit
  @Flag(name: .shortAndLong, help: "Show what would be ingested, and stop.")
  var dryRun = false
  @OptionGroup(visibility: .hidden) var writer: WriterOptions
  @OptionGroup(visibility: .hidden) var threads: ThreadOptions
  @OptionGroup(visibility: .hidden) var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if commitEvery < 1 {
      throw ValidationError("--commit-every: expected at least 1, found \(commitEvery)")
    }
  }

  func run() throws {
    let path = try database.path()
    let grouping = try findImages(
      in: folder, channels: channels.patterns(), mask: crops.maskPattern)
    let fields = try Database.fields(at: path)
    let backbone = try modelOptions.load(crops: crops)
    var ingest = try plan(grouping.images, backbone, fields: fields)
    // Much of it may come from the model or a preset.
    talk.say("\(backbone.model.name): \(ingest.recipe)")
    if let advice = crops.adviceOnCells { talk.say(advice) }
    for assumption in backbone.assumptions(crops: crops) { talk.say("warning: \(assumption)") }
    let roles = ingest.recipe.roles
    if let others = try OtherChannels(than: roles, in: path, among: grouping.images.map(\.name)) {
      talk.say("warning: \(IngestReport.warning(others, roles: roles))")
    }
    if dryRun {
      for warning in IngestReport.warnings(ingest.metadata?.summary) { talk.say("warning: \(warning)") }
      try StandardOutput.write(IngestReport.plan(grouping, ingest), as: output.format)
      return try end(with: grouping.problems)
    }
    let writer = try writer.open(path: path, create: true, isQuiet: talk.quiet)
    // Another writer may have made fields until now; from now on nobody does.
    let current = try writer.database.read { $0.fields }
    if current != fields { ingest.metadata = try metadata(of: grouping.images, fields: current) }
    let target = try writer.space(
      named: space, scalar: numbers.dtype, recipe: ingest.recipe, embedder: ingest.embedder,
      backbone: backbone.reference, table: ingest.metadata?.source)
    Interruption.listen()
    let incomplete = grouping.incomplete.count
    let progress = ProgressLine(
      counting: "images", of: incomplete + ingest.images.count, isQuiet: talk.quiet)
    var summary = try ingest.run(
      into: target, of: writer, isCancelled: { Interruption.isRequested },
      progress: {
        progress.update(
          done: incomplete + $0.imagesDone, note: "\($0.cells) cells, \(incomplete + $0.failures) failed")
      })
    progress.finish()
    try writer.completeIndexes(threads: threads.count)
    summary.images += incomplete
    summary.failures = grouping.incomplete + summary.failures
    for warning in IngestReport.warnings(summary) { talk.say("warning: \(warning)") }
    if summary.metadata != nil, let warning = replacementWarning(writer) { talk.say(warning) }
    try StandardOutput.write(IngestReport.summary(summary, space: target), as: output.format)
    try Interruption.check(leaving: .saved(summary.embedded, of: "images"))
    try end(with: grouping.passedOver + summary.failures)
  }

  /// Names the images, and the files and folders, that could not be used and ends with the status that says so.
  private func end(with failures: [Fault]) throws {
    for failure in failures { StandardError.writeLine("cellvec: \(failure)") }
    if !failures.isEmpty { throw ExitStatus.someInputsFailed }
  }

  /// Everything that can be wrong with the options is found here, before the first image is embedded.
  private func plan(
    _ images: [FieldOfView], _ backbone: ModelOptions.Loaded, fields: [Field]
  ) throws -> ImageIngest {
    let recipe = try backbone.recipe(
      crops: crops, strategy: modelOptions.strategy, roles: channels.patterns().map(\.role))
    let embedder = try recipe.embedder(with: backbone.model)
    try recipe.validate(with: embedder)
    return ImageIngest(
      images: images, recipe: recipe, embedder: embedder, metadata: try metadata(of: images, fields: fields),
      threads: threads.count, cellsPerCommit: commitEvery)
  }

  private func metadata(of images: [FieldOfView], fields: [Field]) throws -> ImageMetadata {
    try ImageMetadata(
      table: metadataOptions.metadata, join: metadataOptions.join, namePattern: metadataOptions.namePattern,
      types: metadataOptions.fieldTypes.types(), images: images, existing: fields)
  }
}
