import Storage

/// Queries by which it is measured how far searches through lists go, beside what an exact search finds for them.
struct ListQueries {
  /// [count, dimension], of unit length.
  let vectors: [Float]
  /// The rows that the queries are, which count on neither side; none of queries that are no rows.
  let rows: [Row]
  /// The nearest rows of each query, nearest first.
  let truth: [[Neighbor]]
  /// For each of them the square of the distance between the query and the nearer centre of its lists.
  let centreDistances: [[Float]]
  /// The square of the distance of each query's nearest centre.
  let starts: [Float]

  var count: Int { truth.count }

  /// Some rows of an index.
  /// - Parameter k: how many of the nearest other rows.
  init(
    _ count: Int, of lists: MeasuredLists, k: Int, threads: Int, _ snapshot: borrowing Snapshot
  ) throws {
    // From the middle of each step: training took rows from their beginnings.
    let (all, space) = (lists.rows, lists.index.space)
    let chosen = (0..<count).map { all[(2 * $0 + 1) * all.count / (2 * count)] }
    var vectors: [Float] = []
    try snapshot.forEachBlock(of: space, containing: RowSet(chosen)) { block in
      for row in block.rows { vectors += block.vector(of: row) }
    }
    let units = try vectors.withUnsafeBufferPointer {
      try unitVectors($0, count: count, space: space).vectors
    }
    let found = try snapshot.nearest(
      to: vectors, count: count, k: k + 1, in: space, among: RowSet(all), threads: threads)
    // A row of which there are copies enough says nothing of how far others have to look.
    let last = min(IndexMeasurement.usualCount, k)
    var telling = (0..<count).filter { (found[$0].prefix(last + 1).last?.similarity ?? 0) < 0.99999 }
    if telling.isEmpty { telling = Array(0..<count) }
    let width = space.dimension
    self.init(
      telling.flatMap { units[$0 * width..<($0 + 1) * width] }, rows: telling.map { chosen[$0] },
      truth: telling.map { place in
        Array(found[place].filter { $0.row != chosen[place] }.prefix(k))
      }, lists)
  }

  /// Queries that are no rows.
  /// - Parameters:
  ///   - vectors: [count, dimension], of unit length.
  ///   - k: how many of the nearest rows.
  init(
    _ vectors: [Float], in lists: MeasuredLists, k: Int, threads: Int, _ snapshot: borrowing Snapshot
  ) throws {
    let space = lists.index.space
    let truth = try snapshot.nearest(
      to: vectors, count: vectors.count / space.dimension, k: k, in: space, among: RowSet(lists.rows),
      threads: threads)
    self.init(vectors, rows: [], truth: truth, lists)
  }

  private init(_ vectors: [Float], rows: [Row], truth: [[Neighbor]], _ lists: MeasuredLists) {
    let scores = lists.scores(of: vectors)
    let stride = lists.table.scoreStride
    self.vectors = vectors
    self.rows = rows
    self.truth = truth
    centreDistances = truth.enumerated().map { query, neighbors in
      neighbors.map { neighbor in
        let best = lists.lists(of: neighbor.row).map { scores[query * stride + Int($0)] }.max()
        return max(0, 1 - 2 * (best ?? 0))
      }
    }
    starts = lists.nearestCentres(scores, count: truth.count)
  }
}

/// An index in which every row has its lists at hand.
struct MeasuredLists {
  let index: StoredIndex
  let table: CentreTable
  /// Of the index, ascending.
  let rows: [Row]
  /// [rows, lists of a row]
  let lists: [UInt32]

  func lists(of row: Row) -> ArraySlice<UInt32> {
    let (place, count) = (rows.countOfFirst { $0 < row }, index.record.listsPerRow)
    return lists[place * count..<(place + 1) * count]
  }

  /// The square of the distance of each query's nearest centre.
  /// - Parameter queries: [count, dimension], of unit length.
  func nearestCentres(of queries: [Float]) -> [Float] {
    nearestCentres(scores(of: queries), count: queries.count / index.space.dimension)
  }

  /// - Parameter scores: [count, table.scoreStride]
  fileprivate func nearestCentres(_ scores: [Float], count: Int) -> [Float] {
    (0..<count).map { query in
      let ofQuery = scores[query * table.scoreStride..<query * table.scoreStride + table.count]
      return max(0, 1 - 2 * (ofQuery.max() ?? 0))
    }
  }

  /// [count, table.scoreStride]
  fileprivate func scores(of queries: [Float]) -> [Float] {
    let dimension = index.space.dimension
    let count = queries.count / dimension
    var rotated = [Float](repeating: 0, count: count * table.width)
    var scores = [Float](repeating: 0, count: max(1, count) * table.scoreStride)
    queries.withUnsafeBufferPointer { queries in
      rotated.withUnsafeMutableBufferPointer { rotated in
        guard let source = queries.baseAddress, let target = rotated.baseAddress else { return }
        for query in 0..<count {
          index.codeSpace.rotateUnit(of: source + query * dimension, into: target + query * table.width)
        }
      }
    }
    table.score(rotated, rows: count, into: &scores, CentreTable.Scratch())
    return scores
  }
}
