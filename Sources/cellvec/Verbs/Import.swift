import ArgumentParser
import Ingest
import Storage

/// `cellvec import`: vectors that another program made.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Make cells from an array of vectors.",
    discussion: """
      The array is a .npy file of float32 in C order, [cells, dimension]; the table \
      has one row for each vector, in the same order. The same file imported again \
      changes nothing.

      Examples:
        cellvec import vectors.npy --db lab.cellvec --space subcell \\
          --metadata cells.csv
        cellvec import vectors.npy --db lab.cellvec --metadata cells.csv \\
          --type plate=string localization=list
      """)

  @Argument(help: "A .npy file of float32, [cells, dimension].") var vectors: String
  @OptionGroup var database: DatabaseOptions
  @Option(help: ArgumentHelp("Space that takes the vectors; made when it is new.", valueName: "name"))
  var space = "imported"
  @Option(help: ArgumentHelp("CSV or TSV table with one row for each vector.", valueName: "file"))
  var metadata: String?
  @OptionGroup var numbers: DtypeOptions
  @OptionGroup var fieldTypes: FieldTypeOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let path = try database.path()
    let existing = try Database.fields(at: path)
    let source = try VectorImport(
      vectors: vectors, metadata: metadata, types: fieldTypes.types(), existing: existing)
    for column in source.skippedColumns {
      talk.say("column \"\(column)\" is left out: reports have one of that name; rename it to keep it")
    }
    let writer = try writer.open(path: path, create: true, isQuiet: talk.quiet)
    Interruption.listen()
    let progress = ProgressLine(counting: "vectors", of: source.count, isQuiet: talk.quiet)
    let added = try source.run(
      into: space, keeping: numbers.dtype, of: writer, isCancelled: { Interruption.isRequested },
      progress: { progress.update(done: $0) })
    progress.finish()
    if let warning = replacementWarning(writer) { talk.say(warning) }
    try writer.completeIndexes()
    try StandardOutput.write(
      Report(
        ["space", "dimension", "vectors", "added"],
        rows: [[.text(space), .integer(source.dimension), .integer(source.count), .integer(added)]]),
      as: output.format)
    try Interruption.check()
  }
}
