package import Storage

/// How a search is carried out, decided from counts before it begins.
package struct SearchPlan: Sendable, Equatable {
  package enum Way: Sendable, Equatable {
    /// Every matching row is compared, because of what the text says.
    case exact(String)
    case index(IndexRecord.Calibration)
    case graph(GraphRecord.Calibration)
  }

  /// Matching rows up to which comparing all of them takes no longer than looking for codes that match.
  package static let exactLimit = 10_000

  package let way: Way
  /// Rows of the space that match the filter.
  package let matching: Int
  /// Those of them that the index or the graph holds; the others are compared one by one.
  package let indexed: Int
  /// What the search through the index or the graph did.
  package internal(set) var work = SearchWork()
  /// What an exact search did.
  package internal(set) var scan = ScanWork()
  /// What became of queries for which the graph was given up; nil where there was none.
  package internal(set) var fallback: Fallback?

  /// Another way for some queries.
  package struct Fallback: Sendable, Equatable {
    package let queries: Int
    /// An exact search, or one through the index of lists.
    package let way: Way
    /// What the search through the index did.
    package let work: SearchWork
    /// What the exact search did.
    package let scan: ScanWork
  }
}

extension Snapshot {
  /// The nearest cells of each query by cosine similarity or another metric, nearest first, through the space's index where
  /// that helps.
  ///
  /// A query has `k` neighbors whenever so many of `rows` have a vector in the space, and their similarities are exact.
  /// Through an index, some of the nearest may be missing: as many as `recall` allows on average, as was measured when
  /// it was built. Rows that are not in the index are compared one by one.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameters:
  ///   - rows: the rows to search; nil for all.
  ///   - metric: an index knows cosines; by others every row is compared.
  ///   - least: the similarity that a neighbor must have at least; nil for any.
  ///   - recall: the share of the nearest neighbors to find, up to 1; 1 compares with every row.
  ///   - exactLimit: matching rows up to which all are compared.
  /// - Throws: `usage` when the queries' dimension is not the space's; `badData` when a query holds NaN or infinity, or
  ///   the index is damaged.
  package borrowing func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet?,
    metric: Metric = .cosine, atLeast least: Float? = nil, recall: Double, threads: Int,
    exactLimit: Int = SearchPlan.exactLimit
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let found =
      metric == .cosine
      ? try nearestByIndex(
        to: queries, count: count, k: k, in: space, among: rows, recall: recall, threads: threads,
        exactLimit: exactLimit) : .exact("an index knows cosines only")
    switch found {
    case .found(let neighbors, let plan):
      return (neighbors.map { $0.filter { $0.similarity >= least ?? -1 } }, plan)
    case .exact(let reason):
      let present = try self.rows(in: space)
      let matching = rows?.intersection(present) ?? present
      return try nearestByScan(
        to: queries, count: count, in: space, ExactRequest(k: k, metric: metric, atLeast: least),
        among: matching, because: reason, threads: threads)
    }
  }

  /// The same through the index alone, without the rows that a query leaves out.
  /// - Returns: nil where the index does not serve, or lacks some of the rows.
  package borrowing func nearestThroughIndex(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet,
    excluding excluded: ExcludedGroups, recall: Double, threads: Int,
    exactLimit: Int = SearchPlan.exactLimit
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan)? {
    guard try rows.intersection(self.rows(in: space)).subtracting(indexedRows(in: space)).isEmpty else {
      return nil
    }
    let found = try nearestByIndex(
      to: queries, count: count, k: k, in: space, among: rows, excluding: excluded, recall: recall,
      threads: threads, exactLimit: exactLimit)
    if case .found(let neighbors, let plan) = found { return (neighbors, plan) }
    return nil
  }

  private borrowing func nearestByIndex(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet?,
    excluding excluded: ExcludedGroups? = nil, recall: Double, threads: Int, exactLimit: Int
  ) throws -> IndexOutcome {
    if recall >= 1 { return .exact("as was asked for") }
    let present = try self.rows(in: space)
    let matching = rows?.intersection(present) ?? present
    // Searches of a graph know no rows that one query alone leaves out.
    if excluded == nil,
      let (neighbors, plan) = try nearestByGraph(
        to: queries, count: count, k: k, in: space, among: matching, recall: recall, threads: threads,
        exactLimit: exactLimit)
    {
      return .found(neighbors, plan)
    }
    let use = try listUse(for: k, in: space, among: matching, recall: recall, exactLimit: exactLimit)
    switch use {
    case .none(let reason): return .exact(reason)
    case .lists:
      let units = try queries.withUnsafeBufferPointer { try unitVectors($0, count: count, space: space) }
      if units.holdZero { return .exact("a query is zero throughout") }
      let (neighbors, plan) = try nearestByLists(
        to: queries, count: count, k: k, in: space, among: matching, use, units: units.vectors,
        excluding: excluded, threads: threads)
      return .found(neighbors, plan)
    }
  }

  /// Whether a search goes through the index of lists.
  borrowing func listUse(
    for k: Int, in space: SpaceRecord, among matching: RowSet, recall: Double, exactLimit: Int
  ) throws -> ListUse {
    guard let record = try indexRecord(of: space) else { return .none("the space has no index") }
    guard let calibration = record.calibrations.reaching(recall) else {
      return .none("the index was measured up to a recall of \(record.calibrations.last?.recall ?? 0)")
    }
    let inIndex = matching.intersection(try indexedRows(in: space))
    if inIndex.count <= exactLimit {
      return .none("up to \(exactLimit) are compared as fast as an index is searched")
    }
    if k > inIndex.count / 20 { return .none("more neighbors than a twentieth of them are asked for") }
    return .lists(record, calibration, inIndex)
  }

  /// The nearest cells of each query through the index of lists, or of all rows where it is not used.
  /// - Parameters:
  ///   - queries: none of which is zero.
  ///   - matching: the rows to search, which have a vector.
  ///   - units: the queries scaled to unit length; nil where they have yet to be.
  borrowing func nearestByLists(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among matching: RowSet, _ use: ListUse,
    units: [Float]? = nil, excluding excluded: ExcludedGroups? = nil, threads: Int
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    guard case .lists(let record, let calibration, let inIndex) = use else {
      return try nearestByScan(
        to: queries, count: count, in: space, ExactRequest(k: k), among: matching, because: use.reason,
        threads: threads)
    }
    let units =
      try units
      ?? queries.withUnsafeBufferPointer { try unitVectors($0, count: count, space: space).vectors }
    let index = try self.index(record, of: space)
    let centres: any ScoredCentres =
      count < fewQueries ? try MappedCentres(of: index) : try CentreTable(of: index)
    let search = IndexSearch(
      index, centres, calibration, k: k,
      // Where a row outside the index has a number, a damaged code may be of it.
      wanted: inIndex.count < Int(index.rowLimit) ? RowMask(inIndex) : nil, excluded: excluded)
    let fresh = matching.subtracting(inIndex)
    let known =
      fresh.isEmpty
      ? [] : try nearest(to: queries, count: count, k: k, in: space, among: fresh, threads: threads)
    let (neighbors, work) = try search.run(units, known: known, threads: threads)
    let plan = SearchPlan(
      way: .index(calibration), matching: matching.count, indexed: inIndex.count, work: work)
    return (neighbors, plan)
  }

  /// The nearest cells of each query among all rows.
  private borrowing func nearestByScan(
    to queries: [Float], count: Int, in space: SpaceRecord, _ request: ExactRequest, among matching: RowSet,
    because reason: String, threads: Int
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let (found, scan) = try queries.withUnsafeBufferPointer {
      try nearest(to: $0, count: count, in: space, request, among: matching, threads: threads)
    }
    return (found, SearchPlan(way: .exact(reason), matching: matching.count, indexed: 0, scan: scan))
  }
}

/// Whether a search goes through the index of lists.
enum ListUse {
  /// With the rows of the index that match.
  case lists(IndexRecord, IndexRecord.Calibration, RowSet)
  /// Not, because of what the text says.
  case none(String)

  var serves: Bool { if case .lists = self { true } else { false } }
  var reason: String { if case .none(let reason) = self { reason } else { "" } }
}

/// What became of a search through an index.
private enum IndexOutcome {
  case found([[Neighbor]], SearchPlan)
  /// The index is of no use, because of what the text says.
  case exact(String)
}

/// Fewer queries are compared with centres in float32, where they lie: turning those into 8 bits takes longer.
private let fewQueries = 16

extension CentreTable {
  convenience init(of index: StoredIndex) throws {
    var centres: [Float] = []
    centres.reserveCapacity(index.record.listCount * index.width)
    try index.forEachRunOfCentres { _, count, base in
      centres.append(contentsOf: UnsafeBufferPointer(start: base, count: count * index.width))
    }
    self.init(centres, width: index.width)
  }
}
