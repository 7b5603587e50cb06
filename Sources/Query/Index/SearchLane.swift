import Faults
import Glibc
import Kernels
import Storage

/// One thread's share of a search through an index, with its memory.
final class SearchLane {
  /// How far sums of float32 may take a bound below the similarity that it stands for.
  private static let rounding: Float = 1e-5

  private(set) var work = SearchWork()

  private let index: StoredIndex
  private let centres: any ScoredCentres
  private let calibration: IndexRecord.Calibration
  private let k: Int
  private let wanted: RowMask?
  private let excluded: ExcludedGroups?
  private let limits: ListLimits
  private let isa = kernels_active_isa()
  private let width: Int
  private let dimension: Int
  private let scalar: kernels_scalar
  private let segments: [CodeBlocks]
  private let packed: PackedLists?
  private let vectors: VectorBlocks
  /// Where rows have two codes, those that were compared with the query.
  private let compared: RowMarks?
  /// [batch, width]
  private let rotated: UnsafeMutablePointer<Float>
  /// [batch, centres.scoreStride]
  private let scores: UnsafeMutablePointer<Float>
  private let tables: UnsafeMutableRawPointer
  private let places: UnsafeMutablePointer<UInt32>
  private let lists: UnsafeMutablePointer<ListKey>
  private let hits: UnsafeMutablePointer<kernels_code_hit>
  private let hitLimit: Int
  private let scratch = CentreTable.Scratch()

  /// - Parameters:
  ///   - batch: queries that are prepared together.
  ///   - lanes: how many such lanes the search has.
  /// - Throws: `inputOutput` when there is no memory for what marks rows and finds blocks.
  init(_ search: IndexSearch, batch: Int, lanes: Int) throws {
    let (index, centres) = (search.index, search.centres)
    self.index = index
    self.centres = centres
    calibration = search.calibration
    k = search.k
    wanted = search.wanted
    excluded = search.excluded
    limits = search.limits
    width = index.width
    dimension = index.space.dimension
    scalar = index.space.scalar.kernel
    let segments = index.segments.map { CodeBlocks(of: $0, in: index) }
    self.segments = segments
    packed = search.wanted.flatMap { wanted in
      Double(wanted.count) < PackedLists.leastShare * Double(index.rowCount)
        ? PackedLists(of: segments, in: index, wanted: wanted, lanes: lanes) : nil
    }
    vectors = try VectorBlocks(
      of: index.space, rowLimit: index.rowLimit, block: { try index.vectors(ofBlock: $0) },
      astray: { index.leadsAstray($0) })
    compared = index.record.listsPerRow > 1 ? try RowMarks(limit: index.rowLimit) : nil
    rotated = .allocate(capacity: batch * width)
    scores = .allocate(capacity: batch * centres.scoreStride)
    tables = .allocate(byteCount: 4 * width, alignment: 64)
    places = .allocate(capacity: centres.count)
    lists = .allocate(capacity: centres.count)
    hitLimit = index.codeLayout.itemsPerBlock * StoredIndex.codesPerGroup
    hits = .allocate(capacity: hitLimit)
  }

  deinit {
    rotated.deallocate()
    scores.deallocate()
    tables.deallocate()
    places.deallocate()
    lists.deallocate()
    hits.deallocate()
  }

  /// Compares queries, [count, dimension] of unit length, with the centres of lists.
  func prepare(_ queries: UnsafePointer<Float>, count: Int) {
    for query in 0..<count {
      index.codeSpace.rotateUnit(of: queries + query * dimension, into: rotated + query * width)
    }
    centres.score(rotated, rows: count, into: scores, scratch)
  }

