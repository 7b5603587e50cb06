import Storage

/// Finds out how far a search must go for a recall: rows of the index and queries that are less and less like them are
/// searched for, and what is found is compared with an exact search.
struct IndexMeasurement {
  private static let queryLimit = 256
  /// Of a query for one neighbor there is nothing to average: it takes more of them.
  private static let nearestQueryLimit = 1024
  /// Queries of each kind that are unlike rows.
  private static let unlikeCount = 64
  /// Numbers of neighbors for which reaches are measured, where there are 20 times as many rows, and which share of the
  /// queries is searched for: more neighbors tell as much of fewer queries.
  private static let neighborCounts = [1, 3, 10, 30, 100, 300, 1000]
  private static let queryStrides = [30: 2, 100: 2, 300: 4, 1000: 4]
  /// The same of queries unlike rows, whose searches take long.
  private static let unlikeNeighborCounts = [1, 10, 100]
  private static let unlikeStrides = [10: 2, 100: 8]
  /// Searches by the far reach take longer still: of so many queries one is searched for.
  private static let farStride = 4
  /// The number for which searches of all kinds are measured.
  static let usualCount = 10
  /// What is asked for where searches are measured by the distance of the nearest centre.
  private static let recallOfStarts = 0.99
  /// Recalls, and the deviations by which an estimate may be wrong for them.
  private static let targets: [(recall: Double, deviations: Float)] = [
    (0.9, 1.3), (0.95, 1.7), (0.99, 2.4), (0.999, 3.5),
  ]

  /// With these, only lists are visited that are nearer than the last neighbor by its distance and more, and nearly all.
  private static let (shortestReach, longestReach): (Float, Float) = (-1, 1.5)
  private static let rounding: Float = 1e-6

  private let lists: MeasuredLists
  private let threads: Int
  /// Rows.
  private let usual: ListQueries
  /// More rows, with one neighbor.
  private let nearest: ListQueries
  /// Kinds of queries that are unlike rows.
  private let unlike: [ListQueries]
  /// The root of the mean square of the usual queries' distances from the nearest centres.
  private let radius: Float

  init(of lists: MeasuredLists, threads: Int, _ snapshot: borrowing Snapshot) throws {
    self.lists = lists
    self.threads = threads
    let all = lists.rows.count
    let most = Self.neighborCounts.last { $0 * 20 <= all } ?? Self.usualCount
    usual = try ListQueries(
      min(Self.queryLimit, all), of: lists, k: most, threads: threads, snapshot)
    nearest = try ListQueries(
      min(Self.nearestQueryLimit, all), of: lists, k: 1, threads: threads, snapshot)
    var unlike: [ListQueries] = []
    let dimension = lists.index.space.dimension
    let directions = QueryMixtures.directions(Self.unlikeCount, dimension: dimension)
    let kinds =
      QueryMixtures.means(of: usual.vectors, dimension: dimension, count: Self.unlikeCount)
      + QueryMixtures.between(usual.vectors, directions, dimension: dimension, count: Self.unlikeCount)
    for vectors in kinds + [directions] {
      unlike.append(
        try ListQueries(
          vectors, in: lists, k: min(most, Self.unlikeNeighborCounts[Self.unlikeNeighborCounts.count - 1]),
          threads: threads, snapshot))
    }
    self.unlike = unlike
    radius = (usual.starts.reduce(0, +) / Float(max(1, usual.count))).squareRoot()
  }

  /// A calibration for each recall that a search reaches.
  func calibrations() throws -> [IndexRecord.Calibration] {
    try Self.targets.compactMap { target in
      let reaches = try reaches(of: usual, for: target)
      guard let ofUsual = reaches.first(where: { $0.neighbors == Self.usualCount }),
        let far = ofUsual.farReach
      else { return nil }
      return .init(
        recall: target.recall, reaches: reaches, farReach: far, radius: radius,
        deviations: target.deviations, wide: try wideReaches(reaches, for: target))
    }
  }

  private typealias Target = (recall: Double, deviations: Float)

