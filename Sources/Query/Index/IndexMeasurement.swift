import Storage

/// Finds out how far a search must go for a recall: rows of the index are searched for, and what is found is compared
/// with an exact search. The row itself counts on neither side.
struct IndexMeasurement {
  private static let queryLimit = 256
  /// Of a query for one neighbor there is nothing to average: it takes more of them.
  private static let nearestQueryLimit = 1024
  /// Numbers of neighbors for which reaches are measured, where there are 20 times as many rows, and which share of the
  /// queries is searched for: more neighbors tell as much of fewer queries.
  private static let neighborCounts = [1, 10, 100, 1000]
  private static let queryStrides = [100: 2, 1000: 4]
  /// The number for which the far reach and what queries tell are measured.
  private static let usualCount = 10
  /// What is asked for where searches are measured by the distance of the nearest centre.
  private static let recallOfStarts = 0.99
  /// Recalls, and the deviations by which an estimate may be wrong for them.
  private static let targets: [(recall: Double, deviations: Float)] = [
    (0.9, 1.3), (0.95, 1.7), (0.99, 2.4), (0.999, 3.5),
  ]

  /// With these, only lists are visited that are nearer than the last neighbor by its distance and more, and nearly all.
  private static let (shortestReach, longestReach): (Float, Float) = (-1, 1.5)
  private static let rounding: Float = 1e-6

  private let index: StoredIndex
  private let table: CentreTable
  private let threads: Int
  private let rows: [Row]
  /// [rows, dimension], of unit length.
  private let queries: [Float]
  /// The nearest other rows of each query, nearest first.
  private let truth: [[Neighbor]]
  /// For each of them the square of the distance between the query and the nearer centre of its lists.
  private let centreDistances: [[Float]]
  /// The root of the mean square of the queries' distances from the nearest centres.
  private let radius: Float

  /// - Parameters:
  ///   - all: the rows of the index, ascending.
  ///   - lists: [all, lists of a row] of the index.
  ///   - isOfNearest: whether to measure searches for one neighbor, with more queries.
  init(
    of index: StoredIndex, _ table: CentreTable, rows all: [Row], lists: [UInt32], threads: Int,
    isOfNearest: Bool = false, _ snapshot: borrowing Snapshot
  ) throws {
    self.index = index
    self.table = table
    self.threads = threads
    let count = min(isOfNearest ? Self.nearestQueryLimit : Self.queryLimit, all.count)
    // From the middle of each step: training took rows from their beginnings.
    let chosen = (0..<count).map { all[(2 * $0 + 1) * all.count / (2 * count)] }
    var vectors: [Float] = []
    try snapshot.forEachBlock(of: index.space, containing: RowSet(chosen)) { block in
      for row in block.rows { vectors += block.vector(of: row) }
    }
    let units = try vectors.withUnsafeBufferPointer {
      try unitVectors($0, count: count, space: index.space).vectors
    }
    let most = isOfNearest ? 1 : Self.neighborCounts.last { $0 * 20 <= all.count } ?? Self.usualCount
    let found = try snapshot.nearest(
      to: vectors, count: count, k: most + 1, in: index.space, among: RowSet(all), threads: threads)
    // A row of which there are copies enough says nothing of how far others have to look.
    let last = min(Self.usualCount, most)
    var telling = (0..<count).filter { (found[$0].prefix(last + 1).last?.similarity ?? 0) < 0.99999 }
    if telling.isEmpty { telling = Array(0..<count) }
    let dimension = index.space.dimension
    rows = telling.map { chosen[$0] }
    queries = telling.flatMap { units[$0 * dimension..<($0 + 1) * dimension] }
    let truth = telling.map { place in
      Array(found[place].filter { $0.row != chosen[place] }.prefix(most))
    }
    self.truth = truth

    let listsPerRow = index.record.listsPerRow
    let scores = Self.scores(of: queries, count: rows.count, index, table)
    centreDistances = truth.enumerated().map { query, neighbors in
      neighbors.map { neighbor in
        let place = all.countOfFirst { $0 < neighbor.row } * listsPerRow
        let best = lists[place..<place + listsPerRow].map { scores[query * table.scoreStride + Int($0)] }
          .max()
        return max(0, 1 - 2 * (best ?? 0))
      }
    }
    var sum: Float = 0
    for query in rows.indices {
      let ofQuery = scores[query * table.scoreStride..<query * table.scoreStride + table.count]
      sum += max(0, 1 - 2 * (ofQuery.max() ?? 0))
    }
    radius = (sum / Float(max(1, rows.count))).squareRoot()
  }

