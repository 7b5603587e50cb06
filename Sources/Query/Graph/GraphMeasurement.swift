import Kernels
import Storage

/// Finds out how far a search of a graph must go for a recall, by vectors that are no vertices yet.
struct GraphMeasurement {
  static let k = 10
  private static let recalls = [0.9, 0.95, 0.99, 0.999]
  /// Searches are made longer in steps, for those that go too far take much longer than others.
  private static let reaches: (least: Float, greatest: Float, step: Float) = (-0.3, 0.7, 0.1)

  let table: VertexTable
  let records: GraphRecords
  /// The rows that an exact search finds among the main vertices, of each vertex that is held out.
  let truth: [Set<Row>]
  let threads: Int

  /// A calibration for each recall that a search reaches without visiting a great part of the vertices.
  func calibrations() throws -> [GraphRecord.Calibration] {
    var found: [GraphRecord.Calibration] = []
    var (low, high) = (Self.reaches.least, Self.reaches.least)
    var reached = try recall(high)
    for recall in Self.recalls {
      // A part of what is left to 1 is kept in hand: other queries are not these.
      let goal = recall + (1 - recall) / 4
      while reached < goal {
        guard high < Self.reaches.greatest else { return found }
        (low, high) = (high, high + Self.reaches.step)
        reached = try self.recall(high)
      }
      var (short, enough) = (low, high)
      while enough - short > 0.01 {
        let middle = (short + enough) / 2
        if try self.recall(middle) >= goal { enough = middle } else { short = middle }
      }
      found.append(GraphRecord.Calibration(recall: recall, reach: enough))
    }
    return found
  }

  private func recall(_ reach: Float) throws -> Double {
    var found = [Int](repeating: 0, count: truth.count)
    try found.withUnsafeMutableBufferPointer { found in
      guard let found = found.baseAddress else { return }
      try records.searchEach(
        table.mainCount..<table.count, of: table, k: Self.k, reach: reach, threads: threads
      ) { vertex, search in
        let place = vertex - table.mainCount
        // An exact comparison will put those first.
        for hit in 0..<search.hit_count where truth[place].contains(search.hits[hit].row) {
          found[place] += 1
        }
      }
    }
    let total = truth.reduce(0) { $0 + $1.count }
    return total == 0 ? 1 : Double(found.reduce(0, +)) / Double(total)
  }
}

extension GraphRecords {
  /// Searches the main vertices for each of some vertices, which may be held out. Different ones come to `body` at the
  /// same time.
  func searchEach(
    _ vertices: Range<Int>, of table: VertexTable, k: Int, reach: Float, threads: Int,
    _ body: (_ vertex: Int, kernels_graph_search) -> Void
  ) throws {
    let lanes = max(1, min(threads, vertices.count))
    var outcomes = [Result<Void, any Error>](repeating: .success(()), count: lanes)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      inLanes(lanes, of: vertices.count) { lane, share in
        let searches = GraphSearches(
          width: table.width, vertexCount: table.mainCount, k: k, hitLimit: GraphSearches.hitLimit(k: k),
          visitLimit: GraphSearches.visitLimit(vertexCount: table.mainCount),
          reach: reach, range: .infinity, rowLimit: .max)
        var graph = graph(vertices: table.mainCount)
        outcomes[lane] = Result {
          try searches.run(
            &graph, vertices.lowerBound + share.lowerBound..<vertices.lowerBound + share.upperBound,
            rotated: { table.widen($0, into: $1) }, missing: { _ in }, finished: { body($0, $1.pointee) })
        }
      }
    }
    for outcome in outcomes { try outcome.get() }
  }
}
