import ArgumentParser
import Faults
import Formats
import Ingest
import Storage

/// `cellvec export`: vectors and metadata for other programs.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "export", abstract: "Write vectors as a .npy file and metadata as a table.",
    usage: "cellvec export [<options>] [--vectors <file>] [--metadata <file>]",
    discussion: """
      Both files have one row for each cell of the space, in order of the cells' numbers. With --salvage, a last \
      column, damage, says what is wrong with a cell: nothing, "vector unverified" for a vector that may differ from \
      what was written, "vector lost" for one of zeros, or "record lost" for a vector without the values of its cell.

      Examples:
        cellvec export --db lab.cellvec --vectors vectors.npy --metadata cells.csv
        cellvec export --db lab.cellvec --vectors u2os.npy \\
          --where "cell_line = 'U2OS'"
        cellvec export --db damaged.cellvec --salvage \\
          --vectors rest.npy --metadata rest.csv
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @OptionGroup var selection: WhereOptions
  @Option(
    help: ArgumentHelp("File for the vectors: .npy, float32, [cells, dimension].", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var vectors: String?
  @Option(help: ArgumentHelp("File for the metadata: .csv or .tsv.", valueName: "file"), completion: .file())
  var metadata: String?
  @Flag(
    help: "Write what is left of a damaged database; what is not is named on stderr, and the status is 2.")
  var salvage = false
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if vectors == nil && metadata == nil {
      throw ValidationError("Name a file with --vectors, --metadata, or both")
    }
    try requireEnding(of: vectors, among: [".npy"], option: "--vectors")
    try requireEnding(of: metadata, among: tableEndings, option: "--metadata")
  }

  func run() throws {
    let outputs = [vectors, metadata].compactMap(\.self)
    try requireSeparateFiles(outputs: outputs, inputs: selection.inputs)
    let database = try database.open()
    try database.requireImagesKept(by: outputs)
    guard salvage else {
      return try database.read { snapshot in
        let space = try space.resolve(in: snapshot)
        let rows = try selection.rows(in: snapshot) ?? snapshot.allRows()
        try write(VectorExport(space: space, rows: rows, of: snapshot), of: snapshot)
      }
    }
    try database.readRest { snapshot, faults in
      let space = try space.resolve(in: snapshot)
      let salvaged = try snapshot.salvage(space, of: selection.rows(in: snapshot))
      try write(VectorExport(space: space, salvaged: salvaged), of: snapshot)
      let damage = faults + salvaged.faults
      for fault in damage { StandardError.writeLine("cellvec: \(fault)") }
      if !damage.isEmpty { throw ExitStatus.someInputsFailed }
    }
  }

  private func write(_ export: VectorExport, of snapshot: borrowing Snapshot) throws {
    if let vectors {
      let count = try export.writeVectors(to: vectors, of: snapshot)
      talk.say("wrote \(count) vectors of dimension \(export.space.dimension) to \(vectors)")
    }
    if let metadata {
      let count = try export.writeMetadata(to: metadata, of: snapshot)
      talk.say("wrote the metadata of \(count) cells to \(metadata)")
    }
  }
}
