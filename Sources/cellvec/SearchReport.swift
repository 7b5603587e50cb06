import Query
import Storage

/// What a search found, as text: made while the database is read, written when it is not read any more, so that whoever
/// takes long to read the text keeps no pages of the database.
struct SearchReport {
  /// Pieces that follow one another.
  private(set) var texts: [[UInt8]]
  let isEmpty: Bool

  /// - Parameters:
  ///   - found: neighbors of each query, nearest first.
  ///   - metric: what the neighbors were found by; names their column.
  ///   - queries: rows say which of them they belong to, by number from 0 and by object, where these are
  ///     told.
  init(
    of found: [[Neighbor]], by metric: Metric, for queries: Queries, showing table: CellTable,
    in snapshot: borrowing Snapshot, as format: OutputFormat, threads: Int
  ) throws {
    isEmpty = found.allSatisfy(\.isEmpty)
    var rows = NeighborRows(found: found, metric: metric, queries: queries, table: table, format: format)
    var (top, end): ([UInt8], [UInt8]) = ([], [])
    rows.formatter.start(&top)
    var next = 0
    while next < found.count, !rows.formatter.isFitted {
      try rows.append(next..<next + 1, in: snapshot, to: &top)
      next += 1
    }
    // A table that is too short to be fitted before comes at the end.
    rows.formatter.end(&end)
    texts = [top] + (try rows.parts(next..<found.count, in: snapshot, threads: threads)) + [end]
  }

  /// - Parameter found: values of a field for each query, nearest first.
  init(of found: [[NeighborGroup]], for queries: Queries, by field: Field, as format: OutputFormat) {
    isEmpty = found.allSatisfy(\.isEmpty)
    var formatter = ReportFormatter(
      queries.columns + ["rank", Column(field.name), "cell_count", Metric.cosine.column], as: format,
      isBold: Terminal.current.hasStyle)
    var text: [UInt8] = []
    formatter.start(&text)
    for (query, groups) in found.enumerated() {
      for (rank, group) in groups.enumerated() {
        formatter.add(
          queries.values(of: query)
            + [.integer(rank + 1), .text(group.value), .integer(group.count), .real(group.similarity)],
          to: &text)
      }
    }
    formatter.end(&text)
    texts = [text]
  }
}

/// The rows of neighbors, some of which a thread may make while others make others.
private struct NeighborRows {
  /// Fewer queries than so many for each thread are not worth another thread.
  private static let leastShare = 256

  let found: [[Neighbor]]
  let metric: Metric
  let queries: Queries
  var table: CellTable
  var formatter: ReportFormatter

  init(found: [[Neighbor]], metric: Metric, queries: Queries, table: CellTable, format: OutputFormat) {
    self.found = found
    self.metric = metric
    self.queries = queries
    self.table = table
    formatter = ReportFormatter(
      queries.columns + ["rank", "cell", metric.column] + table.columns, as: format,
      isBold: Terminal.current.hasStyle)
  }

  mutating func append(_ range: Range<Int>, in snapshot: borrowing Snapshot, to text: inout [UInt8]) throws {
    var values: [Value] = []
    for query in range {
      let asked = queries.values(of: query)
      for (rank, neighbor) in found[query].enumerated() {
        values.replaceSubrange(values.indices, with: asked)
        values.append(.integer(rank + 1))
        values.append(.integer(Int(neighbor.row)))
        values.append(.real(metric.value(of: neighbor)))
        try table.append(valuesOf: neighbor.row, in: snapshot, to: &values)
        formatter.add(values, to: &text)
      }
    }
  }

  /// The texts of parts of the queries that follow one another. Rows must be fitted.
  func parts(_ range: Range<Int>, in snapshot: borrowing Snapshot, threads: Int) throws -> [[UInt8]] {
    if range.isEmpty { return [] }
    return try valuesOfLanes(max(1, min(threads, range.count / Self.leastShare)), of: range.count) { share in
      var rows = self
      rows.table = table.separated()
      rows.formatter = formatter.separated()
      var text: [UInt8] = []
      try rows.append(
        range.lowerBound + share.lowerBound..<range.lowerBound + share.upperBound, in: snapshot, to: &text)
      return text
    }
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
