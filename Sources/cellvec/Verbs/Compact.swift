import ArgumentParser
import Storage

/// `cellvec compact`: a file without free pages.
struct Compact: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Give the bytes of deleted cells back to the disk.",
    discussion: """
      Rewrites the file beside the old one and puts it in its place in one step;
      until then the disk holds both. Readers that have the old file open go on with
      it, and keep its bytes until they end. Texts that no cell has are dropped;
      cells keep their numbers, and a block of vectors goes when all of its cells
      are gone.

      Example:
        cellvec compact --db lab.cellvec
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let path = try database.path()
    let compaction = try DatabaseWriter.compact(
      path: path, onWait: { writer.waits(for: $0, path: path, isQuiet: talk.quiet) })
    try StandardOutput.write(
      Report(
        ["bytes_before", "bytes_after", "unused_texts"],
        rows: [[.integer(compaction.before), .integer(compaction.after), .integer(compaction.unusedTexts)]]),
      as: output.format)
  }
}
