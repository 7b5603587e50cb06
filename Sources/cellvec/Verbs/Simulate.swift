import ArgumentParser
import Formats
import Simulation

/// `cellvec simulate`: a labelled set of images to try everything with.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "simulate", abstract: "Write simulated fields of view with masks, labels and metadata.",
    usage: "cellvec simulate <folder> [<options>]",
    discussion: """
      Each field becomes three 16-bit PNG files (_nucleus, _protein, _mask);
      metadata.csv tells gene, localization, plate, well and cell line of every
      field. The same options write the same bytes. With --layers, every location
      has a file of its own in place of _protein: mixed by any shares, they make
      any number of proteins (tools/pretrain does).

      A folder holds one simulation: another one takes its place with --replace,
      and its files are removed. Interrupted, it is begun again by the same command.

      Example:
        cellvec simulate fields --fields 96 --seed 1
      """)

  private static let defaults = SimulationOptions()

  @Argument(
    help: ArgumentHelp("Folder to write into; made when it does not exist.", valueName: "folder"),
    completion: .directory)
  var folder: String
  @Option(help: ArgumentHelp("Fields of view.", valueName: "count")) var fields = defaults.fieldCount
  @Option(
    help: ArgumentHelp("Fields of one gene, alternating between two cell lines.", valueName: "count"))
  var fieldsPerGene = defaults.fieldsPerGene
  @Option(help: ArgumentHelp("Cells in a field on average.", valueName: "count"))
  var cellsPerField = defaults.cellsPerField
  @Option(help: ArgumentHelp("Width and height of a field.", valueName: "pixels")) var size = defaults.sizePx
  @Option(help: "Seed of everything random.") var seed = defaults.seed
  @Flag(help: "Draw every location into every cell, a file each, instead of a gene's mixture.")
  var layers = false
  @Flag(help: "Take the place of an earlier simulation, and of other files of the same names.")
  var replace = false
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    try requirePlaceOutsideDatabases("\(folder)/metadata.csv")
    var options = SimulationOptions()
    options.fieldCount = fields
    options.fieldsPerGene = fieldsPerGene
    options.cellsPerField = cellsPerField
    options.sizePx = size
    options.seed = seed
    options.isLayered = layers
    options.threadCount = threads.count
    let progress = ProgressLine(counting: "fields", of: fields, isQuiet: talk.quiet)
    Interruption.listen()
    let summary = try simulate(
      into: folder, options: options, replaces: replace, isCancelled: { Interruption.isRequested },
      progress: { progress.update(done: $0) })
    progress.finish()
    let genes = layers ? "" : " of \(summary.geneCount) genes"
    talk.say("\(summary.fieldCount) fields\(genes) with \(summary.cellCount) cells in \(folder)")
  }
}
