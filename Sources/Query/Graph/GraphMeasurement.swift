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

  private init(vectors: [Float], rotated: [Float], truth: [Set<Row>], range: Float) {
    self.vectors = vectors
    self.rotated = rotated
    self.truth = truth
    self.range = range
  }

  /// Some of these.
  /// - Parameter width: of a rotated query.
  func some(_ places: [Int], width: Int) -> MeasuredQueries {
    func rows(_ values: [Float], _ width: Int) -> [Float] {
      places.flatMap { values[$0 * width..<($0 + 1) * width] }
    }
    return MeasuredQueries(
      vectors: rows(vectors, vectors.count / max(1, truth.count)), rotated: rows(rotated, width),
      truth: places.map { truth[$0] }, range: range)
  }
}

/// Finds out how far a search of a graph must go for a recall.
struct GraphMeasurement {
  static let recalls = [0.9, 0.95, 0.99, 0.999]
  /// Numbers of neighbors for which it is counted what searches visit, where there are 20 times as many vertices.
  private static let neighborCounts = [MeasuredQueries.k, 100, 1000]
  private static let effortQueries = 32
  /// Of so many queries of a kind one is searched for far.
  private static let farStride = 4
  /// Visits that show how far a query is from all vectors, and the recall for which is counted what follows.
  private static let firstVisits = 12
  private static let recallOfStarts = 0.99
  /// Searches are made longer in steps, for those that go too far take much longer than others.
  private static let reaches: (least: Float, greatest: Float, step: Float, precision: Float) = (
    -0.3, 0.7, 0.1, 0.004
  )
  private static let widePrecision: Float = 0.02
  /// How much farther than others searches go for queries between at most: beyond, they visit a great part of the vertices.
  private static let wideSpan: Float = 0.4
  /// Over which distance a search comes to go as far as it does for those beyond, at least.
  private static let leastSpan: Float = 0.01
  /// How far searches go that tell how far neighbors are.
  private static let reachOfDistances: Float = 0.05

  let table: VertexTable
  let records: GraphRecords
  /// Vectors that are no vertices yet.
  let usual: MeasuredQueries
  /// Kinds of queries between those and random directions.
  let between: [MeasuredQueries]
  let unusual: MeasuredQueries
  /// 1 less the similarity of the last neighbor beyond which queries are unusual.
  let range: Float
  let threads: Int

  /// How far the neighbors of usual queries are.
  func distances() throws -> [GraphRecord.Distance] {
    try measuredCounts.map { count in
      let found = try searches(someUsual, k: count, GraphReach(near: Self.reachOfDistances))
      return .init(neighbors: count, distance: Self.nearlyAll(Self.lasts(found)))
    }
  }

  /// Numbers of neighbors of which there are enough.
  private var measuredCounts: [Int] {
    Self.neighborCounts.filter { $0 == MeasuredQueries.k || $0 * 20 <= table.mainCount }
  }

  private var someUsual: [Float] { Array(usual.rotated.prefix(Self.effortQueries * table.width)) }

  /// The value that one in twenty is above, of some in ascending order; 0 of none.
  private static func nearlyAll(_ values: [Float]) -> Float {
    values.isEmpty ? 0 : values[min(values.count - 1, values.count * 19 / 20)]
  }

  /// A calibration for each recall that a search for usual queries reaches without visiting a great part of the vertices.
  func calibrations(_ distances: [GraphRecord.Distance]) throws -> [GraphRecord.Calibration] {
    var found: [GraphRecord.Calibration] = []
    var (near, far): (Float?, Float?) = (Self.reaches.least, Self.reaches.least)
    // Searches that go far take long.
    let some = (between + [unusual]).map { queries in
      queries.some(
        Array(stride(from: 0, to: queries.truth.count, by: Self.farStride)), width: table.width)
    }
    for recall in Self.recalls {
      // A part of what is left to 1 is kept in hand: other queries are not these.
      let goal = recall + (1 - recall) / 5
      near = try leastReach(from: near ?? 0) { try self.recall(usual, GraphReach(near: $0)) >= goal }
      guard let near else { return found }
      let wide = try wideReach(near: near, goal: goal)
      far = try far.flatMap { far in
        try leastReach(from: max(far, near)) { far in
          // Queries of any kind may be given up.
          try some.allSatisfy {
            try self.recall($0, GraphReach(near: near, far: far, range: -.infinity)) >= goal
          }
        }
      }
      if let reach = far, try isMostlyLost(GraphReach(near: near, far: reach, range: -.infinity)) {
        far = nil
      }
      found.append(
        GraphRecord.Calibration(
          recall: recall, reach: near, wideReach: wide.reach, range: wide.range, startLimit: wide.startLimit,
          farReach: far, effort: try effort(near: near, wide.reach, far: far, distances)))
    }
    return found
  }

