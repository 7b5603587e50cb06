import Faults
import Kernels
package import Storage

/// What an exact search looks for.
package struct ExactRequest: Sendable {
  /// Neighbors of each query at most; `Int.max` for all.
  package var k: Int
  package var metric = Metric.cosine
  /// The similarity that a neighbor must have at least.
  package var least: Float
  /// Cells that are no neighbors of some of the queries.
  package var excluded: ExcludedGroups?
  /// Neighbors of each query that were found among other rows, nearest first; empty where nothing was looked for. What is
  /// found are the nearest of both, and rows that are farther than `k` of these are ruled out at once.
  package var found: [[Neighbor]] = []

  package init(
    k: Int, metric: Metric = .cosine, atLeast least: Float? = nil, excluding excluded: ExcludedGroups? = nil
  ) {
    precondition(k > 0)
    self.k = k
    self.metric = metric
    self.least = least ?? metric.leastSimilarity
    self.excluded = excluded
  }

  /// The similarity that a neighbor of a query must have at least.
  func least(of query: Int) -> Float {
    guard !found.isEmpty, found[query].count >= k else { return least }
    return max(least, found[query][k - 1].similarity)
  }
}

/// Groups of queries and cells; cells are no neighbors of queries of their own group.
package struct ExcludedGroups: Sendable {
  /// By number of the query.
  package let ofQuery: [Int32]
  /// By row; rows behind the last are of no group.
  package let ofRow: [Int32]

  package init(ofQuery: [Int32], ofRow: [Int32]) {
    self.ofQuery = ofQuery
    self.ofRow = ofRow
  }

  func excludes(_ row: Row, for query: Int) -> Bool {
    Int(row) < ofRow.count && ofRow[Int(row)] == ofQuery[query]
  }
}

/// What an exact search did, summed over its queries.
package struct ScanWork: Sendable, Equatable {
  /// Pairs of a query and a vector of which the int8 copy was looked at.
  package internal(set) var coarse = 0
  /// Pairs that were compared as they are stored, of all.
  package internal(set) var compared = 0
  /// Whether int8 copies were stored, not made for the search.
  package internal(set) var areStored = false

  mutating func add(_ other: ScanWork) {
    coarse += other.coarse
    compared += other.compared
    areStored = areStored || other.areStored
  }
}

extension VectorSource where Self: ~Copyable {
  /// The nearest cells of each query, nearest first: those that a comparison with every vector of `rows` gives.
  ///
  /// All of `rows` that have a vector in the space take part, so a query has `k` neighbors whenever there are
  /// as many such rows. Equal similarities are ordered by row. The result is the same, bit for bit, for any
  /// number of threads, any batch of queries, any division of the rows into blocks, and with int8 copies or without:
  /// these tell which vectors are too far, and the others are compared as they are stored.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameter rows: the rows to search; nil for all.
  /// - Complexity: O(count * rows * dimension / threads) time, one pass over memory for all queries;
  ///   O(count * k * threads) memory, whatever the number of rows.
  /// - Throws: `usage` when the queries' dimension is not the space's; `badData` when a query holds NaN or
  ///   infinity.
  package borrowing func nearest(
    to queries: UnsafeBufferPointer<Float>, count: Int, in space: SpaceRecord, _ request: ExactRequest,
    among rows: RowSet? = nil, threads: Int = 1
  ) throws -> (neighbors: [[Neighbor]], work: ScanWork) {
    precondition(count >= 0 && threads > 0)
    let vectors = try comparableVectors(queries, count: count, space: space, metric: request.metric)
    let present = try self.rows(in: space)
    let wanted = rows?.intersection(present) ?? present
    guard count > 0, !wanted.isEmpty else {
      return (request.found.isEmpty ? Array(repeating: [], count: count) : request.found, ScanWork())
    }

    let scanned = ScanQueries(vectors, count: count, space: space, request, rowCount: wanted.count)
    let order = beginVectors(wanted.count, of: space)
    defer { endVectors(order) }
    var scan = ExactScan(for: scanned, threads: threads)
    try forEachBlock(of: space, containing: wanted, withCoarse: scanned.coarse != nil) { scan.add($0) }
    return scan.finish()
  }

  /// The same for queries in an array, without the work.
  package borrowing func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet? = nil,
    metric: Metric = .cosine, atLeast least: Float? = nil, threads: Int = 1
  ) throws -> [[Neighbor]] {
    try queries.withUnsafeBufferPointer {
      try nearest(
        to: $0, count: count, in: space, ExactRequest(k: k, metric: metric, atLeast: least), among: rows,
        threads: threads
      ).neighbors
    }
  }
}

/// Queries as a metric compares them: of unit length for cosines, else as they are.
private func comparableVectors(
  _ queries: UnsafeBufferPointer<Float>, count: Int, space: SpaceRecord, metric: Metric
) throws -> [Float] {
  // Scaling finds out what is no query, whatever becomes of the result.
  let units = try unitVectors(queries, count: count, space: space).vectors
  return metric == .cosine ? units : Array(queries)
}

/// The queries scaled to unit length, and whether any is zero throughout; such stay zero. The scaling is done in double
/// precision, so that no finite query overflows.
func unitVectors(
  _ queries: UnsafeBufferPointer<Float>, count: Int, space: SpaceRecord
) throws -> (vectors: [Float], holdZero: Bool) {
  let dimension = space.dimension
  try requireVectors(queries, count: count, space: space)
  var holdZero = false
  let vectors = try [Float](unsafeUninitializedCapacity: queries.count) { units, filled in
    guard let source = queries.baseAddress, let target = units.baseAddress else { return }
    for query in 0..<count {
      let start = query * dimension
      if try !scaleToUnit(query, source + start, dimension: dimension, into: target + start) {
        holdZero = true
      }
    }
    filled = queries.count
  }
  return (vectors, holdZero)
}

/// Which queries are zero throughout, ascending, without memory for the vectors.
func zeroVectors(
  _ queries: UnsafeBufferPointer<Float>, count: Int, space: SpaceRecord
) throws -> [Int] {
  let dimension = space.dimension
  try requireVectors(queries, count: count, space: space)
  return try withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { unit in
    guard let source = queries.baseAddress, let unit = unit.baseAddress else { return [] }
    return try (0..<count).filter {
      try !scaleToUnit($0, source + $0 * dimension, dimension: dimension, into: unit)
    }
  }
}

private func requireVectors(
  _ queries: UnsafeBufferPointer<Float>, count: Int, space: SpaceRecord
) throws {
  guard queries.count != count * space.dimension else { return }
  let found =
    count > 0 && queries.count % count == 0 ? "\(queries.count / count)" : "\(queries.count) in all"
  throw Fault(
    .usage, "query", expected: "vectors of \(space.dimension) numbers (space \"\(space.name)\")",
    found: found, remedy: "search with vectors that the same space's backbone made")
}

/// Writes a query scaled to unit length; false when it is zero throughout.
/// - Throws: `badData` when it holds NaN or infinity.
private func scaleToUnit(
  _ number: Int, _ query: UnsafePointer<Float>, dimension: Int, into unit: UnsafeMutablePointer<Float>
) throws -> Bool {
  let norm2 = kernels_scale_to_unit(dimension, query, unit)
  guard norm2.isFinite else { throw Fault(.badData, "query \(number)", "holds NaN or infinity") }
  return norm2 > 0
}
