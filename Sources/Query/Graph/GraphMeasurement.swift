import Kernels
import Storage

/// Queries whose nearest main vertices are known.
struct MeasuredQueries {
  static let k = 10

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
  /// Searches are made longer in steps, for those that go too far take much longer than others.
  private static let reaches: (least: Float, greatest: Float, step: Float, precision: Float) = (
    -0.3, 0.7, 0.1, 0.004
  )

  let table: VertexTable
  let records: GraphRecords
  /// Vectors that are no vertices yet.
  let usual: MeasuredQueries
  let unusual: MeasuredQueries
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
      far = try far.flatMap { far in
        try leastReach(from: max(far, near)) {
          try self.recall(unusual, GraphReach(near: near, far: $0, range: -.infinity)) >= goal
        }
      }
      found.append(GraphRecord.Calibration(recall: recall, reach: near, farReach: far))
    }
    return found
  }

  /// The least reach, nearly, with which enough is found; nil where none will do.
  private func leastReach(from start: Float, isEnough: (Float) throws -> Bool) throws -> Float? {
    var (short, enough) = (start, start)
    while try !isEnough(enough) {
      guard enough < Self.reaches.greatest else { return nil }
      (short, enough) = (enough, enough + Self.reaches.step)
    }
    while enough - short > Self.reaches.precision {
      let middle = (short + enough) / 2
      if try isEnough(middle) { enough = middle } else { short = middle }
    }
    return enough
  }

  private func recall(_ queries: MeasuredQueries, _ reach: GraphReach) throws -> Double {
    let (truth, width) = (queries.truth, table.width)
    var found = [Int](repeating: 0, count: truth.count)
    try found.withUnsafeMutableBufferPointer { found in
      try queries.rotated.withUnsafeBufferPointer { rotated in
        guard let found = found.baseAddress, let rotated = rotated.baseAddress else { return }
        try records.searchEach(
          truth.count, of: table, k: MeasuredQueries.k, reach, threads: threads,
          rotated: { $1.update(from: rotated + $0 * width, count: width) },
          body: { query, search in
            // Those that are lost are compared with all vectors.
            if search.state == KERNELS_GRAPH_LOST {
              found[query] = truth[query].count
              return
            }
            // An exact comparison will put those first.
            for hit in search.candidates where truth[query].contains(hit.row) { found[query] += 1 }
          })
      }
    }
    let total = truth.reduce(0) { $0 + $1.count }
    return total == 0 ? 1 : Double(found.reduce(0, +)) / Double(total)
  }
}

extension GraphRecords {
  /// Searches the main vertices for some queries. Different ones come to the closures at the same time.
  /// - Parameter rotated: writes a query's rotated vector.
  func searchEach(
    _ count: Int, of table: VertexTable, k: Int, _ reach: GraphReach, threads: Int,
    rotated: (_ query: Int, UnsafeMutablePointer<Float>) -> Void,
    body: (_ query: Int, kernels_graph_search) -> Void
  ) throws {
    let lanes = max(1, min(threads, count))
    var outcomes = [Result<Void, any Error>](repeating: .success(()), count: lanes)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      inLanes(lanes, of: count) { lane, share in
        let searches = GraphSearches(
          width: table.width, vertexCount: table.mainCount, k: k, hitLimit: GraphSearches.hitLimit(k: k),
          visitLimit: GraphSearches.visitLimit(vertexCount: table.mainCount), reach: reach, rowLimit: .max)
        var graph = graph(vertices: table.mainCount)
        outcomes[lane] = Result {
          try searches.run(
            &graph, share, rotated: rotated, missing: { _ in }, finished: { body($0, $1.pointee) })
        }
      }
    }
    for outcome in outcomes { try outcome.get() }
  }
}
