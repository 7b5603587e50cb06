import ArgumentParser
import Faults
import Ingest
import Storage

/// `cellvec export`: vectors and metadata for other programs.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write vectors as a .npy file and metadata as a table.",
    discussion: """
      Both files have one row for each cell of the space, in order of the cells' numbers.

      Examples:
        cellvec export --db lab.cellvec --vectors vectors.npy --metadata cells.csv
        cellvec export --db lab.cellvec --vectors u2os.npy \\
          --where "cell_line = 'U2OS'"
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @OptionGroup var selection: WhereOptions
  @Option(help: ArgumentHelp("File for the vectors: .npy, float32, [cells, dimension].", valueName: "file"))
  var vectors: String?
  @Option(help: ArgumentHelp("File for the metadata: .csv or .tsv.", valueName: "file")) var metadata: String?
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if vectors == nil && metadata == nil {
      throw ValidationError("Name a file with --vectors, --metadata, or both")
    }
  }

  func run() throws {
    try database.open().read { snapshot in
      let space = try space.resolve(in: snapshot)
      let rows = try selection.rows(in: snapshot) ?? snapshot.allRows()
      let export = VectorExport(space: space, rows: rows)
      if let vectors {
        let count = try export.writeVectors(to: vectors, of: snapshot)
        talk.say("wrote \(count) vectors of dimension \(space.dimension) to \(vectors)")
      }
      if let metadata {
        let count = try export.writeMetadata(to: metadata, of: snapshot)
        talk.say("wrote the metadata of \(count) cells to \(metadata)")
      }
    }
  }
}