  /// Whether most searches for random directions visit too many vertices, so that others have to end them.
  private func isMostlyLost(_ reach: GraphReach) throws -> Bool {
    let found = try searches(unusual.rotated, k: MeasuredQueries.k, reach)
    return 2 * found.count { !$0.isUsual } > found.count
  }

  /// What searches with some reaches visit.
  private func effort(
    near: Float, _ wide: GraphRecord.WideReach?, far: Float?, _ distances: [GraphRecord.Distance]
  ) throws -> GraphEffort {
    func mean(_ searches: [Outcome]) -> Float {
      max(1, Float(searches.reduce(0) { $0 + $1.visits }) / Float(max(1, searches.count)))
    }
    let visits = try measuredCounts.map { count in
      let wide = wide?.farther(by: distances.beyondTen(neighbors: Double(count)))
      return GraphEffort.Visits(
        neighbors: count, visits: mean(try searches(someUsual, k: count, GraphReach(near: near, wide: wide))))
    }
    let directions = Array(unusual.rotated.prefix(Self.effortQueries * table.width))
    return GraphEffort(
      visits: visits,
      farVisits: try far.map {
        mean(
          try searches(directions, k: MeasuredQueries.k, GraphReach(near: near, far: $0, range: -.infinity)))
      })
  }

  /// What is done about queries between the usual ones and random directions.
  private struct Wide {
    var reach: GraphRecord.WideReach?
    var range: Float?
    var startLimit: Float?
  }

  /// Queries of a kind that can be told from the usual ones, and what searches for them met.
  private struct Kind {
    let queries: MeasuredQueries
    let searches: [Outcome]
    /// How far the last neighbors are, in ascending order.
    let lasts: [Float]

    init(queries: MeasuredQueries, searches: [Outcome]) {
      self.queries = queries
      self.searches = searches
      lasts = GraphMeasurement.lasts(searches)
    }

    var middle: Float { lasts[lasts.count / 2] }
  }

