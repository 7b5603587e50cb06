import Dispatch
import Faults
import Kernels
package import Storage
import Synchronization

extension VectorSource where Self: ~Copyable {
  /// The nearest cells of each query by cosine similarity, nearest first, found by comparing with every
  /// vector of `rows`.
  ///
  /// All of `rows` that have a vector in the space take part, so a query has `k` neighbors whenever there are
  /// as many such rows. Equal similarities are ordered by row. The result is the same, bit for bit, for any
  /// number of threads, any batch of queries and any division of the rows into blocks.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameters:
  ///   - k: neighbors of each query at most; `Int.max` for all.
  ///   - rows: the rows to search; nil for all.
  ///   - least: the similarity that a neighbor must have at least.
  /// - Complexity: O(count * rows * dimension / threads) time, one pass over memory for up to 64 queries;
  ///   O(count * k * threads) memory, whatever the number of rows.
  /// - Throws: `usage` when the queries' dimension is not the space's; `badData` when a query holds NaN or
  ///   infinity.
  package borrowing func nearest(
    to queries: UnsafeBufferPointer<Float>, count: Int, k: Int, in space: SpaceRecord,
    among rows: RowSet? = nil, atLeast least: Float = -1, threads: Int = 1
  ) throws -> [[Neighbor]] {
    precondition(count >= 0 && k > 0 && threads > 0)
    let unitQueries = try unitVectors(queries, count: count, space: space)
    let present = try self.rows(in: space)
    let wanted = rows?.intersection(present) ?? present
    guard count > 0, !wanted.isEmpty else { return Array(repeating: [], count: count) }

    var scan = ExactScan(queries: unitQueries, space: space, k: k, least: least, threads: threads)
    try forEachBlock(of: space, containing: wanted) { scan.add($0) }
    return scan.finish()
  }

  /// The same for queries in an array.
  package borrowing func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet? = nil,
    atLeast least: Float = -1, threads: Int = 1
  ) throws -> [[Neighbor]] {
    try queries.withUnsafeBufferPointer {
      try nearest(
        to: $0, count: count, k: k, in: space, among: rows, atLeast: least, threads: threads)
    }
  }
}

/// The queries scaled to unit length; zero vectors stay zero. The scaling is done in double precision, so
/// that no finite query overflows.
func unitVectors(
  _ queries: UnsafeBufferPointer<Float>, count: Int, space: SpaceRecord
) throws -> [Float] {
  let dimension = space.dimension
  guard queries.count == count * dimension else {
    let found =
      count > 0 && queries.count % count == 0 ? "\(queries.count / count)" : "\(queries.count) in all"
    throw Fault(
      .usage, "query", expected: "vectors of \(dimension) numbers (space \"\(space.name)\")", found: found,
      remedy: "search with vectors that the same space's backbone made")
  }
  var units = [Float](repeating: 0, count: queries.count)
  for start in stride(from: 0, to: queries.count, by: dimension) {
    var norm2 = 0.0
    for i in start..<start + dimension { norm2 += Double(queries[i]) * Double(queries[i]) }
    guard norm2.isFinite else {
      throw Fault(.badData, "query \(start / dimension)", "holds NaN or infinity")
    }
    guard norm2 > 0 else { continue }
    let norm = norm2.squareRoot()
    for i in start..<start + dimension { units[i] = Float(Double(queries[i]) / norm) }
  }
  return units
}

/// An exact search under way: gathers blocks into windows large enough to share out between threads, and
/// keeps the nearest neighbors of each lane of work.
private struct ExactScan {
  /// Vectors of one window and lane: long enough (half a millisecond and more) to make starting the threads negligible.
  private static let windowBytesPerLane = 16 << 20
  /// Blocks of one window and lane; sparse blocks count few bytes.
  private static let windowBlocksPerLane = 256

  private let threads: Int
  private let vectorBytes: Int
  private var lanes: [ScanLane]
  private var window: [VectorBlock] = []
  private var windowBytes = 0

  init(queries: [Float], space: SpaceRecord, k: Int, least: Float, threads: Int) {
    self.threads = threads
    vectorBytes = space.dimension * space.scalar.byteCount
    lanes = (0..<threads).map { _ in ScanLane(queries: queries, space: space, k: k, least: least) }
  }

  mutating func add(_ block: VectorBlock) {
    window.append(block)
    windowBytes += (block.wanted?.count ?? block.slotCount) * vectorBytes
    if windowBytes >= Self.windowBytesPerLane * threads || window.count >= Self.windowBlocksPerLane * threads
    {
      scanWindow()
    }
  }

