import Kernels
import Storage

/// The part of a lane that looks at int8 copies, and compares those vectors of which they do not show that they are
/// too far from a query.
struct CoarseLane {
  private let coarse: CoarseQueries
  private let queries: ScanQueries
  private let dimension: Int
  private let groupByteCount: Int
  /// How far each query reaches, and the threshold for which that was computed.
  private var reaches: [kernels_coarse_reach]
  private var thresholds: [Float]
  /// Copies that are made for this search.
  private var groups: [UInt8] = []
  /// Copies of gathered vectors, side by side.
  private var gathered: [UInt8] = []
  private var wanted: [UInt16] = []
  /// Vectors that queries pass over at once.
  private var chunk: Int
  private var hits: [kernels_coarse_hit]
  /// Of one query.
  private var places: [UInt32]
  private var similarities: [Float]

  init(_ coarse: CoarseQueries, of queries: ScanQueries) {
    self.coarse = coarse
    self.queries = queries
    dimension = queries.space.dimension
    groupByteCount = kernels_coarse_group_bytes(dimension)
    reaches = Array(repeating: kernels_coarse_reach(), count: queries.count)
    let least = queries.request.found.isEmpty ? 2 * min(queries.request.k, CoarseQueries.chunk) : .max
    chunk = min(least, CoarseQueries.chunk)
    chunk = kernels_coarse_group_count(chunk) * Int(KERNELS_COARSE_ROWS)
    thresholds = Array(repeating: .nan, count: queries.count)
    hits = Array(
      repeating: kernels_coarse_hit(), count: min(queries.count, CoarseQueries.batch) * CoarseQueries.chunk)
    places = Array(repeating: 0, count: CoarseQueries.chunk)
    similarities = Array(repeating: 0, count: CoarseQueries.chunk)
  }

  /// Searches a block by its stored copy.
  mutating func scan(
    _ block: VectorBlock, _ stored: UnsafePointer<UInt8>, keeping nearest: inout [NearestNeighbors],
    _ work: inout ScanWork
  ) {
    mark(block.wanted, of: block)
    let vectors = Vectors(of: block)
    forEachChunk(of: vectors) { lane, range in
      let group = range.lowerBound / Int(KERNELS_COARSE_ROWS)
      lane.search(vectors, range, stored + group * lane.groupByteCount, keeping: &nearest, &work)
    }
  }

  /// Sets the masks of wanted rows.
  /// - Parameter rows: nil where all are.
  private mutating func mark(_ rows: RowSet?, of block: VectorBlock) {
    guard let rows else { return }
    wanted = Array(repeating: 0, count: kernels_coarse_group_count(block.slotCount))
    for row in rows.toArray() {
      let slot = row - block.firstRow
      wanted[Int(slot >> 4)] |= 1 << UInt16(slot & 15)
    }
  }

  /// Searches a block by an int8 copy that is made for it.
  mutating func scan(
    _ block: VectorBlock, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    mark(block.wanted, of: block)
    scan(Vectors(of: block), keeping: &nearest, &work)
  }

  /// Searches vectors of several blocks.
  mutating func scan(
    _ vectors: GatheredVectors, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    let byteCount = queries.space.vectorByteCount
    if gathered.isEmpty { gathered = Array(repeating: 0, count: GatheredVectors.capacity * byteCount) }
    var copies: [UInt8] = []
    swap(&copies, &gathered)
    copies.withUnsafeMutableBytes { copies in
      guard let base = copies.baseAddress else { return }
      vectors.copy(into: base, byteCount: byteCount)
      scan(Vectors(base, rows: vectors.rows), keeping: &nearest, &work)
    }
    swap(&copies, &gathered)
  }

  /// Searches vectors by an int8 copy that is made for them.
  private mutating func scan(
    _ vectors: Vectors, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    // Taken out while they are read, so that nothing is copied.
    var made: [UInt8] = []
    swap(&made, &groups)
    forEachChunk(of: vectors) { lane, range in
      let byteCount = kernels_coarse_group_count(range.count) * lane.groupByteCount
      if made.count < byteCount { made = Array(repeating: 0, count: byteCount) }
      let space = lane.queries.space
      kernels_coarsen(
        space.scalar.kernel, vectors.base + range.lowerBound * space.vectorByteCount,
        range.count, lane.dimension, &made)
      made.withUnsafeBufferPointer { groups in
        guard let groups = groups.baseAddress else { return }
        lane.search(vectors, range, groups, keeping: &nearest, &work)
      }
    }
    swap(&made, &groups)
  }