  /// How far searches for queries between the usual ones and random directions must go, so that those of each kind find
  /// enough, nil where `near` is enough for all. Where no reach is, the distances beyond which searches are given up: of the
  /// last neighbor, and of the first visits.
  private func wideReach(near: Float, goal: Double) throws -> Wide {
    func searches(_ queries: MeasuredQueries) throws -> [Outcome] {
      try self.searches(queries.rotated, k: MeasuredQueries.k, GraphReach(near: near, range: self.range))
    }
    guard usual.truth.count > 0, between.count > 0 else { return Wide() }
    let usualSearches = try searches(usual)
    // Those that are like the vectors go no farther for others' sake, nor do those that cannot be told from them.
    let nearLast = Self.nearlyAll(Self.lasts(usualSearches))
    let kinds = try (between + [unusual]).compactMap { queries -> Kind? in
      let searches = try searches(queries)
      let told = searches.indices.filter { nearLast < searches[$0].lastDistance && searches[$0].isFull }
      if told.count < max(1, searches.count / 8) { return nil }
      return Kind(queries: queries.some(told, width: table.width), searches: told.map { searches[$0] })
    }.sorted { $0.middle < $1.middle }
    guard let nearest = kinds.first?.lasts else { return Wide() }
    let all = kinds.map(\.queries)
    // Nearly all of the nearest of these need as much as those beyond.
    let wideLast = max(nearest[nearest.count / 20], nearLast + Self.leastSpan)
    func wide(_ reach: Float) -> GraphRecord.WideReach? {
      reach == near ? nil : .init(nearLast: nearLast, wideLast: wideLast, reach: reach)
    }
    func isEnough(_ reach: Float, for queries: MeasuredQueries) throws -> Bool {
      let reach = GraphReach(near: near, wide: wide(reach), range: range)
      return try recall(queries, reach, countsLost: false) >= goal
    }
    let longest = near + Self.wideSpan
    func least(for some: [MeasuredQueries]) throws -> Float? {
      try leastReach(from: near, to: longest, precision: Self.widePrecision) { reach in
        try some.allSatisfy { try isEnough(reach, for: $0) }
      }
    }
    if let reach = try least(for: all) { return Wide(reach: wide(reach)) }
    // Few searches may be left that end without being given up: those kinds are not served of which too little was found
    // for chance.
    let isServed = try all.map { queries in
      let (found, total) = try counts(
        queries, GraphReach(near: near, wide: wide(longest), range: range), countsLost: false)
      return Double(found) >= goal * Double(total) - 3 * (Double(total) * goal * (1 - goal)).squareRoot()
    }
    // Where the steps end without it, what was shown to be enough is.
    let reach = try least(for: zip(all, isServed).filter(\.1).map(\.0)) ?? longest
    guard let unserved = isServed.firstIndex(of: false) else { return Wide(reach: wide(reach)) }
    // Nearly all of those that do not find enough lie beyond the limits, and none of those like the vectors: their searches
    // are what a graph is for.
    let usualStarts = usualSearches.map(\.startDistance).sorted()
    let nearStart = Self.nearlyAll(usualStarts)
    let starts = kinds[unserved].searches.map(\.startDistance).filter { $0 > nearStart }.sorted()
    let limit = starts.isEmpty ? nearStart : starts[starts.count / 20]
    let lasts = kinds[unserved].lasts
    let lastLimit = max(usual.range, lasts[lasts.count / 20])
    return Wide(
      reach: wide(reach), range: lastLimit < range ? lastLimit : nil,
      startLimit: max(limit, usualStarts[usualStarts.count - 1]))
  }

  /// What the first visits tell, as one of the calibrations has it; nil where none is that.
  func starts(_ calibrations: [GraphRecord.Calibration]) throws -> GraphStarts? {
    guard let calibration = calibrations.reaching(Self.recallOfStarts) ?? calibrations.last else {
      return nil
    }
    let mixtures = QueryMixtures(of: usual.rotated, width: table.width, unusual.rotated)
    let reach = GraphReach(
      near: calibration.reach, wide: calibration.wideReach, range: min(range, calibration.range ?? .infinity))
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
    /// Whether enough neighbors were found.
    var isFull = false
    /// 1 less the similarity of the last of them.
    var lastDistance: Float = 0
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
              isFull: search.hit_count >= search.k,
              lastDistance: search.hit_count < search.k ? 0 : 1 - search.hits[search.k - 1].similarity,
              isUsual: search.state == KERNELS_GRAPH_FINISHED)
          })
      }
    }
    return found
  }

  /// How far the last neighbors of some searches are, of those that found enough, in ascending order.
  private static func lasts(_ searches: [Outcome]) -> [Float] {
    searches.filter(\.isFull).map(\.lastDistance).sorted()
  }

  /// The least reach, up to `precision`, with which enough is found; nil where none will do.
  private func leastReach(
    from start: Float, to greatest: Float = reaches.greatest, precision: Float = reaches.precision,
    isEnough: (Float) throws -> Bool
  ) throws -> Float? {
    var (short, enough) = (start, start)
    while try !isEnough(enough) {
      guard enough < greatest else { return nil }
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
    let (found, total) = try counts(queries, reach, countsLost: countsLost)
    return total == 0 ? 1 : Double(found) / Double(total)
  }

  /// How many of the neighbors are found, and how many there are.
  private func counts(
    _ queries: MeasuredQueries, _ reach: GraphReach, countsLost: Bool
  ) throws -> (found: Int, total: Int) {
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
    return (counted.reduce(0) { $0 + found[$1] }, counted.reduce(0) { $0 + truth[$1].count })
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
