import ArgumentParser
import Faults
import Storage

/// `cellvec delete`: removes cells.
struct Delete: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "delete", abstract: "Delete cells with their vectors and metadata.",
    discussion: """
      Images stay known, so ingest into the same space does not bring the cells
      back; with --images it embeds the images of these cells anew. Numbers of
      cells are not used again. The file shrinks with cellvec compact.

      Examples:
        cellvec delete --db lab.cellvec --where "plate = 'P7'" --dry-run
        cellvec delete --db lab.cellvec --where "plate = 'P7'" --images --yes
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var selection: WhereOptions
  @Flag(help: "Cells without a vector in any space, as a dropped space leaves them.") var unembedded = false
  @Flag(name: .customLong("images"), help: "Let ingest embed the images of these cells anew.")
  var forgetsImages = false
  @Flag(name: .shortAndLong, help: "Show what would be deleted, and stop.") var dryRun = false
  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if !selection.isGiven && !unembedded {
      throw ValidationError("Say which cells with --where, with --unembedded, or with both")
    }
  }

  func run() throws {
    let path = try database.path()
    if dryRun {
      let deletion = try Database(path: path).read { try plan(in: $0).deletion }
      return try StandardOutput.write(deletion.report, as: output.format)
    }
    let writer = try self.writer.open(path: path, isQuiet: talk.quiet)
    let (deletion, cellCount) = try writer.database.read { try plan(in: $0) }
    if !deletion.rows.isEmpty {
      try confirmation.require("delete \(deletion.rows.count) of \(cellCount) cells")
    }
    Interruption.listen()
    let progress = ProgressLine(counting: "cells", of: deletion.rows.count, isQuiet: talk.quiet)
    try deletion.run(on: writer, forgetsImages: forgetsImages) {
      progress.update(done: $0)
      if $0 < deletion.rows.count { try Interruption.check() }
    }
    progress.finish()
    try writer.completeIndexes()
    try StandardOutput.write(deletion.report, as: output.format)
  }

  private func plan(in snapshot: borrowing Snapshot) throws -> (deletion: CellDeletion, cellCount: Int) {
    let cells = try snapshot.allRows()
    var rows = try selection.rows(in: snapshot) ?? cells
    if unembedded { rows = rows.intersection(try snapshot.unembeddedRows()) }
    return (try CellDeletion(of: rows, in: snapshot), cells.count)
  }
}

extension CellDeletion {
  fileprivate var report: Report {
    Report(
      ["cells", "vectors", "images"],
      rows: [[.integer(rows.count), .integer(vectorCount), .integer(images.count)]])
  }
}
