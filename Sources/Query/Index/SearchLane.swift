import Glibc
import Kernels
import Storage

/// One thread's share of a search through an index, with its memory.
final class SearchLane {
  /// Vectors that are asked for ahead of their comparison.
  private static let ahead = 3
  /// How far sums of float32 may take a bound below the similarity that it stands for.
  private static let rounding: Float = 1e-5

  private(set) var work = SearchWork()

  private let index: StoredIndex
  private let table: CentreTable
  private let calibration: IndexRecord.Calibration
  private let k: Int
  private let wanted: RowMask?
  private let isa = kernels_active_isa()
  private let width: Int
  private let dimension: Int
  private let scalar: kernels_scalar
  private let segments: [CodeBlocks]
  private let vectors: VectorBlocks
  /// [batch, width]
  private let rotated: UnsafeMutablePointer<Float>
  /// [batch, table.scoreStride]
  private let scores: UnsafeMutablePointer<Float>
  private let tables: UnsafeMutableRawPointer
  private let places: UnsafeMutablePointer<UInt32>
  private let hits: UnsafeMutablePointer<kernels_code_hit>
  private let scratch = CentreTable.Scratch()

  /// - Parameter batch: queries that are prepared together.
  init(
    _ index: StoredIndex, _ table: CentreTable, _ calibration: IndexRecord.Calibration, k: Int,
    wanted: RowMask?,
    batch: Int
  ) {
    self.index = index
    self.table = table
    self.calibration = calibration
    self.k = k
    self.wanted = wanted
    width = index.width
    dimension = index.space.dimension
    scalar = index.space.scalar.kernel
    segments = index.segments.map { CodeBlocks(of: $0, in: index) }
    vectors = VectorBlocks(of: index)
    rotated = .allocate(capacity: batch * width)
    scores = .allocate(capacity: batch * table.scoreStride)
    tables = .allocate(byteCount: 4 * width, alignment: 64)
    places = .allocate(capacity: table.count)
    hits = .allocate(capacity: index.codeLayout.itemsPerBlock * StoredIndex.codesPerGroup)
  }

  deinit {
    rotated.deallocate()
    scores.deallocate()
    tables.deallocate()
    places.deallocate()
    hits.deallocate()
  }

  /// Compares queries, [count, dimension] of unit length, with the centres of lists.
  func prepare(_ queries: UnsafePointer<Float>, count: Int) {
    for query in 0..<count {
      index.codeSpace.rotateUnit(of: queries + query * dimension, into: rotated + query * width)
    }
    table.score(rotated, rows: count, into: scores, scratch)
  }

  /// The nearest rows of a query, nearest first.
  /// - Parameters:
  ///   - slot: the query's place in what was prepared.
  ///   - known: neighbors that were found elsewhere.
  func search(_ query: UnsafePointer<Float>, at slot: Int, known: [Neighbor]) throws -> [Neighbor] {
    var nearest = NearestNeighbors(capacity: k, least: -1)
    for neighbor in known { nearest.offer(neighbor) }
    let rotated = rotated + slot * width
    var scan = ListScan(
      unit: query, rotated: rotated,
      codes: kernels_code_tables(width, rotated, tables.assumingMemoryBound(to: UInt8.self)))
    let scores = scores + slot * table.scoreStride
    var rounds = ListRounds(scores, count: table.count, stride: table.scoreStride)
    while let range = rounds.next(leastScore: leastScore(nearest.threshold)) {
      let count = kernels_between(scores, table.count, range.lowerBound, range.upperBound, places)
      var lists = UnsafeMutableBufferPointer(start: places, count: count)
      lists.sort { scores[Int($0)] == scores[Int($1)] ? $0 < $1 : scores[Int($0)] > scores[Int($1)] }
      for (position, list) in lists.enumerated() {
        let score = scores[Int(list)]
        if score < leastScore(nearest.threshold) { break }
        if position + 1 < lists.count { askFor(Int(lists[position + 1])) }
        scan.begin(Int(list), distance2: max(0, 1 - 2 * score), table, calibration)
        try search(Int(list), scan, &nearest)
      }
    }
    return nearest.sorted()
  }