  /// Calls `body` with parts of some vectors. The first ones of a lane are small: as long as a query has not enough
  /// neighbors, each vector is compared with it.
  private mutating func forEachChunk(of vectors: Vectors, _ body: (inout Self, Range<Int>) -> Void) {
    var start = 0
    while start < vectors.count {
      let end = min(start + chunk, vectors.count)
      chunk = min(2 * chunk, CoarseQueries.chunk)
      body(&self, start..<end)
      start = end
    }
  }

  /// Vectors side by side.
  private struct Vectors {
    let base: UnsafeRawPointer
    let count: Int
    /// Of the first vector, where the others have the numbers that follow.
    var firstRow: Row = 0
    /// Of each, where they have not.
    var rows: [Row]?
    /// Whether only those are wanted that the masks have a bit for.
    var areMasked = false

    init(of block: VectorBlock) {
      base = block.base
      count = block.slotCount
      firstRow = block.firstRow
      areMasked = block.wanted != nil
    }

    init(_ base: UnsafeRawPointer, rows: [Row]) {
      self.base = base
      count = rows.count
      self.rows = rows
    }

    func row(at place: UInt32) -> Row { rows.map { $0[Int(place)] } ?? firstRow + place }
  }

  /// Searches some of the vectors.
  /// - Parameter groups: their coarse vectors.
  private mutating func search(
    _ vectors: Vectors, _ range: Range<Int>, _ groups: UnsafePointer<UInt8>,
    keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    work.coarse += range.count * queries.count
    for first in stride(from: 0, to: queries.count, by: CoarseQueries.batch) {
      let batch = min(CoarseQueries.batch, queries.count - first)
      for query in first..<first + batch {
        let threshold = nearest[query].threshold
        if thresholds[query] != threshold {
          thresholds[query] = threshold
          reaches[query] = withUnsafePointer(to: coarse.shapes[query]) {
            kernels_coarse_reach_of($0, threshold, dimension)
          }
        }
      }
      let firstGroup = vectors.areMasked ? range.lowerBound / Int(KERNELS_COARSE_ROWS) : nil
      let hitCount = findHits(groups, firstGroup, count: range.count, first, batch)
      if hitCount > 0 {
        take(hitCount, of: vectors, from: range.lowerBound, firstQuery: first, keeping: &nearest, &work)
      }
    }
  }

  /// - Parameter firstGroup: the place of the first group among the masks of wanted rows; nil where all are.
  private mutating func findHits(
    _ groups: UnsafePointer<UInt8>, _ firstGroup: Int?, count: Int, _ first: Int, _ batch: Int
  ) -> Int {
    coarse.codes.withUnsafeBufferPointer { codes in
      coarse.shapes.withUnsafeBufferPointer { shapes in
        reaches.withUnsafeBufferPointer { reaches in
          wanted.withUnsafeBufferPointer { wanted in
            guard let codes = codes.baseAddress, let shapes = shapes.baseAddress,
              let reaches = reaches.baseAddress
            else { return 0 }
            let mask = firstGroup.flatMap { group in wanted.baseAddress.map { $0 + group } }
            return kernels_coarse_hits(
              codes + first * coarse.width, shapes + first, reaches + first, batch, groups, mask,
              count, dimension, &hits)
          }
        }
      }
    }
  }

  /// Compares the vectors of hits with their queries, and keeps what is near.
  private mutating func take(
    _ hitCount: Int, of vectors: Vectors, from start: Int, firstQuery: Int,
    keeping nearest: inout [NearestNeighbors],
    _ work: inout ScanWork
  ) {
    var next = 0
    while next < hitCount {
      let number = hits[next].query
      let query = firstQuery + Int(number)
      var count = 0
      while next < hitCount, hits[next].query == number {
        let place = UInt32(start) + hits[next].row
        next += 1
        if queries.request.excluded?.excludes(vectors.row(at: place), for: query) == true { continue }
        places[count] = place
        count += 1
      }
      if count == 0 { continue }
      work.compared += count
      queries.vectors.withUnsafeBufferPointer { units in
        guard let vector = units.baseAddress.map({ $0 + query * dimension }) else { return }
        kernels_cosine(
          queries.space.scalar.kernel, vector, 1, vectors.base, places, count, dimension, &similarities)
      }
      for index in 0..<count where similarities[index] >= nearest[query].threshold {
        nearest[query].offer(Neighbor(row: vectors.row(at: places[index]), similarity: similarities[index]))
      }
    }
  }
}
