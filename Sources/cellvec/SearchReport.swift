import Query
import Storage

/// What a search found, as a table.
struct SearchReport {
  let report: Report

  /// - Parameters:
  ///   - found: neighbors of each query, nearest first.
  ///   - queries: rows say which of them they belong to, by number from 0 and by object, where these are
  ///     told.
  init(
    of found: [[Neighbor]], for queries: Queries, showing table: CellTable,
    in snapshot: borrowing Snapshot
  ) throws {
    var table = table
    var report = Report(
      (queries.areNumbered ? ["query"] : []) + (queries.objects == nil ? [] : ["object"])
        + ["rank", "cell", Column("similarity", decimals: 4)] + table.columns)
    for (query, neighbors) in found.enumerated() {
      let asked: [Value] =
        (queries.areNumbered ? [.integer(query)] : []) + (queries.objects.map { [.text($0[query])] } ?? [])
      for (rank, neighbor) in neighbors.enumerated() {
        let place: [Value] = [
          .integer(rank + 1), .integer(Int(neighbor.row)), .real(neighbor.similarity),
        ]
        report.append(asked + place + (try table.values(of: neighbor.row, in: snapshot)))
      }
    }
    self.report = report
  }
}
