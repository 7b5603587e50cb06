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
  private var wanted: [UInt16] = []
  private var hits: [kernels_coarse_hit]
  /// Of one query, places in the chunk.
  private var places: [UInt32]
  private var similarities: [Float]

  init(_ coarse: CoarseQueries, of queries: ScanQueries) {
    self.coarse = coarse
    self.queries = queries
    dimension = queries.space.dimension
    groupByteCount = kernels_coarse_group_bytes(dimension)
    reaches = Array(repeating: kernels_coarse_reach(), count: queries.count)
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
    if let rows = block.wanted {
      let groupCount = kernels_coarse_group_count(block.slotCount)
      wanted = Array(repeating: 0, count: groupCount)
      for row in rows.toArray() {
        let slot = row - block.firstRow
        wanted[Int(slot >> 4)] |= 1 << UInt16(slot & 15)
      }
    }
    for start in stride(from: 0, to: block.slotCount, by: CoarseQueries.chunk) {
      let group = start / Int(KERNELS_COARSE_ROWS)
      search(
        Chunk(
          groups: stored + group * groupByteCount, firstGroup: block.wanted == nil ? nil : group,
          count: min(CoarseQueries.chunk, block.slotCount - start),
          base: block.base + start * block.vectorByteCount, firstRow: block.firstRow + Row(start)),
        keeping: &nearest, &work)
    }
  }

  /// Searches a block by a copy that is made for it.
  mutating func scan(
    _ block: VectorBlock, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    for start in stride(from: 0, to: block.slotCount, by: CoarseQueries.chunk) {
      let count = min(CoarseQueries.chunk, block.slotCount - start)
      let base = block.base + start * block.vectorByteCount
      withCopy(of: base, count: count) { lane, groups in
        lane.search(
          Chunk(groups: groups, count: count, base: base, firstRow: block.firstRow + Row(start)),
          keeping: &nearest, &work)
      }
    }
  }

  /// Searches vectors of several blocks by a copy that is made for them.
  mutating func scan(
    _ vectors: GatheredVectors, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    withCopy(of: vectors.base, count: vectors.rows.count) { lane, groups in
      lane.search(
        Chunk(groups: groups, count: vectors.rows.count, base: vectors.base, rows: vectors.rows),
        keeping: &nearest, &work)
    }
  }

  /// Makes some vectors coarse.
  private mutating func withCopy(
    of base: UnsafeRawPointer, count: Int, _ body: (inout Self, UnsafePointer<UInt8>) -> Void
  ) {
    let byteCount = kernels_coarse_group_count(count) * groupByteCount
    if groups.count < byteCount { groups = Array(repeating: 0, count: byteCount) }
    // Taken out while they are read, so that nothing is copied.
    var made: [UInt8] = []
    swap(&made, &groups)
    kernels_coarsen(queries.space.scalar.kernel, base, nil, count, dimension, &made)
    made.withUnsafeBufferPointer { if let groups = $0.baseAddress { body(&self, groups) } }
    swap(&made, &groups)
  }

  /// Rows that are searched together.
  private struct Chunk {
    let groups: UnsafePointer<UInt8>
    /// The place of the first group among the masks of wanted rows; nil where all are.
    var firstGroup: Int?
    let count: Int
    /// The vectors, side by side.
    let base: UnsafeRawPointer
    /// Of the first vector, where the others have the numbers that follow.
    var firstRow: Row = 0
    /// Of each, where they have not.
    var rows: [Row]?

    func row(at place: UInt32) -> Row { rows.map { $0[Int(place)] } ?? firstRow + place }
  }

  private mutating func search(
    _ chunk: Chunk, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    work.coarse += chunk.count * queries.count
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
      let hitCount = findHits(chunk, first, batch)
      if hitCount > 0 { take(hitCount, of: chunk, firstQuery: first, keeping: &nearest, &work) }
    }
  }

  private mutating func findHits(_ chunk: Chunk, _ first: Int, _ batch: Int) -> Int {
    coarse.codes.withUnsafeBufferPointer { codes in
      coarse.shapes.withUnsafeBufferPointer { shapes in
        reaches.withUnsafeBufferPointer { reaches in
          wanted.withUnsafeBufferPointer { wanted in
            guard let codes = codes.baseAddress, let shapes = shapes.baseAddress,
              let reaches = reaches.baseAddress
            else { return 0 }
            let mask = chunk.firstGroup.flatMap { group in wanted.baseAddress.map { $0 + group } }
            return kernels_coarse_hits(
              codes + first * coarse.width, shapes + first, reaches + first, batch, chunk.groups, mask,
              chunk.count, dimension, &hits)
          }
        }
      }
    }
  }

  /// Compares the vectors of hits with their queries, and keeps what is near.
  private mutating func take(
    _ hitCount: Int, of chunk: Chunk, firstQuery: Int, keeping nearest: inout [NearestNeighbors],
    _ work: inout ScanWork
  ) {
    var next = 0
    while next < hitCount {
      let number = hits[next].query
      let query = firstQuery + Int(number)
      var count = 0
      while next < hitCount, hits[next].query == number {
        let place = hits[next].row
        next += 1
        if queries.request.excluded?.excludes(chunk.row(at: place), for: query) == true { continue }
        places[count] = place
        count += 1
      }
      if count == 0 { continue }
      work.compared += count
      queries.vectors.withUnsafeBufferPointer { vectors in
        guard let vector = vectors.baseAddress.map({ $0 + query * dimension }) else { return }
        kernels_cosine(
          queries.space.scalar.kernel, vector, 1, chunk.base, places, count, dimension, &similarities)
      }
      for index in 0..<count where similarities[index] >= nearest[query].threshold {
        nearest[query].offer(Neighbor(row: chunk.row(at: places[index]), similarity: similarities[index]))
      }
    }
  }
}
