package import Storage

/// How a search is carried out, decided from counts before it begins.
package struct SearchPlan: Sendable, Equatable {
  package enum Way: Sendable, Equatable {
    /// Every matching row is compared, because of what the text says.
    case exact(String)
    case index(IndexRecord.Calibration)
    case graph(GraphRecord.Calibration)
  }

  /// How long the ways of a search are estimated to take for a query: what counts is how they compare.
  package struct Estimates: Sendable, Equatable {
    package var exact: Double
    /// nil where it does not serve.
    package var index: Double?
    package var graph: Double?

    /// Whether comparing every row takes no longer than what else there is.
    var isExactLeast: Bool { exact <= min(index ?? .infinity, graph ?? .infinity) }
  }

  /// Why a query is compared with every row, whatever is estimated.
  package static let zero = "a query of zeros is like no vector"
  /// What has an index searched wherever it serves.
  package static let indexWeight = 1e6

  package let way: Way
  /// Rows of the space that match the filter.
  package let matching: Int
  /// Those of them that the index or the graph holds; the others are compared with what was found there: the k-th neighbor
  /// rules most of them out.
  package let indexed: Int
  /// What the search through the index or the graph did.
  package internal(set) var work = SearchWork()
  /// What an exact search did, or the search among the rows that the index or the graph lacks.
  package internal(set) var scan = ScanWork()
  /// nil where nothing was to be chosen.
  package internal(set) var estimates: Estimates?
  /// What became of queries that were given up, one after the other: of those of the graph, of those of the index, and of
  /// queries of zeros.
  package internal(set) var fallbacks: [Fallback] = []

  /// Another way for some queries.
  package struct Fallback: Sendable, Equatable {
    package let queries: Int
    /// An exact search, one through the index of lists, or one of the graph that goes far.
    package let way: Way
    /// What the search through the index did.
    package let work: SearchWork
    /// What an exact search did, as in a plan.
    package let scan: ScanWork
  }
}

/// What is searched for and among what, before any query is looked at.
struct SearchTask {
  /// [count, dimension]
  let queries: [Float]
  let count: Int
  let k: Int
  let space: SpaceRecord
  /// The rows to search, which have a vector.
  let matching: RowSet
  let recall: Double
  /// The similarity that a neighbor must have at least; nil for any.
  var least: Float?
  var excluded: ExcludedGroups?
  let threads: Int
  let costs: SearchCosts

  /// The numbers of the queries besides some, ascending.
  func others(than numbers: [Int]) -> [Int] { Set(0..<count).subtracting(numbers).sorted() }

  /// The same for some of its queries: those for which another way is looked for.
  func of(_ numbers: [Int]) -> SearchTask {
    let dimension = space.dimension
    return SearchTask(
      queries: numbers.flatMap { queries[$0 * dimension..<($0 + 1) * dimension] }, count: numbers.count, k: k,
      space: space, matching: matching, recall: recall, least: least,
      excluded: excluded.map { groups in
        ExcludedGroups(ofQuery: numbers.map { groups.ofQuery[$0] }, ofRow: groups.ofRow)
      }, threads: threads, costs: costs.of(queries: numbers.count))
  }
}

/// Queries that pass over the rows that an index lacks together: what they take stays in a cache, and its memory is used
/// again.
private let queriesBesides = 2048

