import ArgumentParser
import Faults
import Query
import Storage

/// `cellvec search`: the cells that look most like others.
struct Search: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the cells that look most like a cell, an image or given vectors.",
    discussion: """
      Similarity is the cosine between two vectors. There are k results whenever k
      cells match --where. An image needs a file for each channel that the space was
      made from, and mask=FILE where its cells come from masks. Each of its cells is
      a query: "object" is its label in the mask, or x,y,width,height of a nucleus.

      Examples:
        cellvec search --db lab.cellvec --cell 4711 --where "gene = 'BAG6'"
        cellvec search --db lab.cellvec --image nucleus=blue.png protein=green.png
        cellvec search --db lab.cellvec --image dna=d.tif mask=m.tif --object 7 -k 1
        cellvec search --db lab.cellvec --vectors queries.npy -k 20 --json
      """)

  static let defaultCount = 10
  static let defaultRecall = 0.99

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var query: QueryOptions
  @Option(name: [.customShort("k"), .customLong("limit")], help: "Neighbors of each query.")
  var count = defaultCount
  @OptionGroup var selection: WhereOptions
  @OptionGroup var space: SpaceOptions
  @Flag(help: "Compare every cell that matches, also where the space has an index.") var exact = false
  @Option(
    help: ArgumentHelp(
      "Share of the nearest cells to find through an index, on average.", valueName: "share"))
  var recall = defaultRecall
  @Flag(help: "Say on stderr how the search is carried out.") var explain = false
  @OptionGroup var fields: FieldOptions
  @Flag(help: "End with status 1 when nothing is found.") var requireMatch = false
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if !(recall > 0 && recall <= 1) {
      throw ValidationError("--recall: expected more than 0 and at most 1, found \(recall)")
    }
    if count < 1 { throw ValidationError("-k: expected at least 1, found \(count)") }
  }

  func run() throws {
    let results = try database.open().read { snapshot in
      let space = try space.resolve(in: snapshot)
      let table = CellTable(showing: try fields.resolve(in: snapshot))
      let queries = try query.read(in: space, of: snapshot, threads: threads.count)
      let rows = try queries.candidates(among: selection.rows(in: snapshot), of: space, in: snapshot)
      let explanation = SearchExplanation()
      let (found, plan) = try snapshot.nearest(
        to: queries.vectors, count: queries.count, k: count, in: space, among: rows,
        recall: exact ? 1 : recall,
        threads: threads.count)
      if explain { StandardError.writeLine(explanation.text(of: plan, queries: queries.count)) }
      return try SearchReport(of: found, for: queries, showing: table, in: snapshot).report
    }
    try StandardOutput.write(results, as: output.format)
    if requireMatch && results.rows.isEmpty { throw ExitStatus.failed }
  }
}
