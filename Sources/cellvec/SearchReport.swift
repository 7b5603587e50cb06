import Query
import Storage

/// What a search found, as a table.
struct SearchReport {
  let report: Report

  /// - Parameters:
  ///   - found: neighbors of each query, nearest first.
  ///   - metric: what the neighbors were found by; names their column.
  ///   - queries: rows say which of them they belong to, by number from 0 and by object, where these are
  ///     told.
  init(
    of found: [[Neighbor]], by metric: Metric, for queries: Queries, showing table: CellTable,
    in snapshot: borrowing Snapshot
  ) throws {
    var table = table
    var report = Report(queries.columns + ["rank", "cell", metric.column] + table.columns)
    for (query, neighbors) in found.enumerated() {
      let asked = queries.values(of: query)
      for (rank, neighbor) in neighbors.enumerated() {
        let place: [Value] = [
          .integer(rank + 1), .integer(Int(neighbor.row)), .real(metric.value(of: neighbor)),
        ]
        report.append(asked + place + (try table.values(of: neighbor.row, in: snapshot)))
      }
    }
    self.report = report
  }

  /// - Parameter found: values of a field for each query, nearest first.
  init(of found: [[NeighborGroup]], for queries: Queries, by field: Field) {
    var report = Report(queries.columns + ["rank", Column(field.name), "cell_count", Metric.cosine.column])
    for (query, groups) in found.enumerated() {
      for (rank, group) in groups.enumerated() {
        report.append(
          queries.values(of: query)
            + [.integer(rank + 1), .text(group.value), .integer(group.count), .real(group.similarity)])
      }
    }
    self.report = report
  }
}

extension Metric {
  /// The column of what a search finds of each neighbor.
  fileprivate var column: Column {
    switch self {
    case .cosine: Column("similarity", decimals: 4)
    case .dot: Column("dot_product", decimals: 4)
    case .l2: Column("distance", decimals: 4)
    }
  }
}

extension Queries {
  /// The columns that say which query a result belongs to.
  var columns: [Column] {
    (areNumbered ? ["query"] : []) + (objects == nil ? [] : ["object"])
  }

  func values(of query: Int) -> [Value] {
    (areNumbered ? [.integer(query)] : []) + (objects.map { [.text($0[query])] } ?? [])
  }
}