extension Snapshot {
  /// The nearest cells of each query by cosine similarity or another metric, nearest first, in the way that is estimated
  /// to take least time: through the space's graph, through its index, or by comparing every row.
  ///
  /// A query has `k` neighbors whenever so many of `rows` have a vector in the space, and their similarities are exact.
  /// Through an index, some of the nearest may be missing: as many as `recall` allows on average, as was measured when
  /// it was built. Rows that are not in the index are compared with the k-th neighbor that was found there, and are no
  /// neighbors if they are farther. By how many queries there are is chosen, and again by how many an index gives up. A
  /// query that is zero throughout is compared with every row. Threads change nothing.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameters:
  ///   - rows: the rows to search; nil for all.
  ///   - metric: an index knows cosines; by others every row is compared.
  ///   - least: the similarity that a neighbor must have at least; nil for any.
  ///   - recall: the share of the nearest neighbors to find, up to 1; 1 compares with every row.
  ///   - scanWeight: how many times as long as is estimated comparing every row is taken to take: a large number makes a
  ///     few vectors stand for many.
  /// - Throws: `usage` when the queries' dimension is not the space's; `badData` when a query holds NaN or infinity, or
  ///   the index is damaged.
  package borrowing func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet?,
    metric: Metric = .cosine, atLeast least: Float? = nil, recall: Double, threads: Int,
    scanWeight: Double = 1
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let present = try self.rows(in: space)
    let task = SearchTask(
      queries: queries, count: count, k: k, space: space, matching: rows?.intersection(present) ?? present,
      recall: recall, least: metric == .cosine ? least : nil, threads: threads,
      costs: SearchCosts(
        of: space, rowCount: present.count, queries: count, hasCopies: try hasCoarse(space),
        scanWeight: scanWeight))
    if metric != .cosine {
      return try nearestByScan(
        task, ExactRequest(k: k, metric: metric, atLeast: least), because: "an index knows cosines only")
    }
    if recall >= 1 { return try nearestByScan(task, because: "as was asked for") }
    let zeros = try queries.withUnsafeBufferPointer { try zeroVectors($0, count: count, space: space) }
    if zeros.count == count { return try nearestByScan(task, because: SearchPlan.zero) }
    return try nearestByLeast(task, zeros: zeros)
  }

  /// Searches for the queries that are not zero throughout in one way, and compares those that are with every row.
  /// - Parameters:
  ///   - zeros: the numbers of some, but not of all.
  ///   - way: of a search that has none of them.
  private borrowing func nearest(
    _ task: SearchTask, zeros: [Int],
    _ way: (SearchTask) throws -> (neighbors: [[Neighbor]], plan: SearchPlan)
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    if zeros.isEmpty { return try way(task) }
    let others = task.others(than: zeros)
    let ofZeros = try nearestByScan(task.of(zeros), because: SearchPlan.zero)
    let ofOthers = try way(task.of(others))
    var (neighbors, plan) = (Array(repeating: [Neighbor](), count: task.count), ofOthers.plan)
    for (query, found) in zip(zeros, ofZeros.neighbors) { neighbors[query] = found }
    for (query, found) in zip(others, ofOthers.neighbors) { neighbors[query] = found }
    plan.fallbacks.append(
      .init(queries: zeros.count, way: ofZeros.plan.way, work: SearchWork(), scan: ofZeros.plan.scan))
    return (neighbors, plan)
  }

  /// The nearest cells of each query in the way that is estimated to take least time.
  /// - Parameter zeros: the numbers of the queries that are zero throughout; not of all.
  private borrowing func nearestByLeast(
    _ whole: SearchTask, zeros: [Int]
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let task = zeros.isEmpty ? whole : whole.of(whole.others(than: zeros))
    let graph = try graphUse(task)
    let ofGraph = graph.estimate(task)
    // For a single query it takes as long to read what is known of lists as to search the graph.
    let lists: ListUse =
      if let ofGraph, ofGraph <= task.costs.leastOfLists(vectors: task.costs.rowCount) {
        try hasIndex(task.space) ? .unread : .none(nil)
      } else {
        try listUse(task)
      }
    // One pass serves queries of zeros, too.
    guard graph.serves || lists.serves else { return try nearestByScan(whole, because: reason(graph, lists)) }
    let estimates = SearchPlan.Estimates(
      exact: task.costs.scan(rows: task.matching.count, k: task.k), index: lists.estimate(task),
      graph: ofGraph)
    var (neighbors, plan): ([[Neighbor]], SearchPlan)
    if estimates.isExactLeast {
      (neighbors, plan) = try nearestByScan(
        whole, because: "that is estimated to take less time than an index")
    } else if case .graph(let use) = graph, use.estimate(task) <= estimates.index ?? .infinity {
      (neighbors, plan) = try nearest(whole, zeros: zeros) { try nearestByGraph($0, use, lists, estimates) }
    } else {
      (neighbors, plan) = try nearest(whole, zeros: zeros) { try nearestByLists($0, lists) }
    }
    // Of a weight that is not 1 they say what was asked for.
    if task.costs.scanWeight == 1 { plan.estimates = estimates }
    return (neighbors.map { $0.filter { $0.similarity >= task.least ?? -1 } }, plan)
  }

  /// The same through the index alone, without the rows that a query leaves out; no query is given up.
  /// - Parameter scanWeight: as of `nearest`.
  /// - Returns: nil where the index does not serve or lacks some of the rows, or comparing all is estimated to take no longer.
  package borrowing func nearestThroughIndex(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet,
    excluding excluded: ExcludedGroups, recall: Double, threads: Int, scanWeight: Double = 1
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan)? {
    let matching = try rows.intersection(self.rows(in: space))
    guard recall < 1, try matching.subtracting(indexedRows(in: space)).isEmpty else { return nil }
    let hasCopies = try hasCoarse(space)
    func costs(_ scanWeight: Double) -> SearchCosts {
      SearchCosts(
        of: space, rowCount: matching.count, queries: count, hasCopies: hasCopies, scanWeight: scanWeight)
    }
    let task = SearchTask(
      queries: queries, count: count, k: k, space: space, matching: matching, recall: recall,
      excluded: excluded, threads: threads, costs: costs(.infinity))
    let lists = try listUse(task)
    guard let estimate = lists.estimate(task), estimate < costs(scanWeight).scan(rows: matching.count, k: k)
    else { return nil }
    let zeros = try queries.withUnsafeBufferPointer { try zeroVectors($0, count: count, space: space) }
    if zeros.count == count { return try nearestByScan(task, because: SearchPlan.zero) }
    return try nearest(task, zeros: zeros) { try nearestByLists($0, lists) }
  }

  /// The nearest cells of each query among all rows.
  borrowing func nearestByScan(
    _ task: SearchTask, _ request: ExactRequest? = nil, because reason: String
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let request = request ?? ExactRequest(k: task.k, atLeast: task.least, excluding: task.excluded)
    let (found, scan) = try task.queries.withUnsafeBufferPointer {
      try nearest(
        to: $0, count: task.count, in: task.space, request, among: task.matching, threads: task.threads)
    }
    return (
      found, SearchPlan(way: .exact(reason), matching: task.matching.count, indexed: 0, scan: scan)
    )
  }

  /// Puts the exact neighbors among the matching rows that an index lacks beside those that were found through it.
  /// - Parameters:
  ///   - found: up to k neighbors of each query, nearest first; nil where it was given up, which then stays so.
  ///   - task: where an index lacks rows of it, it excludes none.
  ///   - indexed: the matching rows that the index has.
  ///   - batch: queries that pass over those rows together.
  /// - Returns: the nearest of both, and what the search among the rows did.
  borrowing func addMissing(
    to found: [[Neighbor]?], _ task: SearchTask, indexed: RowSet, batch: Int = queriesBesides
  ) throws -> (neighbors: [[Neighbor]?], scan: ScanWork) {
    precondition(batch > 0)
    let missing = task.matching.subtracting(indexed)
    let searched = found.indices.filter { found[$0] != nil }
    if missing.isEmpty || searched.isEmpty { return (found, ScanWork()) }
    precondition(task.excluded == nil)
    let dimension = task.space.dimension
    var (neighbors, scan) = (found, ScanWork())
    for start in stride(from: 0, to: searched.count, by: batch) {
      let part = searched[start..<min(start + batch, searched.count)]
      var request = ExactRequest(k: task.k, atLeast: task.least)
      request.found = part.map { found[$0] ?? [] }
      let queries = part.flatMap { task.queries[$0 * dimension..<($0 + 1) * dimension] }
      let (all, work) = try queries.withUnsafeBufferPointer {
        try nearest(
          to: $0, count: part.count, in: task.space, request, among: missing, threads: task.threads)
      }
      for (query, all) in zip(part, all) { neighbors[query] = all }
      scan.add(work)
    }
    return (neighbors, scan)
  }
}

/// Why neither serves.
private func reason(_ graph: GraphUse, _ lists: ListUse) -> String {
  switch (graph.reason, lists.reason) {
  case (nil, nil): "the space has no index"
  case (let one?, nil), (nil, let one?): one
  case (let graph?, let lists?): graph == lists ? graph : "\(graph); \(lists)"
  }
}
