import ArgumentParser
import Faults
import Ingest
import Storage

/// `cellvec import`: vectors that another program made.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "import", abstract: "Make cells from an array of vectors.",
    usage: "cellvec import <vectors> [<options>]",
    discussion: """
      The array is a .npy file of float32 in C order, [cells, dimension]; the table \
      has one row for each vector, in the same order. The same file imported again \
      changes nothing.

      With - in its place, arrays come through stdin one after another, as \
      numpy.save writes them to a pipe, without a table. Each is in the database, and \
      found by searches, before the next one is waited for; --json, --csv and --tsv \
      then write a line for each as soon as it is safe on disk. first_cell and \
      last_cell are the least and the greatest of an array's cells. Its vector i is cell \
      first_cell + i, unless cells of it were ever deleted or its import was interrupted.

      Examples:
        cellvec import vectors.npy --db lab.cellvec --space subcell \\
          --metadata cells.csv
        cellvec import vectors.npy --db lab.cellvec --metadata cells.csv \\
          --type plate=string localization=list
        python embed.py | cellvec import - --db lab.cellvec --space live --json
      """)

  @Argument(
    help: "A .npy file of float32, [cells, dimension]; - for arrays from stdin.",
    completion: .file(extensions: ["npy"])) var vectors: String
  @OptionGroup var database: DatabaseOptions
  @Option(help: ArgumentHelp("Space that takes the vectors; made when it is new.", valueName: "name"))
  var space = "imported"
  @Option(
    help: ArgumentHelp("CSV or TSV table with one row for each vector.", valueName: "file"),
    completion: .file())
  var metadata: String?
  @Option(
    name: .customLong("commit-rows"),
    help: ArgumentHelp("Commit after so many cells at the latest; default: what is fastest.", valueName: "n"))
  var rowsPerCommit: Int?
  @OptionGroup var numbers: DtypeOptions
  @OptionGroup var fieldTypes: FieldTypeOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  private static let columns: [Column] = [
    "space", "dimension", "vectors", "added", "first_cell", "last_cell",
  ]

  func validate() throws {
    if let rowsPerCommit, rowsPerCommit < 1 {
      throw ValidationError("--commit-rows: expected at least 1, found \(rowsPerCommit)")
    }
    if vectors == "-", metadata != nil {
      throw ValidationError(
        "--metadata goes with a file; give the cells of a stream their values with cellvec update")
    }
    if vectors == "-", !fieldTypes.declarations.isEmpty {
      throw ValidationError("--type goes with the table of --metadata, which a stream does not have")
    }
  }

  func run() throws { try vectors == "-" ? importStream() : importFile() }

  private func importFile() throws {
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
    let outcome = try source.run(
      into: space, keeping: numbers.dtype, of: writer, rowsPerCommit: rowsPerCommit,
      isCancelled: { Interruption.isRequested }, progress: { progress.update(done: $0) })
    progress.finish()
    if let warning = replacementWarning(writer) { talk.say(warning) }
    try writer.completeIndexes()
    try StandardOutput.write(
      Report(Self.columns, rows: [row(source.dimension, source.count, outcome)]), as: output.format)
    try Interruption.check(leaving: .saved(outcome.added, of: "vectors"))
    if metadata == nil, outcome.added > 0, try writer.database.read({ $0.fields.isEmpty }) {
      talk.say(
        "cells have numbers and no names: give a table with --metadata, or later one with a column \"cell\" to cellvec update"
      )
    }
  }

  private func importStream() throws {
    let writer = try writer.open(path: database.path(), create: true, isQuiet: talk.quiet)
    Interruption.listen()
    let stream = StreamImport(
      descriptor: 0, name: "stdin", isCancelled: { Interruption.isRequested })
    let progress = ProgressLine(counting: "vectors", of: nil, isQuiet: talk.quiet)
    var report = try ReportWriter(Self.columns, as: output.format)
    var (dimension, arrayCount, count) = (0, 0, 0)
    var sum = VectorImport.Outcome(added: 0, cells: nil)
    let unreportedCount = try stream.run(
      into: space, keeping: numbers.dtype, of: writer, rowsPerCommit: rowsPerCommit
    ) { array in
      (dimension, arrayCount) = (array.dimension, arrayCount + 1)
      count += array.count
      sum = sum.joined(with: array.outcome)
      progress.update(done: count)
      if output.format == .table { return }
      try report.write(row(array.dimension, array.count, array.outcome))
      try report.flush()
    }
    progress.finish()
    if arrayCount == 0 {
      try Interruption.check(leaving: .saved(unreportedCount, of: "vectors"))
      throw Fault(
        .badData, "stdin", "had no array: nothing was changed",
        remedy: "see whether the program in front of it has failed")
    }
    try writer.completeIndexes()
    // A table is for people, who want the sum.
    if output.format == .table { try report.write(row(dimension, count, sum)) }
    try report.finish()
    try Interruption.check(leaving: .saved(sum.added + unreportedCount, of: "vectors"))
  }

  private func row(_ dimension: Int, _ count: Int, _ outcome: VectorImport.Outcome) -> [Value] {
    func cell(_ row: Row?) -> Value { row.map { .integer(Int($0)) } ?? .text(nil) }
    return [
      .text(space), .integer(dimension), .integer(count), .integer(outcome.added),
      cell(outcome.cells?.lowerBound), cell(outcome.cells?.upperBound),
    ]
  }
}
