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
  private let rule: VisitRule
  private let isa = kernels_active_isa()
  private let width: Int
  private let dimension: Int
  private let scalar: kernels_scalar
  private let segments: [CodeBlocks]
  private let packed: PackedLists?
  private let vectors: VectorBlocks
  /// Those that were compared with the query, where rows have two codes or searches are traced.
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
    rule = search.rule
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
    compared =
      index.record.listsPerRow > 1 || search.isTraced ? try RowMarks(limit: index.rowLimit) : nil
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
  ///   - trace: is told what is met, where there is one.
  func search(
    _ query: UnsafePointer<Float>, at slot: Int, number: Int, _ trace: inout VisitTrace?
  ) throws -> [Neighbor]? {
    var nearest = NearestNeighbors(capacity: k, least: -1)
    let scan = ListScan(
      unit: query, number: number,
      codes: kernels_code_tables(width, rotated + slot * width, tables.assumingMemoryBound(to: UInt8.self)))
    let scores = scores + slot * centres.scoreStride
    var rounds = ListRounds(scores, count: centres.count, stride: centres.scoreStride)
    let start2 = 1 - 2 * rounds.largest
    if start2 > limits.startRange { return nil }
    let before = work
    var limit = VisitLimit(calibration, k: k, start2: start2, rule)
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
        trace?.meet(score: score, nearest.threshold, work, since: before)
        if place + 1 < count { askFor(lists[place + 1].list) }
        work.lists += 1
        try search(list, score: score, scan, &limit, &nearest)
        if limits.areReached(by: work, since: before) { return nil }
      }
    }
    trace?.end(compared?.marked ?? [], work, since: before)
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

/// What codes are compared with.
private struct ListScan {
  let unit: UnsafePointer<Float>
  /// Its place among all queries.
  let number: Int
  let codes: kernels_code_query
}
