import Kernels
import Storage

/// Queries whose nearest main vertices are known.
struct MeasuredQueries {
  static let k = 10

  /// [count, dimension], as they came.
  let vectors: [Float]
  /// [count, width], rotated, of unit length.
  let rotated: [Float]
  /// The rows that an exact search finds among the main vertices.
  let truth: [Set<Row>]
  /// The greatest 1 less the similarity of the last of these.
  let range: Float

  /// - Parameter queries: [count, dimension]
  init(
    _ queries: [Float], of table: VertexTable, in space: SpaceRecord, _ codeSpace: CodeSpace,
    _ snapshot: borrowing Snapshot, threads: Int
  ) throws {
    let (dimension, width) = (space.dimension, codeSpace.width)
    let count = queries.count / dimension
    let neighbors = try snapshot.nearest(
      to: queries, count: count, k: Self.k, in: space, among: RowSet(table.rows[..<table.mainCount]),
      threads: threads)
    truth = neighbors.map { Set($0.map(\.row)) }
    range = neighbors.compactMap { $0.last.map { 1 - $0.similarity } }.max() ?? 0
    var rotated = [Float](repeating: 0, count: count * width)
    queries.withUnsafeBytes { queries in
      rotated.withUnsafeMutableBufferPointer { rotated in
        guard let source = queries.baseAddress, let target = rotated.baseAddress else { return }
        for query in 0..<count {
          codeSpace.rotateUnit(of: source + 4 * query * dimension, .float32, into: target + query * width)
        }
      }
    }
    self.rotated = rotated
    vectors = queries
  }

  /// Queries of random directions, [count, dimension], which are unlike any vectors.
  static func directions(_ count: Int, dimension: Int) -> [Float] {
    let vector = (0..<dimension).map { Float($0 + 1).squareRoot() }
    return (1...count).flatMap { seed in
      let codeSpace = CodeSpace(dimension: dimension, seed: UInt64(seed))
      var turned = [Float](repeating: 0, count: codeSpace.width)
      codeSpace.rotate(vector, into: &turned)
      return turned.prefix(dimension)
    }
  }
}

/// Finds out how far a search of a graph must go for a recall.
struct GraphMeasurement {
  private static let recalls = [0.9, 0.95, 0.99, 0.999]
  /// Numbers of neighbors for which it is counted what searches visit, where there are 20 times as many vertices.
  private static let neighborCounts = [MeasuredQueries.k, 100, 1000]
  private static let effortQueries = 32
  /// Visits that show how far a query is from all vectors, and the recall for which is counted what follows.
  private static let firstVisits = 12
  private static let recallOfStarts = 0.99
  /// Searches are made longer in steps, for those that go too far take much longer than others.
  private static let reaches: (least: Float, greatest: Float, step: Float, precision: Float) = (
    -0.3, 0.7, 0.1, 0.004
  )
  private static let widePrecision: Float = 0.02

  let table: VertexTable
  let records: GraphRecords
  /// Vectors that are no vertices yet.
  let usual: MeasuredQueries
  /// Queries between those and random directions, by ascending angle.
  let between: [MeasuredQueries]
  let unusual: MeasuredQueries
  /// 1 less the similarity of the last neighbor beyond which queries are unusual.
  let range: Float
  let threads: Int

  /// A calibration for each recall that a search for usual queries reaches without visiting a great part of the vertices.
  func calibrations() throws -> [GraphRecord.Calibration] {
    var found: [GraphRecord.Calibration] = []
    var (near, far): (Float?, Float?) = (Self.reaches.least, Self.reaches.least)
    for recall in Self.recalls {
      // A part of what is left to 1 is kept in hand: other queries are not these.
      let goal = recall + (1 - recall) / 5
      near = try leastReach(from: near ?? 0) { try self.recall(usual, GraphReach(near: $0)) >= goal }
      guard let near else { return found }
      let (wide, startLimit) = try wideReach(near: near, goal: goal)
      // What is given up for being beyond the limit is searched for farther, too.
      let givenUp = startLimit == nil ? [unusual] : between + [unusual]
      far = try far.flatMap { far in
        try leastReach(from: max(far, near)) { far in
          try givenUp.allSatisfy {
            try self.recall($0, GraphReach(near: near, far: far, range: -.infinity)) >= goal
          }
        }
      }
      if let reach = far, try isMostlyLost(GraphReach(near: near, far: reach, range: -.infinity)) {
        far = nil
      }
      found.append(
        GraphRecord.Calibration(
          recall: recall, reach: near, wide: wide, startLimit: startLimit, farReach: far,
          effort: try effort(near: near, wide, far: far)))
    }
    return found
  }