  /// Scans what is left and merges the lanes.
  mutating func finish() -> [[Neighbor]] {
    scanWindow()
    var first = lanes[0]
    for lane in lanes.dropFirst() { first.merge(lane) }
    return first.neighbors()
  }

  private mutating func scanWindow() {
    let laneCount = min(threads, window.count)
    if laneCount <= 1 {
      for block in window { lanes[0].scan(block) }
    } else {
      // Every iteration reads blocks and touches its own lane; nothing else does meanwhile.
      nonisolated(unsafe) let blocks = window
      // A lane takes the next block when it is done with one, so that all end together: a neighbor that is kept does not
      // depend on the lane that met it.
      let next = Atomic<Int>(0)
      lanes.withUnsafeMutableBufferPointer { lanes in
        nonisolated(unsafe) let lanes = lanes
        DispatchQueue.concurrentPerform(iterations: laneCount) { lane in
          while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < blocks.count else { return }
            lanes[lane].scan(blocks[index])
          }
        }
      }
    }
    window.removeAll(keepingCapacity: true)
    windowBytes = 0
  }
}

/// One thread's share of a search.
private struct ScanLane {
  /// Queries that pass over a chunk of rows together.
  private static let batch = 64
  /// Rows that a batch of queries passes over at once; a chunk stays in the second-level cache.
  private static let chunkBytes = 256 << 10

  private let queries: [Float]
  private let dimension: Int
  private let scalar: ScalarType
  private let chunkRows: Int
  private var nearest: [NearestNeighbors]
  /// [batch, chunkRows]
  private var similarities: [Float]

  init(queries: [Float], space: SpaceRecord, k: Int, least: Float) {
    self.queries = queries
    dimension = space.dimension
    scalar = space.scalar
    chunkRows = max(1, Self.chunkBytes / (dimension * scalar.byteCount))
    let count = queries.count / dimension
    nearest = Array(repeating: NearestNeighbors(capacity: k, least: least), count: count)
    similarities = [Float](repeating: 0, count: min(count, Self.batch) * chunkRows)
  }

  mutating func scan(_ block: VectorBlock) {
    if let wanted = block.wanted {
      let slots = wanted.toArray().map { $0 - block.firstRow }
      slots.withUnsafeBufferPointer { slots in
        for start in stride(from: 0, to: slots.count, by: chunkRows) {
          let chunk = UnsafeBufferPointer(rebasing: slots[start..<min(start + chunkRows, slots.count)])
          compare(block.base, slots: chunk, count: chunk.count, firstRow: block.firstRow)
        }
      }
    } else {
      for start in stride(from: 0, to: block.slotCount, by: chunkRows) {
        compare(
          block.base + start * block.vectorByteCount, slots: nil,
          count: min(chunkRows, block.slotCount - start),
          firstRow: block.firstRow + Row(start))
      }
    }
  }

  /// Compares all queries with a chunk of rows and keeps what is near.
  private mutating func compare(
    _ base: UnsafeRawPointer, slots: UnsafeBufferPointer<UInt32>?, count: Int, firstRow: Row
  ) {
    let queryCount = nearest.count
    for start in stride(from: 0, to: queryCount, by: Self.batch) {
      let batch = min(Self.batch, queryCount - start)
      queries.withUnsafeBufferPointer { queries in
        guard let first = queries.baseAddress else { return }
        kernels_cosine(
          scalar.kernel, first + start * dimension, batch, base, slots?.baseAddress, count, dimension,
          &similarities)
      }
      similarities.withUnsafeBufferPointer { similarities in
        for query in 0..<batch {
          let ofQuery = UnsafeBufferPointer(rebasing: similarities[query * count..<(query + 1) * count])
          var threshold = nearest[start + query].threshold
          for index in 0..<count where ofQuery[index] >= threshold {
            let row = firstRow + (slots.map { $0[index] } ?? Row(index))
            nearest[start + query].offer(Neighbor(row: row, similarity: ofQuery[index]))
            threshold = nearest[start + query].threshold
          }
        }
      }
    }
  }

  mutating func merge(_ other: ScanLane) {
    for query in nearest.indices { nearest[query].offer(contentsOf: other.nearest[query]) }
  }

  func neighbors() -> [[Neighbor]] { nearest.map { $0.sorted() } }
}
