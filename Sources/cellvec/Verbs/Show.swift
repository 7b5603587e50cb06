import ArgumentParser
import Storage

/// `cellvec show`: everything that is known of one cell.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "show", abstract: "Show everything that is known of one cell.",
    usage: "cellvec show <cell> [<options>]",
    discussion: """
      Examples:
        cellvec show 4711 --db lab.cellvec
        cellvec show 4711 --db lab.cellvec --vector > vector.txt
      """)

  @Argument(help: "Number of the cell, as list and search show it.") var cell: Row
  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Write one JSON object.") var json = false
  @Flag(help: "Write only the numbers of the cell's vector, one a line.") var vector = false
  @OptionGroup var space: SpaceOptions

  func validate() throws {
    if json && vector { throw ValidationError("--json and --vector exclude each other") }
    if space.name != nil && !vector { throw ValidationError("--space says which --vector to write") }
  }

  func run() throws {
    try database.open().read(expecting: .scattered) { snapshot in
      if vector {
        let space = try space.resolve(in: snapshot)
        return try StandardOutput.write(
          lines: snapshot.requiredVector(of: cell, in: space).map(\.description))
      }
      let description = try CellDescription(of: cell, in: snapshot)
      if json {
        try StandardOutput.writeJSON(description)
      } else {
        try StandardOutput.write(lines: description.card.lines())
      }
    }
  }
}
