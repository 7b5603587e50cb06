import ArgumentParser
import Faults
import Query
import Storage

/// `cellvec search`: the cells that look most like others.
struct Search: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "search", abstract: "Find the cells that look most like a cell, an image or given vectors.",
    discussion: """
      An image needs a file for each channel that changes its vectors, and mask=FILE where its cells come \
      from masks. More: cellvec search --help-hidden.

      Examples:
        cellvec search --db lab.cellvec --cell 4711 --where "gene = 'BAG6'"
        cellvec search --db lab.cellvec --image nucleus=blue.png protein=green.png
        cellvec search --db lab.cellvec --vectors queries.npy -k 20 --json
        cellvec search --db lab.cellvec --mean-of "gene = 'BAG6'" --by gene
      """)

  static let defaultRecall = 0.99

  @OptionGroup var database: DatabaseOptions
  @OptionGroup(title: "Query") var query: QueryOptions
  @OptionGroup(title: "Results") var results: ResultOptions
  @OptionGroup var selection: WhereOptions
  @OptionGroup var space: SpaceOptions
  @Flag(help: "Compare every cell that matches.") var exact = false
  @Flag(
    help: ArgumentHelp(
      """
      Search through an index wherever one serves, also where comparing all is estimated to be faster. Where none \
      does, as for few matching cells, all are compared; --explain says so.
      """, visibility: .hidden))
  var throughIndex = false
  @Option(
    help: ArgumentHelp(
      "Share of the nearest cells to find. (default: \(defaultRecall))", valueName: "share"))
  var recall: Double?
  @Flag(help: "Say on stderr how the search is carried out.") var explain = false
  @OptionGroup var fields: FieldOptions
  @Flag(help: ArgumentHelp("End with status 1 when nothing is found.", visibility: .hidden))
  var requireMatch = false
  @OptionGroup(visibility: .hidden) var threads: ThreadOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if results.listsValues && fields.isGiven {
      throw ValidationError("--fields goes with results that are cells, not with --by")
    }
    if exact && throughIndex {
      throw ValidationError("--exact compares every cell: it goes without --through-index")
    }
    if throughIndex && recall == 1 {
      throw ValidationError("--recall 1 compares every cell: it goes without --through-index")
    }
    if exact && recall != nil {
      throw ValidationError("--recall goes without --exact, which finds all")
    }
    if let recall, !(recall > 0 && recall <= 1) {
      throw ValidationError("--recall: expected more than 0 and at most 1, found \(recall)")
    }
  }

  func run() throws {
    let report = try database.open().read(expecting: .scattered) { snapshot in
      let space = try space.resolve(in: snapshot)
      let table = CellTable(showing: try fields.resolve(in: snapshot), in: snapshot)
      let field = try results.field(in: snapshot)
      let queries = try query.read(in: space, of: snapshot, threads: threads.count)
      if results.metric == .cosine, let warning = queries.warningOfZeros { StandardError.writeLine(warning) }
      let rows = try queries.candidates(among: selection.rows(in: snapshot), of: space, in: snapshot)
      let explanation = SearchExplanation()
      func tell(_ text: @autoclosure () -> String) { if explain { StandardError.writeLines(text()) } }
      func reported(
        _ found: [[Neighbor]], _ queries: Queries, _ snapshot: borrowing Snapshot
      ) throws -> SearchReport {
        try SearchReport(
          of: found, by: results.metric, for: queries, showing: table, in: snapshot, as: output.format,
          threads: threads.count)
      }
      switch field {
      case .by(let field):
        let found = try snapshot.nearestGroups(
          to: queries.vectors, count: queries.count, k: results.count.value, by: field, in: space,
          among: rows,
          atLeast: results.leastSimilarity ?? -1)
        tell(
          explanation.text(
            "exact: the mean vector of each value of \(field.name) is made of all cells that match",
            queries: queries.count))
        return SearchReport(of: found, for: queries, by: field, as: output.format)
      case .distinct(let field):
        let found = try snapshot.nearest(
          to: queries.vectors, count: queries.count, k: results.count.value, in: space, distinct: field,
          among: rows, metric: results.metric, atLeast: results.leastSimilarity, threads: threads.count)
        tell(
          explanation.text(
            "exact: all matching vectors of cells with a value of \(field.name) are compared, some of them again",
            queries: queries.count))
        return try reported(found, queries, snapshot)
      case nil:
        let (found, plan) = try snapshot.nearest(
          to: queries.vectors, count: queries.count, k: results.count.value, in: space, among: rows,
          metric: results.metric, atLeast: results.leastSimilarity,
          // What indexes find was measured with queries that are like single cells.
          recall: exact ? 1 : recall ?? (query.isMean && !throughIndex ? 1 : Self.defaultRecall),
          threads: threads.count, scanWeight: throughIndex ? SearchPlan.indexWeight : 1)
        tell(explanation.text(of: plan, queries: queries.count))
        return try reported(found, queries, snapshot)
      }
    }
    for text in report.texts { try StandardOutput.write(text) }
    if requireMatch && report.isEmpty { throw ExitStatus.failed }
  }
}
