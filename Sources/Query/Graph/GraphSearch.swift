import Dispatch
import Glibc
import Kernels
import Storage

/// A search through a graph. The rows that it visits are compared again as an exact search compares them.
///
/// What it finds are cells with their exact similarities. Which are found depends on nothing but the graph, the query and
/// the calibration: not on threads, and not on what else is searched for.
struct GraphSearch {
  let graph: StoredGraph
  let reach: GraphReach
  let k: Int
  /// Visits of vertices that may not be found after which a search is given up.
  let vainLimit: Int
  /// The rows to search; nil where every row that was ever given out is one.
  let wanted: RowMask?
  /// Codes of rows that are not in the graph and are to be searched, too.
  let fresh: FreshCodes?

  /// The nearest rows of each query, nearest first; nil where the graph does not lead to `k` of them.
  /// - Parameters:
  ///   - queries: [count, dimension], of unit length.
  ///   - known: neighbors of each query that were found elsewhere, or nothing.
  /// - Throws: `badData` when the graph leads to what is not there, or twice to the same row.
  func run(
    _ queries: [Float], known: [[Neighbor]], threads: Int
  ) throws -> (neighbors: [[Neighbor]?], work: SearchWork) {
    let count = queries.count / graph.space.dimension
    let lanes = max(1, min(threads, count))
    var outcomes: [Result<GraphLane, any Error>?] = Array(repeating: nil, count: lanes)
    queries.withUnsafeBufferPointer { queries in
      outcomes.withUnsafeMutableBufferPointer { outcomes in
        guard let base = queries.baseAddress else { return }
        inLanes(lanes, of: count) { lane, share in
          outcomes[lane] = Result {
            let lane = try GraphLane(self, queries: base, share, known)
            try lane.run()
            return lane
          }
        }
      }
    }
    var neighbors: [[Neighbor]?] = []
    var work = SearchWork()
    for outcome in outcomes {
      guard let lane = try outcome?.get() else { continue }
      neighbors += lane.neighbors
      work.add(lane.work)
    }
    return (neighbors, work)
  }
}

/// One thread's share of a search through a graph.
private final class GraphLane {
  private(set) var work = SearchWork()
  private(set) var neighbors: [[Neighbor]?]

  private let parent: GraphSearch
  private let share: Range<Int>
  private let known: [[Neighbor]]
  /// [count, dimension]
  private let queries: UnsafePointer<Float>
  private let vectors: VectorBlocks
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  private let found: UnsafeMutablePointer<kernels_code_hit>
  /// A query whose vectors are coming, and the rows to compare it with.
  private var pending: Int?
  private var rows: [Row] = []

  init(_ parent: GraphSearch, queries: UnsafePointer<Float>, _ share: Range<Int>, _ known: [[Neighbor]])
    throws
  {
    self.parent = parent
    self.queries = queries
    self.share = share
    self.known = known
    neighbors = Array(repeating: nil, count: share.count)
    let graph = parent.graph
    vectors = try VectorBlocks(
      of: graph.space, rowLimit: graph.rowLimit, block: { try graph.vectors(ofBlock: $0) },
      astray: { graph.leadsAstray($0) })
    blocks = .allocate(capacity: parent.graph.blockCount)
    blocks.initialize(repeating: nil, count: parent.graph.blockCount)
    found = .allocate(capacity: parent.fresh?.count ?? 0)
  }

  deinit {
    blocks.deallocate()
    found.deallocate()
  }

  func run() throws {
    let stored = parent.graph
    let (vertexCount, dimension) = (stored.record.vertexCount, stored.space.dimension)
    let searches = GraphSearches(
      width: stored.width, vertexCount: vertexCount, k: parent.k,
      hitLimit: GraphSearches.hitLimit(k: parent.k),
      visitLimit: GraphSearches.visitLimit(vertexCount: vertexCount), vainLimit: parent.vainLimit,
      reach: parent.reach, rowLimit: stored.rowLimit, wanted: parent.wanted)
    var graph = kernels_graph(
      width: stored.width, vertices: UInt32(vertexCount),
      per_block: UInt32(stored.vertexLayout.itemsPerBlock),
      blocks: UnsafePointer(blocks), entries: stored.entries.baseAddress?.assumingMemoryBound(to: UInt8.self),
      entry_centre: stored.entryCentre.baseAddress, entry_count: stored.record.entryCount)
    try searches.run(
      &graph, share,
      rotated: { stored.codeSpace.rotate(queries + $0 * dimension, into: $1) },
      missing: { blocks[$0] = try stored.vertices(ofBlock: $0) },
      finished: { try take($0, &$1.pointee) })
    try comparePending()
  }

  /// Asks for the vectors of what a search has found, and compares those of the one before.
  private func take(_ query: Int, _ search: inout kernels_graph_search) throws {
    try comparePending()
    work.vertices += search.visit_count
    let freshCount = parent.fresh?.count ?? 0
    let matching = search.hit_count + freshCount + (known.isEmpty ? 0 : known[query].count)
    guard search.state == KERNELS_GRAPH_FINISHED, matching >= parent.k else { return }
    rows.removeAll(keepingCapacity: true)
    for hit in search.candidates { rows.append(hit.row) }
    if let fresh = parent.fresh {
      work.codes += fresh.count
      for hit in fresh.scan(&search, into: found) { rows.append(hit.row) }
    }
    for row in rows { kernels_prefetch(try vectors.vector(of: row), vectors.byteCount) }
    pending = query
  }

  private func comparePending() throws {
    guard let query = pending else { return }
    pending = nil
    let dimension = parent.graph.space.dimension
    var nearest = NearestNeighbors(capacity: parent.k, least: -1)
    if !known.isEmpty { for neighbor in known[query] { nearest.offer(neighbor) } }
    let scalar = parent.graph.space.scalar.kernel
    for row in rows {
      var similarity: Float = 0
      kernels_cosine(
        scalar, queries + query * dimension, 1, try vectors.vector(of: row), nil, 1, dimension, &similarity)
      nearest.offer(Neighbor(row: row, similarity: similarity))
    }
    work.rows += rows.count
    let sorted = nearest.sorted()
    if let row = sorted.repeatedRow {
      throw parent.graph.leadsAstray("it has two vertices of cell \(row)")
    }
    neighbors[query - share.lowerBound] = sorted
  }
}
