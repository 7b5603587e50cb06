import ArgumentParser
import Faults
import Ingest
import Storage

/// `cellvec update`: metadata of cells that the database has.
struct Update: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "update", abstract: "Set or clear metadata of cells.",
    discussion: """
      Lines of the table find their cells by the number in a column "cell", as
      exports have it, else by the names of images as ingest does, else as --join
      says: its columns are fields of the database, "cell", or "label", the
      object's number in its mask. Values of other cells stay.

      Examples:
        cellvec update --db lab.cellvec --metadata genes.csv --join plate,well
        cellvec update --db lab.cellvec --set gene=BAG6 --clear remark \\
          --where "well = 'A01'"
      """)

  @OptionGroup var database: DatabaseOptions
  @Option(help: ArgumentHelp("CSV or TSV table of values.", valueName: "file"), completion: .file())
  var metadata: String?
  @Option(help: ArgumentHelp("Columns that say which cells are meant.", valueName: "columns")) var join:
    String?
  @Flag(help: "Clear values where the table has nothing.") var clearEmpty = false
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Value for all cells of --where.", valueName: "field=value"))
  var set: [String] = []
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Field to clear in cells of --where.", valueName: "field"))
  var clear: [String] = []
  @OptionGroup var selection: WhereOptions
  @OptionGroup var fieldTypes: FieldTypeOptions
  @Flag(name: .shortAndLong, help: "Show what would be changed, and stop.") var dryRun = false
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    let isAssigning = !set.isEmpty || !clear.isEmpty
    if isAssigning == (metadata != nil) {
      throw ValidationError("Give a table with --metadata, or values with --set and --clear")
    }
    if isAssigning && !selection.isGiven { throw ValidationError("--set and --clear need --where") }
    if isAssigning && (join != nil || clearEmpty) {
      throw ValidationError("--join and --clear-empty go with --metadata")
    }
  }

  func run() throws {
    let path = try database.path()
    if dryRun {
      let (update, known) = try Database(path: path).read { (try plan(in: $0), $0.fields) }
      return try show(update, among: known)
    }
    let writer = try self.writer.open(path: path, isQuiet: talk.quiet)
    let (update, known) = try writer.database.read { (try plan(in: $0), $0.fields) }
    Interruption.listen()
    let progress = ProgressLine(counting: "cells", of: nil, isQuiet: talk.quiet)
    let changed = try update.run(on: writer) {
      progress.update(done: $0)
      try Interruption.check()
    }
    progress.finish()
    try show(update, among: known)
    talk.say("changed \(changed) of \(update.cells.count) cells")
  }

  private func plan(in snapshot: borrowing Snapshot) throws -> MetadataUpdate {
    let types = try fieldTypes.types()
    let rows = try selection.rows(in: snapshot)
    if let metadata {
      return try MetadataUpdate(
        table: metadata, join: join, types: types, clearsEmpty: clearEmpty, among: rows, in: snapshot)
    }
    let assignments = try set.map { assignment in
      guard let sign = assignment.firstIndex(of: "=") else {
        throw Fault(.usage, "--set", expected: "field=value", found: "\"\(assignment)\"")
      }
      return (field: String(assignment[..<sign]), text: String(assignment[assignment.index(after: sign)...]))
    }
    return try MetadataUpdate(
      setting: assignments, clearing: clear, types: types, of: rows ?? RowSet(), in: snapshot)
  }

  /// - Parameter known: the fields that the database had before.
  private func show(_ update: MetadataUpdate, among known: [Field]) throws {
    for column in update.columns where !known.contains(where: { $0.name == column.name }) {
      talk.say("new field: \(column.name)")
    }
    if let join = update.join { talk.say("joined by \(join)") }
    if !update.unmatchedLines.isEmpty {
      let shown = update.unmatchedLines.prefix(10).map(String.init).joined(separator: ", ")
      talk.say(
        "warning: \(update.unmatchedLines.count) lines of the table match no cell: \(shown)"
          + (update.unmatchedLines.count > 10 ? ", ..." : ""))
    }
    let rows = update.columns.map { column -> [Value] in
      [
        .text(column.name), .text(column.type.rawValue), .integer(column.set), .integer(column.cleared),
        .integer(column.contradictory),
      ]
    }
    try StandardOutput.write(
      Report(["field", "type", "set", "cleared", "contradictory"], rows: rows), as: output.format)
  }
}