  /// The nearest rows of a query, nearest first; nil where it is given up.
  /// - Parameters:
  ///   - slot: the query's place in what was prepared.
  ///   - number: its place among all queries.
  ///   - known: neighbors that were found elsewhere.
  func search(
    _ query: UnsafePointer<Float>, at slot: Int, number: Int, known: [Neighbor]
  ) throws -> [Neighbor]? {
    var nearest = NearestNeighbors(capacity: k, least: -1)
    for neighbor in known { nearest.offer(neighbor) }
    let scan = ListScan(
      unit: query, number: number,
      codes: kernels_code_tables(width, rotated + slot * width, tables.assumingMemoryBound(to: UInt8.self)))
    let scores = scores + slot * centres.scoreStride
    var rounds = ListRounds(scores, count: centres.count, stride: centres.scoreStride)
    if 1 - 2 * rounds.largest > limits.startRange { return nil }
    let before = work
    var limit = VisitLimit(calibration, k: k)
    defer { compared?.clear() }
    while let range = rounds.next(leastScore: limit.leastScore(nearest.threshold)) {
      let count = kernels_between(scores, centres.count, range.lowerBound, range.upperBound, places)
      for place in 0..<count {
        lists[place] = ListKey(list: places[place], score: scores[Int(places[place])])
      }
      var order = UnsafeMutableBufferPointer(start: lists, count: count)
      order.sort()
      for place in 0..<count {
        let list = lists[place].list
        let score = scores[list]
        if score < limit.leastScore(nearest.threshold) { break }
        if place + 1 < count { askFor(lists[place + 1].list) }
        work.lists += 1
        try search(list, score: score, scan, &limit, &nearest)
        if limits.areReached(by: work, since: before) { return nil }
      }
    }
    let sorted = nearest.sorted()
    if let row = sorted.repeatedRow { throw index.leadsAstray("it has two codes of cell \(row) in a list") }
    return sorted
  }

  /// Asks for the memory of a list that is visited next: where its codes begin.
  private func askFor(_ list: Int) {
    if let packed {
      if let groups = packed.known(list)?.groups { kernels_prefetch(groups, index.codeLayout.itemByteCount) }
      return
    }
    for segment in segments {
      if let group = segment.firstGroup(of: list) { kernels_prefetch(group, index.codeLayout.itemByteCount) }
    }
  }

  private func search(
    _ list: Int, score: Float, _ scan: ListScan, _ limit: inout VisitLimit, _ nearest: inout NearestNeighbors
  ) throws {
    let distance = max(0, 1 - 2 * score).squareRoot()
    var search = kernels_code_search()
    search.base = centres.innerProduct(with: list, score: score)
    search.margin = calibration.deviations * kernels_code_deviation(width) * distance
    if let packed {
      let codes = try packed.codes(of: list)
      limit.met(codes.count, of: codes.total)
      guard let groups = codes.groups else { return }
      // What is packed was looked up in the mask.
      search.row_limit = .max
      for first in stride(from: 0, to: codes.count, by: hitLimit) {
        try compare(groups, first..<min(codes.count, first + hitLimit), scan, &search, &nearest)
      }
      return
    }
    search.row_limit = min(wanted?.rowLimit ?? .max, index.rowLimit)
    search.wanted = wanted?.words
    for segment in segments {
      try segment.forEachRun(of: list) { try compare($0, $1, scan, &search, &nearest) }
    }
  }

  private func compare(
    _ groups: UnsafePointer<UInt8>, _ codes: Range<Int>, _ scan: ListScan,
    _ search: inout kernels_code_search, _ nearest: inout NearestNeighbors
  ) throws {
    work.codes += codes.count
    search.least = nearest.threshold - Self.rounding
    var query = scan.codes
    let count = kernels_scan_codes(isa, &query, &search, groups, codes.lowerBound, codes.upperBound, hits)
    if count > 0 { try compare(count, scan, &nearest) }
  }

  /// Compares the rows that were found with the query, the most promising first.
  private func compare(_ count: Int, _ scan: ListScan, _ nearest: inout NearestNeighbors) throws {
    var heap = HitHeap(hits, count: count)
    // Vectors are asked for as their hits come up, and compared when others have come up meanwhile.
    var coming: (kernels_code_hit?, kernels_code_hit?, kernels_code_hit?) = (nil, nil, nil)
    while true {
      let hit = coming.0
      coming = (coming.1, coming.2, nextHit(&heap, scan))
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
      // In another list its estimate may be higher, which is of no use any more.
      if let compared, !compared.insert(hit.row) { continue }
      var similarity: Float = 0
      kernels_cosine(scalar, scan.unit, 1, try vectors.vector(of: hit.row), nil, 1, dimension, &similarity)
      nearest.offer(Neighbor(row: hit.row, similarity: similarity))
      work.rows += 1
    }
  }

  /// The most promising of the hits that are left and may count.
  private func nextHit(_ heap: inout HitHeap, _ scan: ListScan) -> kernels_code_hit? {
    while let hit = heap.popFirst() {
      if let compared, compared.contains(hit.row) { continue }
      if let excluded, excluded.excludes(hit.row, for: scan.number) { continue }
      return hit
    }
    return nil
  }
}

