import ArgumentParser
import Faults
import Formats
import Storage
import Training

/// `cellvec heads`: the classifiers that were trained.
struct Heads: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "heads", abstract: "List, show, drop, export and import trained heads.",
    subcommands: [
      ListHeads.self, ShowHead.self, DropHead.self, ExportHead.self, ImportHead.self, ListHeadPresets.self,
    ], defaultSubcommand: ListHeads.self)
}

/// `cellvec heads list`.
struct ListHeads: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", abstract: "List heads with their spaces and scores.",
    discussion: """
      macro_f1 is the mean over the folds of cross-validation, macro_f1_sd its sample
      standard deviation, and grouped_by what the folds kept together. A head of one
      label a cell (task single) predicts none below the probability abstain_below.

      Example:
        cellvec heads list --db lab.cellvec
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let heads = try database.open().read { try HeadListing.all(in: $0) }
    try StandardOutput.write(HeadListing.report(of: heads), as: output.format)
  }
}

/// `cellvec heads show`.
struct ShowHead: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "show", abstract: "Show everything that is known of one head.",
    discussion: """
      --json has all of it: the cells that it was trained on as ranges of rows,
      how its training went, thresholds and calibration.
      """)

  @Argument(help: "Name of the head.") var head: String
  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Write one JSON object.") var json = false

  func run() throws {
    try database.open().read { snapshot in
      let record = try snapshot.requiredHead(named: head)
      let summary = try HeadSummary(json: record.summary, name: head)
      if json { return try StandardOutput.writeJSON(summary.unversioned) }
      let space = snapshot.spaces.first { $0.id == record.space }
      let trained = try summary.data.map { try $0.rows(in: snapshot)?.count }
      try StandardOutput.write(
        lines: HeadDescription(name: head, summary: summary, space: space?.name, trainedHere: trained ?? nil)
          .lines)
    }
  }
}

/// `cellvec heads drop`.
struct DropHead: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "drop", abstract: "Remove a head; what it has predicted stays.",
    usage: "cellvec heads drop <head> [<options>]")

  @Argument(help: "Name of the head.") var head: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    _ = try writer.database.read { try $0.requiredHead(named: head) }
    try confirmation.require("drop head \(head)")
    try writer.write { try $0.dropHead(named: head) }
    talk.say("dropped head \(head)")
  }
}

/// `cellvec heads export`.
struct ExportHead: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "export", abstract: "Write a head into a file of its own.",
    usage: "cellvec heads export <head> <file> [<options>]",
    discussion: """
      The file is safetensors: Python reads its weights as tensors layers.0.weight,
      layers.0.bias, ..., and all that is known of the head as JSON from the
      metadata's key cellvec_head. With --format onnx it is a model that other
      programs run: vectors as they are stored to probabilities, classes in its
      metadata. A head of train --sample takes the mean of the vectors of each
      sample's cells there. A head of train --neighbors is its voters: tensors
      voters.vectors and voters.targets, and no ONNX.

      Examples:
        cellvec heads export loc-v1 loc-v1.safetensors --db lab.cellvec
        cellvec heads export loc-v1 loc-v1.onnx --format onnx --db lab.cellvec
      """)

  @Argument(help: "Name of the head.") var head: String
  @Argument(help: "File to write.", completion: .file()) var file: String
  @Option(help: ArgumentHelp("What to write; heads import reads safetensors.", valueName: "format"))
  var format = HeadFormat.safetensors
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    // The ending of the other format alone: what else a file is called is the user's.
    let other = format == .onnx ? ".safetensors" : ".onnx"
    guard !file.lowercased().hasSuffix(other) else {
      throw ValidationError("the file ends in \(other), and --format \(format.rawValue) writes no such file")
    }
  }

  func run() throws {
    try requireSeparateFiles(outputs: [file])
    let database = try database.open()
    try database.requireImagesKept(by: [file])
    try database.read { snapshot in
      let record = try snapshot.requiredHead(named: head)
      guard let space = snapshot.spaces.first(where: { $0.id == record.space }) else {
        throw Fault(.badData, "head \"\(head)\"", "belongs to no space", remedy: "run cellvec check")
      }
      let head = try HeadFile(record)
      switch format {
      case .safetensors: try head.write(to: file, space: space)
      case .onnx: try head.writeONNX(to: file, name: self.head)
      }
    }
    talk.say("wrote \(file)")
  }
}

/// What a head can be written as.
enum HeadFormat: String, ExpressibleByArgument, CaseIterable {
  case safetensors, onnx
}

/// `cellvec heads import`.
struct ImportHead: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "import", abstract: "Take up a head that another database has exported.",
    usage: "cellvec heads import <file> --name <head> [<options>]",
    discussion: """
      A head takes vectors of the recipe and the backbone that it was trained on. The
      database needs a space of the same, or for imported vectors of the same name.

      Example:
        cellvec heads import loc-v1.safetensors --name loc-v1 --db other.cellvec
      """)

  @Argument(help: "File that heads export has written.", completion: .file()) var file: String
  @Option(help: ArgumentHelp("Name to keep it under.", valueName: "head")) var name: String
  @Flag(help: "Let it take the place of a head of the name.") var replace = false
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    try HeadRecord.requireName(name)
    let file = try HeadFile(path: file)
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let (record, isThere) = try writer.database.read { snapshot in
      let space = try space.name.map { try snapshot.requiredSpace(named: $0) }
      let isThere = try snapshot.head(named: name) != nil
      if isThere, !replace {
        throw Fault(
          .usage, "head \"\(name)\"", "is there already",
          remedy: "choose another --name, or replace it with --replace")
      }
      return (try file.record(named: name, in: space, snapshot: snapshot), isThere)
    }
    if isThere { talk.say("replacing head \(name)") }
    try writer.write { try $0.saveHead(record) }
    talk.say("saved head \(name); use it with cellvec predict --head \(name)")
  }
}

/// `cellvec heads presets`.
struct ListHeadPresets: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "presets", abstract: "List the presets of train, with what their sources do not state.")

  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = Report(
      [
        "preset", "hidden", "dropout", "loss", "epochs", "batch", "learning_rates", "sampling", "source",
        "notes",
      ],
      rows: HeadPreset.all.map { preset in
        let configuration = preset.configuration
        let rates = configuration.grid?.learningRates ?? [configuration.initialLearningRate]
        return [
          .text(preset.name),
          .text(configuration.architecture.hidden.map(String.init).joined(separator: ",")),
          .real(Double(configuration.architecture.dropout)), .text(configuration.loss.kind.rawValue),
          .integer(configuration.epochs), .text(configuration.batchSize.map(String.init)),
          .text(rates.count == 1 ? "\(rates[0])" : "\(rates[0]) to \(rates[rates.count - 1])"),
          .text(configuration.sampling.rawValue), .text(preset.source), .text(preset.notes),
        ]
      })
    try StandardOutput.write(report, as: output.format)
  }
}

extension Snapshot {
  /// - Throws: `missingInput` when there is no such head.
  fileprivate func requiredHead(named name: String) throws -> HeadRecord {
    if let head = try head(named: name) { return head }
    throw Fault.unknownName(.missingInput, "head", name, among: try heads().map(\.name))
  }
}
