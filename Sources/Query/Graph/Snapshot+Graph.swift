import Storage

/// The share of a graph's rows that must match: where fewer do, too many vertices are visited in vain.
private let leastMatchingShare = 0.3
/// Where fewer of the vertices around a query match than this part of what match overall, the condition is against it.
private let leastSharePart: Float = 0.5
/// What may be visited in vain, as a share of what is done then.
private let vainShare = 0.2
/// A query is given up where its way is estimated to take so many times as long as another one. Of many, twice as long: those
/// that are given up are fewer, and fewer take longer each. A single query is given up as soon as another way takes less.
func givingUpShare(_ costs: SearchCosts) -> Double { costs.queries > 1 ? 2 : 1 }
/// Of so many queries one may be given up for its first visits and be searched for once more: one like the vectors may
/// begin far from all. It may visit so many times as many vertices as others, which costs less than another way for so few.
private let queriesPerRepeated = 16
private let secondVisits = 6.0
/// The share of what the recall lets be missed that repeated queries may be at most, if some of them may be of those which no
/// reach is enough for.
private let missableShare = 0.1
/// The share of the vertices that must match where queries that are given up are searched for farther through the graph.
private let leastFarShare = 0.9
/// Visits in vain that are always allowed: of fewer, chance decides how many match.
private let leastVain = 32

/// Whether a search goes through the graph.
enum GraphUse {
  struct Choice {
    let record: GraphRecord
    let calibration: GraphRecord.Calibration
    /// The rows of the graph that match.
    let inGraph: RowSet

    /// The share of the vertices that match.
    var share: Double { Double(inGraph.count) / Double(record.vertexCount) }
    private var effort: GraphEffort { record.effort(calibration) }

    /// Of those that match, k lie as so many do of all.
    func neighbors(k: Int) -> Double { Double(max(k, MeasuredQueries.k)) / max(share, 1e-6) }

    /// Vertices that a query like the vectors visits.
    func visits(k: Int) -> Double { effort.visits(neighbors: neighbors(k: k)) }

    /// Vertices that a query unlike all vectors visits; nil where that are too many.
    func farVisits(k: Int) -> Double? {
      guard calibration.farReach != nil, let visits = effort.farVisits else { return nil }
      return Double(visits) * self.visits(k: k) / effort.visits(neighbors: Double(MeasuredQueries.k))
    }

    /// How many times as many a search visits as one for ten neighbors among all, for which starts were measured.
    func scale(k: Int) -> Double {
      guard let recall = record.starts?.recall, let measured = record.calibrations.reaching(recall) else {
        return 1
      }
      return visits(k: k) / record.effort(measured).visits(neighbors: Double(MeasuredQueries.k))
    }
  }

  case graph(Choice)
  /// Not, because of what the text says; nil where there is no graph.
  case none(String?)

  var serves: Bool { if case .graph = self { true } else { false } }
  var reason: String? { if case .none(let reason) = self { reason } else { nil } }

  /// What the search is estimated to take for a query; nil where it does not serve.
  func estimate(_ task: SearchTask) -> Double? {
    if case .graph(let choice) = self { choice.estimate(task) } else { nil }
  }
}

extension GraphUse.Choice {
  /// For a query like the vectors.
  func estimate(_ task: SearchTask) -> Double {
    task.costs.graph(
      record, visits: visits(k: task.k), k: task.k,
      maskedRows: inGraph.count < record.vertexCount ? inGraph.count : nil)
      + task.costs.comparing(rows: task.matching.count - inGraph.count, k: task.k, isBesides: true)
  }

  /// For a query that is unlike all vectors; nil where that are too many visits.
  func farEstimate(_ task: SearchTask) -> Double? {
    // Those before it went far are not among those counted.
    farVisits(k: task.k).map { task.costs.visits($0 + visits(k: task.k), of: record) }
  }

  /// How far a search goes, and where it is given up because another way takes less time.
  func limits(
    _ task: SearchTask, _ lists: ListUse, _ estimates: SearchPlan.Estimates
  ) -> (reach: GraphReach, limits: GraphLimits) {
    let costs = task.costs
    let share = givingUpShare(costs)
    func cost(_ visits: Double) -> Double { costs.visits(visits, of: record) }
    let other = min(
      estimates.exact, lists.farEstimate(task) ?? .infinity, farEstimate(task) ?? .infinity)
    let most = GraphSearches.visitLimit(vertexCount: record.vertexCount)
    func affordable(_ cost: Double) -> Int { Int(min(Double(most), costs.visits(costing: cost, of: record))) }

    var limits = GraphLimits(
      visits: max(1, affordable(share * (cost(visits(k: task.k)) + other))))
    limits.vain = max(leastVain, affordable(vainShare * min(estimates.exact, estimates.index ?? .infinity)))
    if let starts = record.starts {
      let scale = scale(k: task.k)
      let tooFar = starts.starts.dropFirst().firstIndex {
        cost(Double($0.visits) * scale) + Double($0.unusual) * other > share * other
      }
      limits.firstVisits = starts.firstVisits
      // Beyond it no reach finds enough.
      let limit = calibration.startLimit ?? .infinity
      limits.startRange = min(tooFar.map { starts.starts[$0 - 1].distance } ?? .infinity, limit)
      limits.second = .init(visits: Int(secondVisits * visits(k: task.k)), startRange: limit)
    }
    return (reach(task, far: nil), limits)
  }

