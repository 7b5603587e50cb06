import Storage

/// Finds out how far a search must go for a recall: rows of the index are searched for, and what is found is compared
/// with an exact search. The row itself counts on neither side.
struct IndexMeasurement {
  private static let queryLimit = 256
  private static let k = 10
  /// Recalls, and the deviations by which an estimate may be wrong for them.
  private static let targets: [(recall: Double, deviations: Float)] = [
    (0.9, 1.3), (0.95, 1.7), (0.99, 2.4), (0.999, 3.5),
  ]

  private let index: StoredIndex
  private let table: CentreTable
  private let threads: Int
  private let rows: [Row]
  /// [rows, dimension], of unit length.
  private let queries: [Float]
  private let truth: [Set<Row>]
  /// The square of the distance within which queries have their neighbors, with some room.
  private let range: Float

  init(
    of index: StoredIndex, _ table: CentreTable, rows all: RowSet, threads: Int,
    _ snapshot: borrowing Snapshot
  ) throws {
    self.index = index
    self.table = table
    self.threads = threads
    let candidates = all.toArray()
    let count = min(Self.queryLimit, candidates.count)
    // From the middle of each step: training took rows from their beginnings.
    let chosen = (0..<count).map { candidates[(2 * $0 + 1) * candidates.count / (2 * count)] }
    var vectors: [Float] = []
    try snapshot.forEachBlock(of: index.space, containing: RowSet(chosen)) { block in
      for row in block.rows { vectors += block.vector(of: row) }
    }
    let units = try vectors.withUnsafeBufferPointer {
      try unitVectors($0, count: count, space: index.space)
    }
    let found = try snapshot.nearest(
      to: vectors, count: count, k: Self.k + 1, in: index.space, among: all, threads: threads)
    // A row of which there are copies enough says nothing of how far others have to look.
    var telling = (0..<count).filter { (found[$0].last?.similarity ?? 0) < 0.99999 }
    if telling.isEmpty { telling = Array(0..<count) }
    let dimension = index.space.dimension
    rows = telling.map { chosen[$0] }
    queries = telling.flatMap { units[$0 * dimension..<($0 + 1) * dimension] }
    // Few queries beyond what was measured are worth the much longer way of those.
    range = 1.25 * (telling.compactMap { found[$0].last.map { 2 - 2 * $0.similarity } }.max() ?? 0)
    truth = telling.map { place in
      Set(found[place].map(\.row).filter { $0 != chosen[place] }.prefix(Self.k))
    }
  }

  /// A calibration for each recall that a search reaches.
  func calibrations() throws -> [IndexRecord.Calibration] {
    let radius = self.radius()
    return try Self.targets.compactMap { target in
      func calibration(reach: Float, range: Float, farReach: Float) -> IndexRecord.Calibration {
        .init(
          recall: target.recall, reach: reach, range: range, farReach: farReach, radius: radius,
          deviations: target.deviations)
      }
      let reach = try leastReach(for: target.recall) { calibration(reach: $0, range: .infinity, farReach: 0) }
      let farReach = try leastReach(for: target.recall) { calibration(reach: 0, range: -1, farReach: $0) }
      guard let reach, let farReach else { return nil }
      return calibration(reach: reach, range: range, farReach: farReach)
    }
  }

  /// The least reach with which a recall is met; nil when none is enough.
  private func leastReach(
    for recall: Double, _ calibration: (Float) -> IndexRecord.Calibration
  ) throws -> Float? {
    // A part of what is left to 1 is kept in hand: other queries are not these.
    let goal = recall + (1 - recall) / 4
    // Distances between unit vectors are at most 2: 1.5 reaches nearly every list.
    var (low, high): (Float, Float) = (-0.5, 1.5)
    guard try self.recall(calibration(high)) >= goal else { return nil }
    while high - low > 0.01 {
      let middle = (low + high) / 2
      if try self.recall(calibration(middle)) >= goal { high = middle } else { low = middle }
    }
    return high
  }

  /// The root of the mean square of the rows' distances from the nearest centres.
  private func radius() -> Float {
    var rotated = [Float](repeating: 0, count: table.width)
    var scores = [Float](repeating: 0, count: table.scoreStride)
    let scratch = CentreTable.Scratch()
    var sum: Float = 0
    for start in stride(from: 0, to: queries.count, by: index.space.dimension) {
      queries.withUnsafeBufferPointer { queries in
        if let base = queries.baseAddress { index.codeSpace.rotateUnit(of: base + start, into: &rotated) }
      }
      table.score(rotated, rows: 1, into: &scores, scratch)
      sum += max(0, 1 - 2 * (scores[..<table.count].max() ?? 0))
    }
    return (sum / Float(max(1, rows.count))).squareRoot()
  }

  private func recall(_ calibration: IndexRecord.Calibration) throws -> Double {
    let search = IndexSearch(index, table, calibration, k: Self.k + 1, wanted: nil)
    let (found, _) = try search.run(queries, known: [], threads: threads)
    var (hits, total) = (0, 0)
    for (position, neighbors) in found.enumerated() {
      let others = neighbors.map(\.row).filter { $0 != rows[position] }.prefix(Self.k)
      hits += others.count { truth[position].contains($0) }
      total += truth[position].count
    }
    return total == 0 ? 1 : Double(hits) / Double(total)
  }
}