  /// Whether most searches for random directions visit too many vertices, so that others have to end them.
  private func isMostlyLost(_ reach: GraphReach) throws -> Bool {
    let found = try searches(unusual.rotated, k: MeasuredQueries.k, reach)
    return 2 * found.count { !$0.isUsual } > found.count
  }

  /// What searches with some reaches visit.
  private func effort(near: Float, _ wide: GraphRecord.WideReach?, far: Float?) throws -> GraphEffort {
    func mean(_ searches: [Outcome]) -> Float {
      max(1, Float(searches.reduce(0) { $0 + $1.visits }) / Float(max(1, searches.count)))
    }
    let width = table.width
    let some = Array(usual.rotated.prefix(Self.effortQueries * width))
    let visits = try Self.neighborCounts.filter { $0 == MeasuredQueries.k || $0 * 20 <= table.mainCount }.map
    {
      GraphEffort.Visits(
        neighbors: $0, visits: mean(try searches(some, k: $0, GraphReach(near: near, wide: wide))))
    }
    let directions = Array(unusual.rotated.prefix(Self.effortQueries * width))
    return GraphEffort(
      visits: visits,
      farVisits: try far.map {
        mean(
          try searches(directions, k: MeasuredQueries.k, GraphReach(near: near, far: $0, range: -.infinity)))
      })
  }

  /// How far searches for queries between the usual ones and random directions must go, so that those of each angle find
  /// enough, nil where `near` is enough for all; and the distance of the first visits beyond which not enough is found by
  /// any reach, nil where it is.
  private func wideReach(
    near: Float, goal: Double
  ) throws -> (wide: GraphRecord.WideReach?, startLimit: Float?) {
    func starts(_ queries: MeasuredQueries) throws -> [Float] {
      try searches(queries.rotated, k: MeasuredQueries.k, GraphReach(near: near, range: range))
        .map(\.startDistance).sorted()
    }
    // In the middle between both more is needed than for those nearer to the vectors, and as much as beyond.
    guard usual.truth.count > 0, between.count > 0 else { return (nil, nil) }
    let (usualStarts, wideStarts) = (try starts(usual), try starts(between[between.count / 2]))
    // Those that are like the vectors go no farther for others' sake.
    let nearStart = usualStarts[min(usualStarts.count - 1, usualStarts.count * 19 / 20)]
    let wideStart = wideStarts[wideStarts.count / 2]
    guard nearStart < wideStart else { return (nil, nil) }
    func wide(_ reach: Float) -> GraphRecord.WideReach {
      .init(nearStart: nearStart, wideStart: wideStart, reach: reach)
    }
    func isEnough(_ reach: Float, for queries: MeasuredQueries) throws -> Bool {
      let reach = GraphReach(near: near, wide: wide(reach), range: range)
      return try recall(queries, reach, countsLost: false) >= goal
    }
    func least(for all: some Sequence<MeasuredQueries>) throws -> Float? {
      try leastReach(from: near, precision: Self.widePrecision) { reach in
        try all.allSatisfy { try isEnough(reach, for: $0) }
      }
    }
    let all = between + [unusual]
    if let reach = try least(for: all) { return (reach == near ? nil : wide(reach), nil) }
    let within = try all.prefix { try isEnough(max(near, Self.reaches.greatest), for: $0) }
    // Where the steps end without it, what was shown to be enough is.
    let reach = try least(for: within) ?? max(near, Self.reaches.greatest)
    let found = reach == near ? nil : wide(reach)
    if within.count == all.count { return (found, nil) }
    // Nearly all of those that do not find enough lie beyond the limit, and none of those like the vectors: their searches
    // are what a graph is for.
    let beyond = try starts(all[within.count]).filter { $0 > nearStart }
    let limit = beyond.isEmpty ? nearStart : beyond[beyond.count / 20]
    return (found, max(limit, usualStarts[usualStarts.count - 1]))
  }

  /// What the first visits tell, as one of the calibrations has it; nil where none is that.
  func starts(_ calibrations: [GraphRecord.Calibration]) throws -> GraphStarts? {
    guard let calibration = calibrations.reaching(Self.recallOfStarts) ?? calibrations.last else {
      return nil
    }
    let mixtures = QueryMixtures(of: usual.rotated, width: table.width, unusual.rotated)
    let reach = GraphReach(near: calibration.reach, wide: calibration.wide, range: range)
    let found = try searches(mixtures.vectors, k: MeasuredQueries.k, reach)
    let order = found.indices.sorted { (found[$0].startDistance, $0) < (found[$1].startDistance, $1) }
    return GraphStarts(
      firstVisits: Self.firstVisits, recall: calibration.recall,
      starts: QueryMixtures.parts(of: order).map { part in
        let searches = part.map { found[$0] }
        func mean(_ value: (Outcome) -> Float) -> Float {
          searches.reduce(0) { $0 + value($1) } / Float(max(1, searches.count))
        }
        return .init(
          distance: searches.map(\.startDistance).max() ?? 0, visits: mean { Float($0.visits) },
          unusual: mean { $0.isUsual ? 0 : 1 })
      })
  }

