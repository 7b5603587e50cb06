import ArgumentParser
import Faults
import Storage

/// `cellvec merge`: one database out of several.
struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "merge", abstract: "Take up the cells of other databases.",
    usage: "cellvec merge <sources> ... [<options>]",
    discussion: """
      A cell is the same when its image's pixels and its object are; it gets the
      values, vectors and spaces that it lacks. Spaces are the same when recipe and
      weights are; imported ones by name and dimension. The same merge again changes
      nothing, and goes on with one that was stopped. Cells that were deleted here
      come back from a database that has them. Nothing is taken up where a field or
      a space of one of the databases does not fit.

      Example:
        cellvec merge node1.cellvec node2.cellvec --db lab.cellvec
      """)

  @Argument(help: "Databases to take up; they stay as they are.", completion: .directory) var sources:
    [String]
  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Where both have a value, keep the one that is taken up, not the one that is there.")
  var preferSource = false
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let path = try database.path()
    // A wrong name is found before anything is made or merged.
    for source in sources { _ = try Database(path: source) }
    let writer = try self.writer.open(path: path, create: true, isQuiet: talk.quiet)
    let databases = try sources.map { try Database(path: $0) }
    try writer.requireFit(of: databases)
    Interruption.listen()
    var report = try ReportWriter(
      ["source", "images", "new_images", "cells", "new_cells", "changed_cells", "vectors", "conflicts"],
      as: output.format)
    for source in databases {
      try Interruption.check()
      let progress = ProgressLine(
        counting: "cells", of: try source.read { try $0.allRows().count }, isQuiet: talk.quiet)
      let summary = try writer.merge(source, prefersSource: preferSource) {
        progress.update(done: $0)
        try Interruption.check()
      }
      progress.finish()
      for warning in warnings(summary, of: source.path) { talk.say("warning: \(warning)") }
      try report.write([
        .text(source.path), .integer(summary.images), .integer(summary.newImages), .integer(summary.cells),
        .integer(summary.newCells), .integer(summary.changedCells), .integer(summary.vectors),
        .integer(summary.conflicts.values.reduce(0) { $0 + $1.cells }),
      ])
    }
    try writer.completeIndexes()
    try report.finish()
  }

  private func warnings(_ summary: MergeSummary, of source: String) -> [String] {
    let conflicts = summary.conflicts.sorted { $0.key < $1.key }.map { field, conflict in
      let examples = conflict.examples.map { "cell \($0.row): \"\($0.source)\", here \"\($0.target)\"" }
      return "\(source): field \(field): \(conflict.cells) cells have another value, which is "
        + "\(preferSource ? "taken" : "left"), as \(examples.joined(separator: "; "))"
    }
    let heads = summary.otherHeads.map {
      "\(source): head \($0) is left out: there is another one of the name"
    }
    return conflicts + heads
  }
}
