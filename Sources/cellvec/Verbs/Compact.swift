import ArgumentParser
import Kernels
import Query
import Storage

/// `cellvec compact`: a file without free pages.
struct Compact: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "compact", abstract: "Give the bytes of deleted cells back to the disk.",
    usage: "cellvec compact [<options>]",
    discussion: """
      Rewrites the file beside the old one and puts it in its place in one step;
      until then the disk holds both. Readers that have the old file open go on with
      it, and keep its bytes until they end. Texts that no cell has are dropped;
      cells keep their numbers, and a block of vectors goes when all of its cells
      are gone.

      Where cells were deleted here and there, --renumber gives their places back
      too: cells are numbered anew, in the same order and without gaps. Numbers of
      cells that were noted before, as in exports and notebooks, then stand for other
      cells; images, labels and positions in arrays, which say what a cell is, stay.
      Heads go on predicting, but do not know any more which cells they were trained
      on. Indexes and int8 copies are made anew. The disk must have room for a third
      file meanwhile.

      Examples:
        cellvec compact --db lab.cellvec
        cellvec compact --db lab.cellvec --renumber
      """)

  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Number the cells anew, without the gaps that deleted ones have left.") var renumber = false
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let path = try database.path()
    let compaction = try DatabaseWriter.compact(
      path: path, renumbers: renumber,
      onWait: { writer.waits(for: $0, path: path, isQuiet: talk.quiet) })
    try makeAnew(compaction, path: path)
    let columns: [Column] = ["bytes_before", "bytes_after", "unused_texts"]
    let row: [Value] = [
      .integer(compaction.before), .integer(compaction.after), .integer(compaction.unusedTexts),
    ]
    try StandardOutput.write(
      renumber
        ? Report(columns + ["renumbered"], rows: [row + [.integer(compaction.renumbered)]])
        : Report(columns, rows: [row]),
      as: output.format)
  }

  /// Makes indexes and int8 copies that were left out.
  private func makeAnew(_ compaction: Compaction, path: String) throws {
    let dropped = compaction.droppedIndexes + compaction.droppedGraphs + compaction.droppedCopies
    if dropped.isEmpty { return }
    let writer = try writer.open(path: path, isQuiet: talk.quiet)
    for space in compaction.droppedCopies {
      talk.say("making the int8 copies of space \(space.name) anew")
      try writer.makeCoarse(of: space)
    }
    let threads = Int(kernels_processor_count())
    for space in compaction.droppedIndexes {
      guard try hasEnough(space, for: "index", IndexBuild.leastRows, writer) else { continue }
      talk.say("building the index of space \(space.name) anew")
      _ = try IndexBuild(of: space, in: writer, threads: threads).run(isFresh: true)
    }
    for space in compaction.droppedGraphs {
      guard try hasEnough(space, for: "graph", GraphBuild.leastRows, writer) else { continue }
      talk.say("building the graph of space \(space.name) anew")
      _ = try GraphBuild(of: space, in: writer, threads: threads).run(isFresh: true)
    }
  }

  /// Says so where it has not.
  private func hasEnough(
    _ space: SpaceRecord, for kind: String, _ least: Int, _ writer: DatabaseWriter
  ) throws -> Bool {
    if try writer.database.read({ try $0.rows(in: space).count }) >= least { return true }
    talk.say("space \(space.name) has no \(kind) any more: its cells are too few for one")
    return false
  }
}
