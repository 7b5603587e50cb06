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
  /// Those of one query.
  private var slots: [UInt32]
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
    slots = Array(repeating: 0, count: CoarseQueries.chunk)
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
      let count = min(CoarseQueries.chunk, block.slotCount - start)
      let group = start / Int(KERNELS_COARSE_ROWS)
      search(
        block, Chunk(groups: stored + group * groupByteCount, firstGroup: group, count: count, start: start),
        slots: nil, isMasked: block.wanted != nil, keeping: &nearest, &work)
    }
  }

  /// Searches a block by a copy of the wanted rows that is made for it.
  mutating func scan(
    _ block: VectorBlock, keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    let chosen = block.wanted?.toArray().map { $0 - block.firstRow }
    let all = chosen?.count ?? block.slotCount
    for start in stride(from: 0, to: all, by: CoarseQueries.chunk) {
      let count = min(CoarseQueries.chunk, all - start)
      let groupCount = kernels_coarse_group_count(count)
      if groups.count < groupCount * groupByteCount {
        groups = Array(repeating: 0, count: groupCount * groupByteCount)
      }
      // Taken out while they are read, so that nothing is copied.
      var made: [UInt8] = []
      swap(&made, &groups)
      if let chosen {
        chosen.withUnsafeBufferPointer {
          guard let slots = $0.baseAddress else { return }
          kernels_coarsen(
            queries.space.scalar.kernel, block.base, slots + start, count, dimension, &made)
        }
      } else {
        kernels_coarsen(
          queries.space.scalar.kernel, block.base + start * block.vectorByteCount, nil, count, dimension,
          &made)
      }
      made.withUnsafeBufferPointer {
        guard let base = $0.baseAddress else { return }
        search(
          block, Chunk(groups: base, firstGroup: 0, count: count, start: start), slots: chosen,
          isMasked: false,
          keeping: &nearest, &work)
      }
      swap(&made, &groups)
    }
  }

  /// Rows of a block that are searched together.
  private struct Chunk {
    let groups: UnsafePointer<UInt8>
    /// The place of the first group among the masks of wanted rows.
    let firstGroup: Int
    let count: Int
    /// What is added to the rows of hits: gives slots, or places in a list of slots.
    let start: Int
  }

  private mutating func search(
    _ block: VectorBlock, _ chunk: Chunk, slots: [UInt32]?, isMasked: Bool,
    keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
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
      let hitCount = findHits(chunk, first, batch, isMasked: isMasked)
      if hitCount > 0 {
        take(hitCount, of: block, chunk.start, slots, firstQuery: first, keeping: &nearest, &work)
      }
    }
  }

  private mutating func findHits(_ chunk: Chunk, _ first: Int, _ batch: Int, isMasked: Bool) -> Int {
    coarse.codes.withUnsafeBufferPointer { codes in
      coarse.shapes.withUnsafeBufferPointer { shapes in
        reaches.withUnsafeBufferPointer { reaches in
          wanted.withUnsafeBufferPointer { wanted in
            guard let codes = codes.baseAddress, let shapes = shapes.baseAddress,
              let reaches = reaches.baseAddress
            else { return 0 }
            let mask = isMasked ? wanted.baseAddress.map { $0 + chunk.firstGroup } : nil
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
    _ hitCount: Int, of block: VectorBlock, _ start: Int, _ chosen: [UInt32]?, firstQuery: Int,
    keeping nearest: inout [NearestNeighbors], _ work: inout ScanWork
  ) {
    var next = 0
    while next < hitCount {
      let number = hits[next].query
      let query = firstQuery + Int(number)
      var count = 0
      while next < hitCount, hits[next].query == number {
        let place = start + Int(hits[next].row)
        let slot = chosen.map { $0[place] } ?? UInt32(place)
        next += 1
        if queries.request.excluded?.excludes(block.firstRow + slot, for: query) == true { continue }
        slots[count] = slot
        count += 1
      }
      if count == 0 { continue }
      work.compared += count
      queries.vectors.withUnsafeBufferPointer { vectors in
        guard let vector = vectors.baseAddress.map({ $0 + query * dimension }) else { return }
        kernels_cosine(
          queries.space.scalar.kernel, vector, 1, block.base, slots, count, dimension, &similarities)
      }
      for index in 0..<count where similarities[index] >= nearest[query].threshold {
        nearest[query].offer(Neighbor(row: block.firstRow + slots[index], similarity: similarities[index]))
      }
    }
  }
}