  /// A calibration for each recall that a search reaches.
  /// - Parameter nearest: measures searches for one neighbor.
  func calibrations(_ nearest: IndexMeasurement) throws -> [IndexRecord.Calibration] {
    let counts = Self.neighborCounts.filter { count in
      count <= Self.usualCount || truth.allSatisfy { $0.count >= count }
    }
    return try Self.targets.compactMap { target in
      var reaches: [IndexRecord.Reach] = []
      var farReach: Float?
      for count in counts {
        let measurement = count == 1 ? nearest : self
        let least = try measurement.leastReaches(count, for: target)
        if count == Self.usualCount { farReach = least.far }
        // Of few neighbors one that is missed may be one too many.
        guard let near = least.near else { continue }
        reaches.append(
          .init(neighbors: count, reach: near, range: measurement.range(count), effort: least.effort))
      }
      guard reaches.contains(where: { $0.neighbors == Self.usualCount }), let farReach else { return nil }
      return .init(
        recall: target.recall, reaches: reaches, farReach: farReach, radius: radius,
        deviations: target.deviations)
    }
  }

  /// What searches do by the distance of the nearest centre, as one of the calibrations has them; nil where none is that.
  func starts(_ calibrations: [IndexRecord.Calibration]) throws -> IndexRecord.Starts? {
    guard let calibration = calibrations.reaching(Self.recallOfStarts) ?? calibrations.last else {
      return nil
    }
    let dimension = index.space.dimension
    let mixtures = QueryMixtures(
      of: queries, width: dimension, QueryMixtures.directions(dimension: dimension))
    let scores = Self.scores(of: mixtures.vectors, count: mixtures.count, index, table)
    let distances = (0..<mixtures.count).map { query in
      let ofQuery = scores[query * table.scoreStride..<query * table.scoreStride + table.count]
      return max(0, 1 - 2 * (ofQuery.max() ?? 0))
    }
    let order = distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
    let search = IndexSearch(index, table, calibration, k: Self.usualCount, wanted: nil)
    var starts: [IndexRecord.Starts.Start] = []
    for part in QueryMixtures.parts(of: order) {
      let some = part.flatMap { mixtures.vectors[$0 * dimension..<($0 + 1) * dimension] }
      let effort = try search.run(some, threads: threads).work.effort(queries: part.count)
      starts.append(.init(distance2: part.map { distances[$0] }.max() ?? 0, effort: effort))
    }
    return .init(recall: calibration.recall, starts: starts)
  }

  /// What reach each neighbor of the first `count` needs so that a list of it is visited, in ascending order.
  /// - Parameter need: of the squares of the centre's distance and of that of the last neighbor.
  private func needs(_ count: Int, _ need: (Float, Float) -> Float) -> [Float] {
    var needs: [Float] = []
    for (neighbors, distances) in zip(truth, centreDistances) {
      guard let last = neighbors.prefix(count).last else { continue }
      for distance2 in distances.prefix(count) { needs.append(need(distance2, 2 - 2 * last.similarity)) }
    }
    return needs.sorted()
  }

  /// The square of the distance within which queries have so many neighbors, with some room: few queries beyond what was
  /// measured are worth the much longer way of those.
  private func range(_ count: Int) -> Float {
    1.25 * (truth.compactMap { $0.prefix(count).last.map { 2 - 2 * $0.similarity } }.max() ?? 0)
  }

  /// The least reaches with which a recall is met; nil where none is enough.
  private struct LeastReaches {
    var near: Float?
    /// What searches then do.
    var effort: IndexRecord.Effort?
    var far: Float?
  }