  /// For the numbers of neighbors of which every query has enough.
  private func reaches(of queries: ListQueries, for target: Target) throws -> [IndexRecord.Reach] {
    var ofUsualCount: Float?
    let counts = queries.rows.isEmpty ? Self.unlikeNeighborCounts : Self.neighborCounts
    return try counts.compactMap { count in
      guard count <= Self.usualCount || queries.truth.allSatisfy({ $0.count >= count }) else { return nil }
      let queries = count == 1 && !queries.rows.isEmpty ? nearest : queries
      let least = try leastReaches(queries, count, for: target)
      // Of few neighbors one that is missed may be one too many. Queries unlike rows go as far as they can.
      let longest = queries.rows.isEmpty ? Self.longestReach : nil
      guard let near = least.near ?? longest else { return nil }
      let farReach = count > Self.usualCount ? ofUsualCount : least.far ?? longest
      if count == Self.usualCount { ofUsualCount = farReach }
      return .init(
        neighbors: count, reach: near, range: range(queries, count), farReach: farReach, effort: least.effort)
    }
  }

  /// The reaches of queries that are unlike rows, by the distance of their nearest centre.
  /// - Parameter usualReaches: those of rows.
  private func wideReaches(
    _ usualReaches: [IndexRecord.Reach], for target: Target
  ) throws -> [IndexRecord.WideReaches] {
    let kinds = try unlike.map { queries in
      let starts = queries.starts.sorted()
      let margin = starts.count / 20
      return WideReachSteps.Kind(
        starts: starts[margin]...starts[starts.count - 1 - margin],
        reaches: try reaches(of: queries, for: target))
    }
    let starts = usual.starts.sorted()
    return WideReachSteps.steps(
      beyond: starts[starts.count * 19 / 20],
      .init(starts: starts[0]...starts[starts.count - 1], reaches: usualReaches), kinds)
  }

  /// What searches do by the distance of the nearest centre, as one of the calibrations has them; nil where none is that.
  func starts(_ calibrations: [IndexRecord.Calibration]) throws -> IndexRecord.Starts? {
    guard let calibration = calibrations.reaching(Self.recallOfStarts) ?? calibrations.last else {
      return nil
    }
    let dimension = lists.index.space.dimension
    let mixtures = QueryMixtures(
      of: usual.vectors, width: dimension, QueryMixtures.directions(dimension: dimension))
    let distances = lists.nearestCentres(of: mixtures.vectors)
    let order = distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
    let search = IndexSearch(lists.index, lists.table, calibration, k: Self.usualCount, wanted: nil)
    var starts: [IndexRecord.Starts.Start] = []
    for part in QueryMixtures.parts(of: order) {
      let some = part.flatMap { mixtures.vectors[$0 * dimension..<($0 + 1) * dimension] }
      let effort = try search.run(some, threads: threads).work.effort(queries: part.count)
      starts.append(.init(distance2: part.map { distances[$0] }.max() ?? 0, effort: effort))
    }
    return .init(recall: calibration.recall, starts: starts)
  }

  /// What reach each neighbor of the first `count` needs so that a list of it is visited, in ascending order.
  /// - Parameter need: of the centre's score and the similarity of the last neighbor.
  private func needs(_ queries: ListQueries, _ count: Int, _ need: (Float, Float) -> Float) -> [Float] {
    var needs: [Float] = []
    for (neighbors, distances) in zip(queries.truth, queries.centreDistances) {
      guard let last = neighbors.prefix(count).last else { continue }
      for distance2 in distances.prefix(count) { needs.append(need((1 - distance2) / 2, last.similarity)) }
    }
    return needs.sorted()
  }

  /// The square of the distance within which queries have so many neighbors, with some room: few queries beyond what was
  /// measured are worth the much longer way of those.
  private func range(_ queries: ListQueries, _ count: Int) -> Float {
    1.25 * (queries.truth.compactMap { $0.prefix(count).last.map { 2 - 2 * $0.similarity } }.max() ?? 0)
  }

  /// The least reaches with which a recall is met; nil where none is enough.
  private struct LeastReaches {
    var near: Float?
    /// What searches then do.
    var effort: IndexRecord.Effort?
    /// For one neighbor and the usual number.
    var far: Float?
  }