  /// The score below which lists are passed over, once the last neighbor has a similarity of `threshold`. Squares of
  /// distances are 1 - 2 score of centres and 2 - 2 similarity of neighbors.
  private func leastScore(_ threshold: Float) -> Float {
    let distance2 = 2 * max(0, 1 - threshold)
    if distance2 <= calibration.range { return threshold - (1 + calibration.reach) / 2 }
    if threshold == -.infinity { return threshold }
    // Farther away than was measured, which filters and strange queries do. With x for the distance of a centre, r for
    // that of a row from its centre and d for that of the last neighbor, a row is as near as that when x^2 + r^2 - 2 x t
    // <= d^2, t being how far its residue points to the query. This is the x at which it takes a t of `farReach`.
    let (reach, radius) = (calibration.farReach, calibration.radius)
    let farthest = reach + max(0, distance2 - radius * radius + reach * reach).squareRoot()
    return (1 - farthest * abs(farthest)) / 2
  }

  /// Asks for the memory of a list that is visited next: its centre, and where its codes begin.
  private func askFor(_ list: Int) {
    kernels_prefetch(table.values + list * width, width * 4)
    for segment in segments {
      let first = Int(segment.bounds[list])
      guard first < Int(segment.bounds[list + 1]), let groups = segment.known[first / segment.codesPerBlock]
      else { continue }
      let group = first % segment.codesPerBlock / StoredIndex.codesPerGroup
      kernels_prefetch(groups + group * index.codeLayout.itemByteCount, index.codeLayout.itemByteCount)
    }
  }

  private func search(_ list: Int, _ scan: ListScan, _ nearest: inout NearestNeighbors) throws {
    work.lists += 1
    for segment in segments {
      var first = Int(segment.bounds[list])
      let end = Int(segment.bounds[list + 1])
      work.codes += end - first
      while first < end {
        let block = first / segment.codesPerBlock
        let start = block * segment.codesPerBlock
        let stop = min(end, start + segment.codesPerBlock)
        let groups = try segment.groups(ofBlock: block)
        var codes = scan.codes
        var search = kernels_code_search(
          base: scan.base, margin: scan.margin, least: nearest.threshold - Self.rounding,
          row_limit: min(wanted?.rowLimit ?? .max, index.rowLimit), wanted: wanted?.words)
        let count = kernels_scan_codes(isa, &codes, &search, groups, first - start, stop - start, hits)
        try compare(count, scan.unit, &nearest)
        first = stop
      }
    }
  }

  /// Compares the rows that were found with the query, the most promising first.
  private func compare(
    _ count: Int, _ query: UnsafePointer<Float>, _ nearest: inout NearestNeighbors
  ) throws {
    var heap = HitHeap(hits, count: count)
    // Vectors are asked for as their hits come up, and compared when others have come up meanwhile.
    var coming: (kernels_code_hit?, kernels_code_hit?, kernels_code_hit?) = (nil, nil, nil)
    while true {
      let hit = coming.0
      coming = (coming.1, coming.2, heap.popFirst())
      if let next = coming.2 {
        if next.bound < nearest.threshold - Self.rounding {
          heap.removeAll()
          coming.2 = nil
        } else {
          kernels_prefetch(try vectors.vector(of: next.row), vectors.byteCount)
        }
      }
      guard let hit else {
        if coming.0 == nil && coming.1 == nil && coming.2 == nil { return }
        continue
      }
      if hit.bound < nearest.threshold - Self.rounding { return }
      var similarity: Float = 0
      kernels_cosine(scalar, query, 1, try vectors.vector(of: hit.row), nil, 1, dimension, &similarity)
      nearest.offer(Neighbor(row: hit.row, similarity: similarity))
      work.rows += 1
    }
  }
}

/// What the codes of a list are compared with.
private struct ListScan {
  let unit: UnsafePointer<Float>
  let rotated: UnsafePointer<Float>
  let codes: kernels_code_query
  /// Inner product with the list's centre.
  private(set) var base: Float = 0
  /// How far an estimate may be wrong, for a factor of 1.
  private(set) var margin: Float = 0

  init(unit: UnsafePointer<Float>, rotated: UnsafePointer<Float>, codes: kernels_code_query) {
    self.unit = unit
    self.rotated = rotated
    self.codes = codes
  }

