import Kernels
import Storage

/// One thread's share of an exact search.
struct ScanLane {
  /// Queries that are compared with a chunk of rows together.
  private static let batch = 64
  /// Rows that a batch of queries passes over at once; a chunk stays in the second-level cache.
  private static let chunkBytes = 256 << 10

  private let queries: ScanQueries
  private let dimension: Int
  private let scalar: ScalarType
  private let chunkRows: Int
  private var nearest: [NearestNeighbors]
  /// [batch, chunkRows], once it is needed.
  private var similarities: [Float] = []
  private var coarse: CoarseLane?
  private(set) var work = ScanWork()

  init(for queries: ScanQueries) {
    self.queries = queries
    dimension = queries.space.dimension
    scalar = queries.space.scalar
    chunkRows = max(1, Self.chunkBytes / queries.space.vectorByteCount)
    nearest = (0..<queries.count).map {
      NearestNeighbors(capacity: queries.request.k, least: queries.request.least(of: $0))
    }
    coarse = queries.coarse.map { CoarseLane($0, of: queries) }
  }

  mutating func scan(_ piece: ScanPiece) {
    switch piece {
    case .gathered(let vectors): coarse?.scan(vectors, keeping: &nearest, &work)
    case .block(let block): scan(block)
    }
  }

  private mutating func scan(_ block: VectorBlock) {
    let count = block.wanted?.count ?? block.slotCount
    if let groups = block.coarse, queries.usesCopy(for: count, of: block) {
      work.areStored = true
      coarse?.scan(block, groups, keeping: &nearest, &work)
    } else if coarse != nil, queries.areMany {
      coarse?.scan(block, keeping: &nearest, &work)
    } else {
      work.compared += count * queries.count
      compare(block)
    }
  }

  private mutating func compare(_ block: VectorBlock) {
    guard let wanted = block.wanted else {
      for start in stride(from: 0, to: block.slotCount, by: chunkRows) {
        compare(
          block.base + start * block.vectorByteCount, slots: nil,
          count: min(chunkRows, block.slotCount - start),
          firstRow: block.firstRow + Row(start))
      }
      return
    }
    let slots = wanted.toArray().map { $0 - block.firstRow }
    slots.withUnsafeBufferPointer { slots in
      for start in stride(from: 0, to: slots.count, by: chunkRows) {
        let chunk = UnsafeBufferPointer(rebasing: slots[start..<min(start + chunkRows, slots.count)])
        compare(block.base, slots: chunk, count: chunk.count, firstRow: block.firstRow)
      }
    }
  }

  /// Compares all queries with a chunk of rows and keeps what is near.
  private mutating func compare(
    _ base: UnsafeRawPointer, slots: UnsafeBufferPointer<UInt32>?, count: Int, firstRow: Row
  ) {
    if similarities.isEmpty {
      similarities = Array(repeating: 0, count: min(queries.count, Self.batch) * chunkRows)
    }
    for start in stride(from: 0, to: queries.count, by: Self.batch) {
      let batch = min(Self.batch, queries.count - start)
      fill(base, slots?.baseAddress, count, queries: start..<start + batch)
      similarities.withUnsafeBufferPointer { similarities in
        for query in 0..<batch {
          let ofQuery = UnsafeBufferPointer(rebasing: similarities[query * count..<(query + 1) * count])
          var threshold = nearest[start + query].threshold
          for index in 0..<count where ofQuery[index] >= threshold {
            let row = firstRow + (slots.map { $0[index] } ?? Row(index))
            if queries.request.excluded?.excludes(row, for: start + query) == true { continue }
            nearest[start + query].offer(Neighbor(row: row, similarity: ofQuery[index]))
            threshold = nearest[start + query].threshold
          }
        }
      }
    }
  }

  /// Computes the similarities of some queries with a chunk of rows.
  private mutating func fill(
    _ base: UnsafeRawPointer, _ slots: UnsafePointer<UInt32>?, _ count: Int, queries range: Range<Int>
  ) {
    queries.vectors.withUnsafeBufferPointer { vectors in
      guard let first = vectors.baseAddress.map({ $0 + range.lowerBound * dimension }) else { return }
      switch queries.request.metric {
      case .cosine:
        kernels_cosine(scalar.kernel, first, range.count, base, slots, count, dimension, &similarities)
      case .dot:
        kernels_distances(
          KERNELS_DOT, scalar.kernel, first, range.count, base, slots, count, dimension, &similarities)
      case .l2:
        kernels_distances(
          KERNELS_EUCLIDEAN, scalar.kernel, first, range.count, base, slots, count, dimension, &similarities)
        for index in 0..<range.count * count { similarities[index] = -similarities[index] }
      }
    }
  }

  mutating func merge(_ other: ScanLane) {
    for query in nearest.indices { nearest[query].offer(contentsOf: other.nearest[query]) }
    work.add(other.work)
  }

  /// What was kept, with what was found among other rows.
  func neighbors() -> [[Neighbor]] {
    let found = queries.request.found
    if found.isEmpty { return nearest.map { $0.sorted() } }
    return zip(nearest, found).map { $0.sorted(with: $1) }
  }
}
