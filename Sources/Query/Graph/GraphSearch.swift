import Dispatch
import Glibc
import Kernels
import Storage

/// A search through a graph. The rows that it visits are compared again as an exact search compares them.
///
/// What it finds are cells with their exact similarities. Which are found depends on nothing but the graph, the query and
/// the limits: not on threads, and not on what else is searched for.
struct GraphSearch {
  let graph: StoredGraph
  let reach: GraphReach
  let k: Int
  var limits: GraphLimits
  /// The rows to search; nil where every row that was ever given out is one.
  let wanted: RowMask?

  /// The nearest rows of each query, nearest first; nil where the graph does not lead to `k` of them.
  /// - Parameter queries: [count, dimension], none of them zero throughout.
  /// - Returns: also which queries were given up for their first visits, ascending.
  /// - Throws: `badData` when the graph leads to what is not there, or twice to the same row.
  func run(
    _ queries: [Float], threads: Int
  ) throws -> (neighbors: [[Neighbor]?], givenUpAtStart: [Int], work: SearchWork) {
    let count = queries.count / graph.space.dimension
    let lanes = max(1, min(threads, count))
    let searched = try queries.withUnsafeBufferPointer { queries -> [GraphLane] in
      guard let base = queries.baseAddress else { return [] }
      return try valuesOfLanes(lanes, of: count) { share in
        let lane = try GraphLane(self, queries: base, share)
        try lane.run()
        return lane
      }
    }
    var neighbors: [[Neighbor]?] = []
    var givenUpAtStart: [Int] = []
    var work = SearchWork()
    for lane in searched {
      neighbors += lane.neighbors
      givenUpAtStart += lane.givenUpAtStart.sorted()
      work.add(lane.work)
    }
    return (neighbors, givenUpAtStart, work)
  }
}

/// One thread's share of a search through a graph.
private final class GraphLane {
  private(set) var work = SearchWork()
  private(set) var neighbors: [[Neighbor]?]
  private(set) var givenUpAtStart: [Int] = []

  private let isa = kernels_active_isa()
  private let parent: GraphSearch
  private let share: Range<Int>
  /// [count, dimension]
  private let queries: UnsafePointer<Float>
  private let vectors: VectorBlocks
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  /// The place of a query whose vectors are coming, among those that are under way.
  private var pending: Int?
  /// The rows to compare it with, their vectors, and room for the similarities.
  private let rows: UnsafeMutablePointer<Row>
  private let rowVectors: UnsafeMutablePointer<UnsafeRawPointer?>
  private let similarities: UnsafeMutablePointer<Float>
  /// Queries that are under way, scaled: memory for all would take longer to get.
  private var units: [(query: Int?, vector: UnsafeMutablePointer<Float>)]
  private var rowCount = 0

  init(_ parent: GraphSearch, queries: UnsafePointer<Float>, _ share: Range<Int>) throws {
    self.parent = parent
    self.queries = queries
    self.share = share
    neighbors = Array(repeating: nil, count: share.count)
    let graph = parent.graph
    vectors = try VectorBlocks(
      of: graph.space, rowLimit: graph.rowLimit, block: { try graph.vectors(ofBlock: $0) },
      astray: { graph.leadsAstray($0) })
    blocks = .allocate(capacity: parent.graph.blockCount)
    blocks.initialize(repeating: nil, count: parent.graph.blockCount)
    let rowLimit = GraphSearches.hitLimit(k: parent.k)
    rows = .allocate(capacity: rowLimit)
    rowVectors = .allocate(capacity: rowLimit)
    similarities = .allocate(capacity: rowLimit)
    // One may be pending.
    units = (0...GraphSearches.slots).map { _ in (nil, .allocate(capacity: graph.space.dimension)) }
  }

  deinit {
    blocks.deallocate()
    rows.deallocate()
    rowVectors.deallocate()
    similarities.deallocate()
    for unit in units { unit.vector.deallocate() }
  }

