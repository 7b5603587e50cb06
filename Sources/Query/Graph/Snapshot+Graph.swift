import Storage

/// The share of a graph's rows that must match: where fewer do, too many vertices are visited in vain.
private let leastMatchingShare = 0.3
/// Where fewer of the vertices around a query match than this part of what match overall, the condition is against it.
private let leastSharePart: Float = 0.5

/// Where more rows than one in so many have to be compared besides the graph's, an index of lists that holds more of them
/// is faster.
private let largestMissingPart = 20

extension Snapshot {
  /// The nearest cells of each query through the space's graph; nil where that does not help: where there is none that
  /// reaches the recall, few rows of it match, many of them are not in it but in an index of lists, many neighbors are
  /// asked for, or a query is zero.
  ///
  /// Queries for which the graph does not lead to `k` rows, or that visit too many others, are searched for through the
  /// index of lists or, where that does not serve, compared with every row.
  /// - Parameters:
  ///   - matching: the rows to search, which have a vector.
  ///   - exactLimit: matching rows up to which nil is returned.
  borrowing func nearestByGraph(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among matching: RowSet,
    recall: Double, threads: Int, exactLimit: Int
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan)? {
    guard let record = try graphRecord(of: space), let calibration = record.calibrations.reaching(recall)
    else { return nil }
    let inGraph = matching.intersection(try rowsInGraph(of: space))
    guard inGraph.count > exactLimit, k <= inGraph.count / 20,
      Double(inGraph.count) >= leastMatchingShare * Double(record.vertexCount)
    else { return nil }
    if try queries.withUnsafeBufferPointer({ try holdZeroVector($0, count: count, space: space) }) {
      return nil
    }

    let graph = try self.graph(record, of: space)
    let missing = matching.subtracting(inGraph)
    if missing.count > inGraph.count / largestMissingPart,
      try indexRecord(of: space) != nil,
      try indexedRows(in: space).intersection(matching).count > inGraph.count
    {
      return nil
    }
    let hasOthers = inGraph.count < record.vertexCount
    let lists =
      hasOthers
      ? try listUse(for: k, in: space, among: matching, recall: recall, exactLimit: exactLimit) : nil
    let isCoded = count >= FreshCodes.leastQueries && !missing.isEmpty
    let search = GraphSearch(
      graph: graph,
      reach: GraphReach(
        near: calibration.reach, far: lists?.serves == true ? nil : calibration.farReach, range: record.range,
        leastShare: leastSharePart * Float(inGraph.count) / Float(record.vertexCount)),
      // How far a search goes was measured for so many, and fewer are found with them.
      k: max(k, MeasuredQueries.k),
      vainLimit: lists.map { vainLimit($0, k: k, matching: matching.count) } ?? .max,
      // Where a row without a vertex has a number, a damaged record may lead to it.
      wanted: inGraph.count < Int(graph.rowLimit) ? RowMask(inGraph) : nil,
      fresh: isCoded ? try FreshCodes(of: missing, graph, threads: threads, self) : nil)
    let known =
      isCoded || missing.isEmpty
      ? [] : try nearest(to: queries, count: count, k: k, in: space, among: missing, threads: threads)
    let (found, work) = try search.run(queries, known: known, threads: threads)
    let lost = found.indices.filter { found[$0] == nil }
    var neighbors = found.map { neighbors in
      guard let neighbors else { return [Neighbor]() }
      return neighbors.count > k ? Array(neighbors.prefix(k)) : neighbors
    }
    var plan = SearchPlan(
      way: .graph(calibration), matching: matching.count, indexed: inGraph.count, work: work)
    if !lost.isEmpty {
      let dimension = space.dimension
      let (others, otherPlan) = try nearestByLists(
        to: lost.flatMap { queries[$0 * dimension..<($0 + 1) * dimension] }, count: lost.count, k: k,
        in: space, among: matching,
        try lists ?? listUse(for: k, in: space, among: matching, recall: recall, exactLimit: exactLimit),
        threads: threads)
      for (query, others) in zip(lost, others) { neighbors[query] = others }
      plan.fallback = .init(
        queries: lost.count, way: otherPlan.way, work: otherPlan.work, scan: otherPlan.scan)
    }
    return (neighbors, plan)
  }
}

/// Visits of vertices that do not match after which a search is given up, if fewer match than usual: they take about as
/// long as what is done then.
private func vainLimit(_ lists: ListUse, k: Int, matching: Int) -> Int {
  if lists.serves {
    // Lists and codes of a search are some times the square root of the rows, and more for more neighbors.
    return Int((Double(matching) * Double(max(k, MeasuredQueries.k)) / 10).squareRoot())
  }
  // One query is compared with a vector in a tenth of a visit or so, many together in less than a hundredth. Between the
  // two, so that what a query finds does not depend on how many there are.
  return max(512, matching / 64)
}