  /// Searches for `count` neighbors by each go farther than is expected to be enough, and what is enough follows from what
  /// they met; where it was not, they go farther still.
  private func leastReaches(_ queries: ListQueries, _ count: Int, for target: Target) throws -> LeastReaches {
    // A part of what is left to 1 is kept in hand: other queries are not these.
    let goal = target.recall + 0.3 * (1 - target.recall)
    let near = needs(queries, count) { VisitLimit.nearReach(score: $0, $1) }
    let far = needs(queries, count) { VisitLimit.farReach(score: $0, $1, radius: radius) }
    var least = LeastReaches()
    // Shares of the neighbors with a list that is visited. The last search visits nearly every list.
    let shares = [(1 + goal) / 2, 1, .infinity]
    func reach(_ needs: [Float], _ share: Double) -> Float {
      if share > 1 { return Self.longestReach }
      return needs.isEmpty ? 0 : needs[min(needs.count - 1, Int(share * Double(needs.count)))]
    }
    func enough(_ needs: [Float], _ share: Double, _ rule: VisitRule) throws -> (Float, Traced)? {
      let reach = reach(needs, share)
      let traced = try traces(
        of: queries,
        .init(
          recall: target.recall, reaches: [.init(neighbors: count, reach: reach, range: .infinity)],
          farReach: reach, radius: radius, deviations: target.deviations), count, rule)
      guard let enough = leastReach(traced, count, goal, rule), enough <= reach else { return nil }
      return (max(enough, leastNeed(needs, goal) ?? enough), traced)
    }
    for share in shares where least.near == nil {
      guard let (enough, traced) = try enough(near, share, .near) else { continue }
      least.near = enough
      // What is estimated of others goes by their starts.
      if queries.rows.isEmpty { continue }
      var work = SearchWork()
      for trace in traced.traces { work.add(trace.work(within: enough, .near)) }
      least.effort = work.effort(queries: traced.traces.count)
    }
    // Of other numbers what is enough for these stands: near reaches and their ranges tell these apart.
    guard count == 1 || count == Self.usualCount else { return least }
    for share in shares where least.far == nil { least.far = try enough(far, share, .far)?.0 }
    return least
  }

  /// A reach that none is to be below, whatever was met: a search that begins with neighbors among rows that came after the
  /// index passes lists over from the first on.
  /// - Parameter needs: of the neighbors, in ascending order.
  private func leastNeed(_ needs: [Float], _ goal: Double) -> Float? {
    // Where not one may be missed, what was met is too little to go by.
    (1 - goal) * Double(needs.count) < 1 ? needs.last : needs[needs.count / 2]
  }

  /// What searches for some of the queries met, and what they were to find.
  private typealias Traced = (traces: [VisitTrace], truth: [[Neighbor]])

  private func traces(
    of queries: ListQueries, _ calibration: IndexRecord.Calibration, _ count: Int, _ rule: VisitRule
  ) throws -> Traced {
    let ownCount = queries.rows.isEmpty ? 0 : 1
    let search = IndexSearch(
      lists.index, lists.table, calibration, k: count + ownCount, wanted: nil, rule: rule, isTraced: true)
    let strides = queries.rows.isEmpty ? Self.unlikeStrides : Self.queryStrides
    let step = (strides[count] ?? 1) * (rule == .far ? Self.farStride : 1)
    let places = Array(stride(from: 0, to: queries.count, by: step))
    let dimension = lists.index.space.dimension
    let some = places.flatMap { queries.vectors[$0 * dimension..<($0 + 1) * dimension] }
    return (try search.traces(some, threads: threads), places.map { queries.truth[$0] })
  }

  /// The least reach with which a share of the neighbors is found; nil where they were not met.
  private func leastReach(_ traced: Traced, _ count: Int, _ share: Double, _ rule: VisitRule) -> Float? {
    var reaches: [Float] = []
    for (trace, truth) in zip(traced.traces, traced.truth) {
      reaches += trace.reaches(Set(truth.prefix(count).map(\.row)), rule)
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
}

extension SearchWork {
  /// The mean of some queries' searches of an index.
  fileprivate func effort(queries: Int) -> IndexRecord.Effort {
    func mean(_ sum: Int) -> Float { Float(max(1, sum)) / Float(max(1, queries)) }
    return .init(lists: mean(lists), codes: mean(codes), rows: mean(rows))
  }
}