/// Where a search of lists is given up.
struct ListLimits {
  /// The square of the distance of the nearest centre above which it is, before any list is visited.
  var startRange = Float.infinity
  /// What its codes and rows may cost.
  var cost = Double.infinity
  var code = 0.0
  var comparison = 0.0

  fileprivate func areReached(by work: SearchWork, since before: SearchWork) -> Bool {
    Double(work.codes - before.codes) * code + Double(work.rows - before.rows) * comparison > cost
  }
}

/// What codes are compared with.
private struct ListScan {
  let unit: UnsafePointer<Float>
  /// Its place among all queries.
  let number: Int
  let codes: kernels_code_query
}

/// A list in the order of visits: the higher score first, of equals the smaller number.
private struct ListKey: Comparable {
  private let key: UInt64

  init(list: UInt32, score: Float) {
    let bits = score.bitPattern
    // Ascends as scores do.
    let ascending = bits >> 31 == 1 ? ~bits : bits | 1 << 31
    key = UInt64(~ascending) << 32 | UInt64(list)
  }

  var list: Int { Int(key & 0xFFFF_FFFF) }
  static func < (left: ListKey, right: ListKey) -> Bool { left.key < right.key }
}

/// Tells which lists a search need not visit any more.
private struct VisitLimit {
  private let calibration: IndexRecord.Calibration
  private let k: Float
  private var reach: Float
  private var range: Float
  /// Codes that are looked for in the lists that were met, and all.
  private var (met, total): (Float, Float) = (0, 0)

  init(_ calibration: IndexRecord.Calibration, k: Int) {
    self.calibration = calibration
    self.k = Float(k)
    (reach, range) = calibration.reach(neighbors: self.k)
  }

  /// Takes note of a list of which a search for some of the rows has seen so many codes. Where one in ten counts, ten
  /// neighbors lie as a hundred do where all count; how many count near the query need not be how many do everywhere.
  mutating func met(_ count: Int, of total: Int) {
    met += Float(count)
    self.total += Float(total)
    let share = min(1, max(1, met) / self.total)
    range = calibration.reach(neighbors: k / share).range
    // The last neighbor may by chance be as near as fewer are: as many as one standard deviation of a draw of which
    // each counts with this share. Where it is nearer than most, more of the others lie in lists that are passed over.
    let fewer = k - (k * (1 - share)).squareRoot()
    reach = calibration.reach(neighbors: max(k, fewer / share)).reach
  }

  /// The score below which lists are passed over, once the last neighbor has a similarity of `threshold`. Squares of
  /// distances are 1 - 2 score of centres and 2 - 2 similarity of neighbors.
  func leastScore(_ threshold: Float) -> Float {
    if threshold == -.infinity || threshold <= -1 { return -.infinity }
    let distance2 = 2 * max(0, 1 - threshold)
    if distance2 <= range { return threshold - (1 + reach) / 2 }
    // Farther away than was measured, which filters and strange queries do. With x for the distance of a centre, r for
    // that of a row from its centre and d for that of the last neighbor, a row is as near as that when x^2 + r^2 - 2 x t
    // <= d^2, t being how far its residue points to the query. This is the x at which it takes a t of `farReach`.
    let (reach, radius) = (calibration.farReach, calibration.radius)
    let farthest = reach + max(0, distance2 - radius * radius + reach * reach).squareRoot()
    return (1 - farthest * abs(farthest)) / 2
  }
}

/// Ranges of scores in which lists are visited, best first. A few lists are found and sorted at a time, because a search
/// mostly needs few of them.
private struct ListRounds {
  let largest: Float
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

/// Rows with a mark, few at a time.
private final class RowMarks {
  private let words: UnsafeMutablePointer<UInt64>
  private var marked: [Row] = []

  init(limit: Row) throws {
    let count = Int(limit) / 64 + 1
    words = try untouchedMemory(for: count, of: UInt64.self)
  }

  deinit { free(words) }

  func contains(_ row: Row) -> Bool { words[Int(row / 64)] >> UInt64(row % 64) & 1 == 1 }

  /// - Parameter row: below the limit.
  /// - Returns: false where the row has a mark already.
  func insert(_ row: Row) -> Bool {
    if contains(row) { return false }
    words[Int(row / 64)] |= 1 << UInt64(row % 64)
    marked.append(row)
    return true
  }

  func clear() {
    for row in marked { words[Int(row / 64)] = 0 }
    marked.removeAll(keepingCapacity: true)
  }
}