  func run() throws {
    let stored = parent.graph
    let vertexCount = stored.record.vertexCount
    let searches = GraphSearches(
      width: stored.width, vertexCount: vertexCount, k: parent.k,
      hitLimit: GraphSearches.hitLimit(k: parent.k), limits: parent.limits, reach: parent.reach,
      rowLimit: stored.rowLimit, wanted: parent.wanted)
    var graph = kernels_graph(
      width: stored.width, vertices: UInt32(vertexCount),
      per_block: UInt32(stored.vertexLayout.itemsPerBlock),
      blocks: UnsafePointer(blocks), entries: stored.entries.baseAddress?.assumingMemoryBound(to: UInt8.self),
      entry_centre: stored.entryCentre.baseAddress, entry_count: stored.record.entryCount)
    try searches.run(
      &graph, share,
      rotated: {
        stored.codeSpace.rotate(scaled($0), into: $1)
      },
      missing: { blocks[$0] = try stored.vertices(ofBlock: $0) },
      finished: {
        try comparePending(searches.ahead)
        searches.ahead = try take($0, &$1.pointee)
      })
    try comparePending(searches.ahead)
  }

  /// Takes what a search has found, which is to be compared with its query.
  /// - Returns: the vectors of that.
  private func take(_ query: Int, _ search: inout kernels_graph_search) throws -> kernels_graph_ahead {
    work.vertices += search.visit_count
    guard search.state == KERNELS_GRAPH_FINISHED, search.hit_count >= parent.k else {
      if search.isGivenUpAtStart { givenUpAtStart.append(query) }
      forget(query)
      return .init()
    }
    rowCount = 0
    for hit in search.candidates {
      rows[rowCount] = hit.row
      rowVectors[rowCount] = try vectors.vector(of: hit.row)
      rowCount += 1
    }
    pending = units.firstIndex { $0.query == query }
    var ahead = kernels_graph_ahead(
      pieces: UnsafePointer(rowVectors), count: rowCount, bytes: vectors.byteCount, asked: 0)
    kernels_ask_for_ends(&ahead)
    return ahead
  }

  /// The vector of unit length of a query that begins. [dimension]
  private func scaled(_ query: Int) -> UnsafePointer<Float> {
    let dimension = parent.graph.space.dimension
    guard let place = units.firstIndex(where: { $0.query == nil }) else {
      preconditionFailure("more searches than there may be")
    }
    units[place].query = query
    _ = kernels_scale_to_unit(dimension, queries + query * dimension, units[place].vector)
    return UnsafePointer(units[place].vector)
  }

  private func forget(_ query: Int) {
    if let place = units.firstIndex(where: { $0.query == query }) { units[place].query = nil }
  }

  /// - Parameter ahead: how many of the vectors have been asked for.
  private func comparePending(_ ahead: kernels_graph_ahead) throws {
    guard let place = pending, let query = units[place].query else { return }
    pending = nil
    units[place].query = nil
    for row in ahead.asked..<ahead.count { kernels_prefetch(rowVectors[row], vectors.byteCount) }
    let space = parent.graph.space
    kernels_cosine_of_rows(
      isa, space.scalar.kernel, units[place].vector, rowVectors, rowCount, space.dimension, similarities)
    // Of a damaged vector they are no numbers, which have no order; an exact search leaves such out, too.
    var nearest = (0..<rowCount).filter { similarities[$0] >= -1 }
      .map { Neighbor(row: rows[$0], similarity: similarities[$0]) }
    let areAll = nearest.count == rowCount
    work.rows += rowCount
    nearest.sort { $0.precedes($1) }
    guard areAll || nearest.count >= parent.k else { return }
    if nearest.count > parent.k { nearest.removeLast(nearest.count - parent.k) }
    if let row = nearest.repeatedRow {
      throw parent.graph.leadsAstray("it has two vertices of cell \(row)")
    }
    neighbors[query - share.lowerBound] = nearest
  }
}