  /// What became of a search.
  private struct Outcome {
    var visits = 0
    /// 1 less the similarity of the nearest of the first vertices.
    var startDistance: Float = 0
    var isUsual = false
  }

  /// - Parameter rotated: queries, [count, width].
  private func searches(_ rotated: [Float], k: Int, _ reach: GraphReach) throws -> [Outcome] {
    let width = table.width
    var found = [Outcome](repeating: Outcome(), count: rotated.count / width)
    try found.withUnsafeMutableBufferPointer { found in
      try rotated.withUnsafeBufferPointer { rotated in
        guard let base = found.baseAddress, let rotated = rotated.baseAddress else { return }
        try records.searchEach(
          found.count, of: table, k: k, reach, firstVisits: Self.firstVisits, threads: threads,
          rotated: { $1.update(from: rotated + $0 * width, count: width) },
          body: { query, search in
            base[query] = Outcome(
              visits: search.visit_count, startDistance: 1 - search.start_best,
              isUsual: search.state == KERNELS_GRAPH_FINISHED)
          })
      }
    }
    return found
  }

  /// The least reach, up to `precision`, with which enough is found; nil where none will do.
  private func leastReach(
    from start: Float, precision: Float = reaches.precision, isEnough: (Float) throws -> Bool
  ) throws -> Float? {
    var (short, enough) = (start, start)
    while try !isEnough(enough) {
      guard enough < Self.reaches.greatest else { return nil }
      (short, enough) = (enough, enough + Self.reaches.step)
    }
    while enough - short > precision {
      let middle = (short + enough) / 2
      if try isEnough(middle) { enough = middle } else { short = middle }
    }
    return enough
  }

  /// - Parameter countsLost: whether searches that are given up count as if they had found all: others take their place.
  ///   Without it they do not count.
  private func recall(
    _ queries: MeasuredQueries, _ reach: GraphReach, countsLost: Bool = true
  ) throws -> Double {
    let (truth, width) = (queries.truth, table.width)
    let lost = -1
    var found = [Int](repeating: 0, count: truth.count)
    try found.withUnsafeMutableBufferPointer { found in
      try queries.rotated.withUnsafeBufferPointer { rotated in
        guard let found = found.baseAddress, let rotated = rotated.baseAddress else { return }
        try records.searchEach(
          truth.count, of: table, k: MeasuredQueries.k, reach, firstVisits: Self.firstVisits,
          threads: threads, rotated: { $1.update(from: rotated + $0 * width, count: width) },
          body: { query, search in
            if search.state == KERNELS_GRAPH_LOST {
              found[query] = countsLost ? truth[query].count : lost
              return
            }
            // An exact comparison will put those first.
            for hit in search.candidates where truth[query].contains(hit.row) { found[query] += 1 }
          })
      }
    }
    let counted = found.indices.filter { found[$0] != lost }
    let total = counted.reduce(0) { $0 + truth[$1].count }
    return total == 0 ? 1 : Double(counted.reduce(0) { $0 + found[$1] }) / Double(total)
  }
}

extension GraphRecords {
  /// Searches the main vertices for some queries. Different ones come to the closures at the same time.
  /// - Parameters:
  ///   - firstVisits: of which the nearest is told of.
  ///   - rotated: writes a query's rotated vector.
  func searchEach(
    _ count: Int, of table: VertexTable, k: Int, _ reach: GraphReach, firstVisits: Int = 0, threads: Int,
    rotated: (_ query: Int, UnsafeMutablePointer<Float>) -> Void,
    body: (_ query: Int, kernels_graph_search) -> Void
  ) throws {
    _ = try valuesOfLanes(max(1, min(threads, count)), of: count) { share in
      let searches = GraphSearches(
        width: table.width, vertexCount: table.mainCount, k: k, hitLimit: GraphSearches.hitLimit(k: k),
        limits: GraphLimits(
          visits: GraphSearches.visitLimit(vertexCount: table.mainCount), firstVisits: firstVisits),
        reach: reach, rowLimit: .max)
      var graph = graph(vertices: table.mainCount)
      try searches.run(
        &graph, share, rotated: rotated, missing: { _ in }, finished: { body($0, $1.pointee) })
    }
  }
}
