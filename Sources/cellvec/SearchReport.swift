import Query
import Storage

/// What a search found, as a table.
struct SearchReport {
  let report: Report

  /// - Parameters:
  ///   - found: neighbors of each query, nearest first.
  ///   - isNumbered: whether rows say which query they belong to, counted from 0.
  init(
    of found: [[Neighbor]], numbered isNumbered: Bool, showing table: CellTable,
    in snapshot: borrowing Snapshot
  ) throws {
    var table = table
    var report = Report(
      (isNumbered ? ["query"] : []) + ["rank", "cell", Column("similarity", decimals: 4)] + table.columns)
    for (query, neighbors) in found.enumerated() {
      for (rank, neighbor) in neighbors.enumerated() {
        let place: [Value] = [
          .integer(rank + 1), .integer(Int(neighbor.row)), .real(neighbor.similarity),
        ]
        report.append(
          (isNumbered ? [.integer(query)] : []) + place + (try table.values(of: neighbor.row, in: snapshot)))
      }
    }
    self.report = report
  }
}
