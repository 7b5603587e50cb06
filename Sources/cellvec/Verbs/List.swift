import ArgumentParser
import Storage

/// `cellvec list`: the cells of a database as a table.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", abstract: "List cells with their metadata.",
    usage: "cellvec list [<options>]",
    discussion: """
      Examples:
        cellvec list --db lab.cellvec --where "gene = 'BAG6'" --limit 20
        cellvec list --db lab.cellvec --fields gene,localization --csv > cells.csv
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var selection: WhereOptions
  @Option(help: ArgumentHelp("List at most this many cells.", valueName: "count")) var limit: Int?
  @Option(name: .customLong("space"), help: ArgumentHelp("Only cells with a vector here.", valueName: "name"))
  var spaceName: String?
  @OptionGroup var fields: FieldOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit: expected 0 or more, found \(limit)") }
  }

  func run() throws {
    try database.open().read { snapshot in
      var table = CellTable(showing: try fields.resolve(in: snapshot), in: snapshot)
      var rows = try selection.rows(in: snapshot) ?? snapshot.allRows()
      if let spaceName {
        rows = rows.intersection(try snapshot.rows(in: snapshot.requiredSpace(named: spaceName)))
      }
      var report = try ReportWriter(["cell"] + table.columns, as: output.format)
      for row in rows.prefix(limit) {
        var values: [Value] = [.integer(Int(row))]
        try table.append(valuesOf: row, in: snapshot, to: &values)
        try report.write(values)
      }
      try report.finish()
    }
  }
}
