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
        cellvec export --db lab.cellvec --vectors u2os.npy --where "cell_line = 'U2OS'"
        cellvec export --db damaged.cellvec --salvage --vectors rest.npy --metadata rest.csv
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @OptionGroup var selection: WhereOptions
  @Option(help: ArgumentHelp("File for the vectors: .npy, float32, [cells, dimension].", valueName: "file"))
  var vectors: String?
  @Option(help: ArgumentHelp("File for the metadata: .csv or .tsv.", valueName: "file")) var metadata: String?
  @Flag(help: "Leave out what is damaged; it is named on stderr, and the status is 2.") var salvage = false
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if vectors == nil && metadata == nil {
      throw ValidationError("Name a file with --vectors, --metadata, or both")
    }
  }

  func run() throws {
    try database.open().read { snapshot in
      let space = try space.resolve(in: snapshot)
      let selected = try selection.rows(in: snapshot)
      let salvaged = salvage ? try snapshot.salvage(space, of: selected) : nil
      let export =
        try salvaged.map { VectorExport(space: space, salvaged: $0) }
        ?? VectorExport(space: space, rows: selected ?? snapshot.allRows(), of: snapshot)
      if let vectors {
        let count = try export.writeVectors(to: vectors, of: snapshot)
        talk.say("wrote \(count) vectors of dimension \(space.dimension) to \(vectors)")
      }
      if let metadata {
        try export.writeMetadata(to: metadata, of: snapshot)
        talk.say("wrote their metadata to \(metadata)")
      }
      for fault in salvaged?.faults ?? [] { StandardError.writeLine("cellvec: \(fault)") }
      if salvaged?.faults.isEmpty == false { throw ExitStatus.someInputsFailed }
    }
  }
}