  /// - Parameter distance2: square of the distance between the query and the list's centre.
  mutating func begin(
    _ list: Int, distance2: Float, _ table: CentreTable, _ calibration: IndexRecord.Calibration
  ) {
    base = kernels_inner_product(table.width, rotated, table.values + list * table.width)
    margin = calibration.deviations * kernels_code_deviation(table.width) * distance2.squareRoot()
  }
}

/// Ranges of scores in which lists are visited, best first. A few lists are found and sorted at a time, because a search
/// mostly needs few of them.
private struct ListRounds {
  private let largest: Float
  private var step: Float
  /// What was visited has scores from here on.
  private var visited = Float.infinity

  init(_ scores: UnsafePointer<Float>, count: Int, stride: Int) {
    var place: UInt32 = 0
    var largest: Float = 0
    kernels_largest(scores, 1, count, stride, &place, &largest)
    // A rough mean will do.
    var (sum, terms): (Float, Float) = (0, 0)
    for list in Swift.stride(from: 0, to: count, by: 16) {
      sum += scores[list]
      terms += 1
    }
    self.largest = largest
    step = max(0.1 * (largest - sum / terms), 1e-6)
  }

  /// The next range; nil when all are visited that reach the least score, which is -infinity while too few neighbors
  /// are known.
  mutating func next(leastScore: Float) -> Range<Float>? {
    guard visited > leastScore else { return nil }
    let end = visited
    if end < .infinity, leastScore > -.infinity {
      visited = leastScore
    } else {
      visited = step > 8 ? -.infinity : largest - step
      step *= 2
    }
    return visited..<end
  }
}

/// Blocks of a segment's codes that a thread has met.
private final class CodeBlocks {
  let bounds: UnsafePointer<UInt32>
  let codesPerBlock: Int
  private let index: StoredIndex
  private let segment: StoredIndex.Segment
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  /// The groups of blocks that were met.
  var known: UnsafePointer<UnsafePointer<UInt8>?> { UnsafePointer(blocks) }

  init(of segment: StoredIndex.Segment, in index: StoredIndex) {
    self.index = index
    self.segment = segment
    codesPerBlock = index.codeLayout.itemsPerBlock * StoredIndex.codesPerGroup
    let bounds = UnsafeMutablePointer<UInt32>.allocate(capacity: segment.bounds.count)
    bounds.initialize(from: segment.bounds, count: segment.bounds.count)
    self.bounds = UnsafePointer(bounds)
    let count = segment.blockCount(index.codeLayout)
    blocks = .allocate(capacity: count)
    blocks.initialize(repeating: nil, count: count)
  }

  deinit {
    bounds.deallocate()
    blocks.deallocate()
  }

  func groups(ofBlock block: Int) throws -> UnsafePointer<UInt8> {
    if let known = blocks[block] { return known }
    let groups = try index.codes(ofBlock: block, in: segment)
    blocks[block] = groups
    return groups
  }
}

/// Blocks of vectors that a thread has met.
private final class VectorBlocks {
  private let index: StoredIndex
  private let perBlock: Int
  /// Bytes of a vector.
  let byteCount: Int
  /// Zero where a block was not met. Pages of the table that nobody touches cost nothing.
  private let blocks: UnsafeMutablePointer<UnsafeRawBufferPointer>

  init(of index: StoredIndex) {
    self.index = index
    perBlock = index.space.vectorsPerBlock
    byteCount = index.space.dimension * index.space.scalar.byteCount
    let count = Int(index.rowLimit) / perBlock + 1
    guard let memory = calloc(count, MemoryLayout<UnsafeRawBufferPointer>.stride) else {
      preconditionFailure("no memory for \(count) pointers")
    }
    blocks = memory.bindMemory(to: UnsafeRawBufferPointer.self, capacity: count)
  }

  deinit { free(blocks) }

  /// - Parameter row: below the index's limit.
  func vector(of row: Row) throws -> UnsafeRawPointer {
    let block = Int(row) / perBlock
    let start = Int(row) % perBlock * byteCount
    if start < blocks[block].count, let base = blocks[block].baseAddress { return base + start }
    blocks[block] = try index.vectors(ofBlock: block)
    guard start < blocks[block].count, let base = blocks[block].baseAddress else {
      throw index.leadsAstray("it leads to a row without a vector")
    }
    return base + start
  }
}
