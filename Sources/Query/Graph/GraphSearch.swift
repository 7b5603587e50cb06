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
  let limits: GraphLimits
  /// The rows to search; nil where every row that was ever given out is one.
  let wanted: RowMask?

  /// The nearest rows of each query, nearest first; nil where the graph does not lead to `k` of them.
  /// - Parameter queries: [count, dimension], none of them zero throughout.
  /// - Throws: `badData` when the graph leads to what is not there, or twice to the same row.
  func run(
    _ queries: [Float], threads: Int
  ) throws -> (neighbors: [[Neighbor]?], work: SearchWork) {
    let count = queries.count / graph.space.dimension
    let lanes = max(1, min(threads, count))
    var outcomes: [Result<GraphLane, any Error>?] = Array(repeating: nil, count: lanes)
    queries.withUnsafeBufferPointer { queries in
      outcomes.withUnsafeMutableBufferPointer { outcomes in
        guard let base = queries.baseAddress else { return }
        inLanes(lanes, of: count) { lane, share in
          outcomes[lane] = Result {
            let lane = try GraphLane(self, queries: base, share)
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

  private let isa = kernels_active_isa()
  private let parent: GraphSearch
  private let share: Range<Int>
  /// [count, dimension]
  private let queries: UnsafePointer<Float>
  private let vectors: VectorBlocks
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  /// A query whose vectors are coming.
  private var pending: Int?
  /// The rows to compare it with, their vectors, and room for the similarities.
  private let rows: UnsafeMutablePointer<Row>
  private let rowVectors: UnsafeMutablePointer<UnsafeRawPointer?>
  private let similarities: UnsafeMutablePointer<Float>
  /// [dimension]. Queries are scaled whenever they are needed: memory for all would take longer to get.
  private let unit: UnsafeMutablePointer<Float>
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
    unit = .allocate(capacity: graph.space.dimension)
  }

  deinit {
    blocks.deallocate()
    rows.deallocate()
    rowVectors.deallocate()
    similarities.deallocate()
    unit.deallocate()
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
        scale($0)
        stored.codeSpace.rotate(unit, into: $1)
      },
      missing: { blocks[$0] = try stored.vertices(ofBlock: $0) },
      finished: { try take($0, &$1.pointee) })
    try comparePending()
  }

  /// Asks for the vectors of what a search has found, and compares those of the one before.
  private func take(_ query: Int, _ search: inout kernels_graph_search) throws {
    try comparePending()
    work.vertices += search.visit_count
    guard search.state == KERNELS_GRAPH_FINISHED, search.hit_count >= parent.k else { return }
    rowCount = 0
    for hit in search.candidates { try ask(hit.row) }
    pending = query
  }

  private func scale(_ query: Int) {
    let dimension = parent.graph.space.dimension
    _ = kernels_scale_to_unit(dimension, queries + query * dimension, unit)
  }

  private func ask(_ row: Row) throws {
    let vector = try vectors.vector(of: row)
    kernels_prefetch(vector, vectors.byteCount)
    rows[rowCount] = row
    rowVectors[rowCount] = vector
    rowCount += 1
  }

  private func comparePending() throws {
    guard let query = pending else { return }
    pending = nil
    let space = parent.graph.space
    scale(query)
    kernels_cosine_of_rows(
      isa, space.scalar.kernel, unit, rowVectors, rowCount, space.dimension, similarities)
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