  /// Searches for `count` neighbors tell both, of the usual number, or only the near one. They go farther than is expected
  /// to be enough, and what is enough follows from what they met; where it was not, they go farther still.
  private func leastReaches(
    _ count: Int, for target: (recall: Double, deviations: Float)
  ) throws -> LeastReaches {
    // A part of what is left to 1 is kept in hand: other queries are not these.
    let goal = target.recall + 0.3 * (1 - target.recall)
    let radius2 = radius * radius
    let near = needs(count) { $0 - $1 }
    let far = needs(count) { ($0 + radius2 - $1) / (2 * max($0, 1e-6).squareRoot()) }
    var least = LeastReaches()
    // Shares of the neighbors with a list that is visited. The last search visits nearly every list.
    for share in [(1 + goal) / 2, 1, .infinity] {
      func reach(_ needs: [Float]) -> Float {
        if share > 1 { return Self.longestReach }
        return needs.isEmpty ? 0 : needs[min(needs.count - 1, Int(share * Double(needs.count)))]
      }
      let needsFar = least.far == nil && count == Self.usualCount
      let rule: VisitRule = !needsFar ? .near : least.near == nil ? .both : .far
      let traced = try traces(
        .init(
          recall: target.recall, reaches: [.init(neighbors: count, reach: reach(near), range: .infinity)],
          farReach: reach(far), radius: radius, deviations: target.deviations), count, rule)
      if rule != .far, let enough = leastReach(traced, count, goal, .near), enough <= reach(near) {
        let enough = max(enough, leastNeed(near, goal) ?? enough)
        least.near = enough
        var work = SearchWork()
        for trace in traced.traces { work.add(trace.work(within: enough, .near)) }
        least.effort = work.effort(queries: traced.traces.count)
      }
      if rule != .near, let enough = leastReach(traced, count, goal, .far), enough <= reach(far) {
        least.far = max(enough, leastNeed(far, goal) ?? enough)
      }
      if least.near != nil && (least.far != nil || count != Self.usualCount) { break }
    }
    return least
  }

  /// A reach that none is to be below, whatever was met: a search that begins with neighbors among rows that came after the
  /// index passes lists over from the first on.
  /// - Parameter needs: of the neighbors, in ascending order.
  private func leastNeed(_ needs: [Float], _ goal: Double) -> Float? {
    // Where not one may be missed, what was met is too little to go by.
    (1 - goal) * Double(needs.count) < 1 ? needs.last : needs[needs.count / 2]
  }

  /// Searches for the nearest of some queries.
  /// - Returns: what they met, and which of the queries they are.
  private func traces(
    _ calibration: IndexRecord.Calibration, _ count: Int, _ rule: VisitRule
  ) throws -> (traces: [VisitTrace], places: [Int]) {
    let search = IndexSearch(
      index, table, calibration, k: count + 1, wanted: nil, rule: rule, isTraced: true)
    let places = Array(stride(from: 0, to: rows.count, by: Self.queryStrides[count] ?? 1))
    let dimension = index.space.dimension
    let some = places.flatMap { queries[$0 * dimension..<($0 + 1) * dimension] }
    return (try search.traces(some, threads: threads), places)
  }

  /// The least reach with which a share of the neighbors is found; nil where they were not met.
  private func leastReach(
    _ traced: (traces: [VisitTrace], places: [Int]), _ count: Int, _ share: Double, _ rule: VisitRule
  ) -> Float? {
    var reaches: [Float] = []
    for (trace, place) in zip(traced.traces, traced.places) {
      reaches += trace.reaches(Set(truth[place].prefix(count).map(\.row)), rule)
    }
    if reaches.isEmpty { return Self.shortestReach }
    reaches.sort()
    // Of n other queries' neighbors, ones with reaches like these would divide the line into n + 1 equal parts.
    let place = max(0, min(Double(reaches.count), share * Double(reaches.count + 1)) - 1)
    let (less, more) = (reaches[Int(place)], reaches[Int(place.rounded(.up))])
    guard more < .infinity else { return nil }
    if less == more || less == -.infinity { return max(Self.shortestReach, more + Self.rounding) }
    // What a search computes from it is rounded.
    let reach = less + Float(place - place.rounded(.down)) * (more - less)
    return max(Self.shortestReach, reach + Self.rounding)
  }

  /// [count, table.scoreStride]
  private static func scores(
    of queries: [Float], count: Int, _ index: StoredIndex, _ table: CentreTable
  ) -> [Float] {
    var rotated = [Float](repeating: 0, count: count * table.width)
    var scores = [Float](repeating: 0, count: max(1, count) * table.scoreStride)
    let dimension = index.space.dimension
    queries.withUnsafeBufferPointer { queries in
      rotated.withUnsafeMutableBufferPointer { rotated in
        guard let source = queries.baseAddress, let target = rotated.baseAddress else { return }
        for query in 0..<count {
          index.codeSpace.rotateUnit(of: source + query * dimension, into: target + query * table.width)
        }
      }
    }
    table.score(rotated, rows: count, into: &scores, CentreTable.Scratch())
    return scores
  }
}

extension SearchWork {
  /// The mean of some queries' searches of an index.
  fileprivate func effort(queries: Int) -> IndexRecord.Effort {
    func mean(_ sum: Int) -> Float { Float(max(1, sum)) / Float(max(1, queries)) }
    return .init(lists: mean(lists), codes: mean(codes), rows: mean(rows))
  }
}