  /// - Parameter far: for searches that go far; these go as far for all queries, as it was measured.
  func reach(_ task: SearchTask, far: Float?) -> GraphReach {
    let beyond = record.distances.beyondTen(neighbors: neighbors(k: task.k))
    return GraphReach(
      near: calibration.reach, wide: far == nil ? calibration.wideReach?.farther(by: beyond) : nil, far: far,
      range: far == nil ? min(record.range, (calibration.range ?? .infinity) + beyond) : -.infinity,
      leastShare: leastSharePart * Float(share))
  }
}

extension Snapshot {
  /// Whether a search can go through the graph.
  borrowing func graphUse(_ task: SearchTask) throws -> GraphUse {
    guard let record = try graphRecord(of: task.space) else { return .none(nil) }
    guard let calibration = record.calibrations.reaching(task.recall) else {
      return .none(unmeasured(record.calibrations, "the graph"))
    }
    let inGraph = task.matching.intersection(try rowsInGraph(of: task.space))
    if Double(inGraph.count) < leastMatchingShare * Double(record.vertexCount) {
      return .none("the graph serves where at least \(leastMatchingShare) of its vectors match")
    }
    if task.k > inGraph.count / 20 {
      return .none(tooMany)
    }
    return .graph(.init(record: record, calibration: calibration, inGraph: inGraph))
  }

  /// The nearest cells of each query through the space's graph.
  ///
  /// Queries that are unlike all vectors, for which the graph does not lead to `k` rows, or that visit too many others, are
  /// searched for once more in the way that is estimated to take least time for so many: farther through the graph, through
  /// the index of lists, or by comparing every row.
  /// - Parameter task: its queries are none of them zero.
  borrowing func nearestByGraph(
    _ task: SearchTask, _ use: GraphUse.Choice, _ lists: ListUse, _ estimates: SearchPlan.Estimates
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let (reach, limits) = use.limits(task, lists, estimates)
    return try nearestByGraph(task, use, lists, reach, limits) { rest in
      // Among some of the vectors it may have been the condition that was against a query.
      use.share >= leastFarShare && use.farEstimate(rest) ?? .infinity < leastOfOthers(rest, lists)
    }
  }

  /// - Parameter goesFar: whether queries that are given up are searched for through the graph.
  private borrowing func nearestByGraph(
    _ task: SearchTask, _ use: GraphUse.Choice, _ lists: ListUse, _ reach: GraphReach, _ limits: GraphLimits,
    goesFar: (SearchTask) -> Bool
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let graph = try self.graph(use.record, of: task.space)
    var search = GraphSearch(
      graph: graph, reach: reach,
      // How far a search goes was measured for so many, and fewer are found with them.
      k: max(task.k, MeasuredQueries.k), limits: limits,
      // Where a row without a vertex has a number, a damaged record may lead to it.
      wanted: use.inGraph.count < Int(graph.rowLimit) ? RowMask(use.inGraph) : nil)
    var (visited, far, work) = try search.run(task.queries, threads: task.threads)
    if let second = limits.second, !far.isEmpty, far.count * queriesPerRepeated <= task.count {
      let missable = missableShare * (1 - task.recall) * Double(task.count)
      search.limits = limits.again(second, anyStart: Double(far.count) <= missable)
      let (found, _, more) = try search.run(task.of(far).queries, threads: task.threads)
      for (query, neighbors) in zip(far, found) { visited[query] = neighbors }
      work.add(more)
    }
    let (found, scan) = try addMissing(
      to: visited.map { $0.map { $0.count > task.k ? Array($0.prefix(task.k)) : $0 } }, task,
      indexed: use.inGraph)
    let lost = found.indices.filter { found[$0] == nil }
    var neighbors = found.map { $0 ?? [] }
    var plan = SearchPlan(
      way: .graph(use.calibration), matching: task.matching.count, indexed: use.inGraph.count, work: work,
      scan: scan)
    if !lost.isEmpty {
      let rest = task.of(lost)
      let (others, other): ([[Neighbor]], SearchPlan)
      if case .unread = lists {
        // Given up by what lists take at least. By what they do take, some may go on.
        let lists = try listUse(rest)
        (others, other) = try nearestByGraph(
          rest, use, lists,
          .init(
            exact: rest.costs.scan(rows: rest.matching.count, k: rest.k), index: lists.estimate(rest),
            graph: use.estimate(rest)))
        plan.work.add(other.work)
        plan.scan.add(other.scan)
        plan.fallbacks = other.fallbacks
      } else {
        (others, other) = try nearestOfGivenUp(rest, use, lists, goesFar: goesFar(rest))
        plan.fallbacks =
          [.init(queries: lost.count, way: other.way, work: other.work, scan: other.scan)] + other.fallbacks
      }
      for (query, others) in zip(lost, others) { neighbors[query] = others }
    }
    return (neighbors, plan)
  }

  private borrowing func nearestOfGivenUp(
    _ task: SearchTask, _ use: GraphUse.Choice, _ lists: ListUse, goesFar: Bool
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    if goesFar {
      let most = GraphSearches.visitLimit(vertexCount: use.record.vertexCount)
      let reach = use.reach(task, far: use.calibration.farReach)
      return try nearestByGraph(task, use, lists, reach, GraphLimits(visits: most)) { _ in false }
    }
    return lists.choice?.farEstimate(task) ?? .infinity
      < task.costs.scan(rows: task.matching.count, k: task.k)
      ? try nearestByLists(task, lists) : try nearestByScan(task, because: "given up")
  }
}

/// What a query that is given up is estimated to take without the graph.
private func leastOfOthers(_ task: SearchTask, _ lists: ListUse) -> Double {
  min(
    task.costs.scan(rows: task.matching.count, k: task.k), lists.choice?.farEstimate(task) ?? .infinity)
}
