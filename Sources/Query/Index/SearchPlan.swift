package import Storage

/// How a search is carried out, decided from counts before it begins.
package struct SearchPlan: Sendable, Equatable {
  package enum Way: Sendable, Equatable {
    /// Every matching row is compared, because of what the text says.
    case exact(String)
    case index(IndexRecord.Calibration)
    case graph(GraphRecord.Calibration)
  }

  /// Matching rows up to which comparing all of them takes no longer than looking for codes that match.
  static let exactLimit = 10_000

  package let way: Way
  /// Rows of the space that match the filter.
  package let matching: Int
  /// Those of them that the index or the graph holds; the others are compared one by one.
  package let indexed: Int
  /// What the search through the index or the graph did.
  package internal(set) var work = SearchWork()
}

extension Snapshot {
  /// The nearest cells of each query by cosine similarity, nearest first, through the space's index where that helps.
  ///
  /// A query has `k` neighbors whenever so many of `rows` have a vector in the space, and their similarities are exact.
  /// Through an index, some of the nearest may be missing: as many as `recall` allows on average, as was measured when
  /// it was built. Rows that are not in the index are compared one by one.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameters:
  ///   - rows: the rows to search; nil for all.
  ///   - least: the similarity that a neighbor must have at least.
  ///   - recall: the share of the nearest neighbors to find, up to 1; 1 compares with every row.
  ///   - exactLimit: matching rows up to which all are compared.
  /// - Throws: `usage` when the queries' dimension is not the space's; `badData` when a query holds NaN or infinity, or
  ///   the index is damaged.
  package borrowing func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, among rows: RowSet?,
    atLeast least: Float = -1, recall: Double, threads: Int, exactLimit: Int = SearchPlan.exactLimit
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    let present = try self.rows(in: space)
    let matching = rows?.intersection(present) ?? present
    func exact(_ reason: String) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
      let found = try nearest(
        to: queries, count: count, k: k, in: space, among: rows, atLeast: least, threads: threads)
      return (found, SearchPlan(way: .exact(reason), matching: matching.count, indexed: 0))
    }
    if recall >= 1 { return try exact("as was asked for") }
    if let (neighbors, plan) = try nearestByGraph(
      to: queries, count: count, k: k, in: space, among: matching, recall: recall, threads: threads,
      exactLimit: exactLimit)
    {
      return (neighbors.map { $0.filter { $0.similarity >= least } }, plan)
    }
    guard let record = try indexRecord(of: space) else { return try exact("the space has no index") }
    guard let calibration = record.calibration(recall: recall) else {
      return try exact("the index was measured up to a recall of \(record.calibrations.last?.recall ?? 0)")
    }
    let inIndex = matching.intersection(try indexedRows(in: space))
    if inIndex.count <= exactLimit { return try exact("few rows match") }
    if k > inIndex.count / 20 { return try exact("many neighbors are asked for") }
    let units = try queries.withUnsafeBufferPointer { try unitVectors($0, count: count, space: space) }
    if hasZeroVector(units, dimension: space.dimension) { return try exact("a query is zero throughout") }

    let index = try self.index(record, of: space)
    let search = IndexSearch(
      index, try CentreTable(of: index, isForMany: count >= fewQueries), calibration, k: k,
      wanted: inIndex.count < index.rowCount ? RowMask(inIndex) : nil)
    let fresh = matching.subtracting(inIndex)
    let known =
      fresh.isEmpty
      ? [] : try nearest(to: queries, count: count, k: k, in: space, among: fresh, threads: threads)
    let (neighbors, work) = try search.run(units, known: known, threads: threads)
    let plan = SearchPlan(
      way: .index(calibration), matching: matching.count, indexed: inIndex.count, work: work)
    return (neighbors.map { $0.filter { $0.similarity >= least } }, plan)
  }
}

/// Queries below this are compared with centres in float32: turning those into 8 bits takes longer.
private let fewQueries = 16

func hasZeroVector(_ vectors: [Float], dimension: Int) -> Bool {
  stride(from: 0, to: vectors.count, by: dimension).contains { start in
    vectors[start..<start + dimension].allSatisfy { $0 == 0 }
  }
}

extension CentreTable {
  convenience init(of index: StoredIndex, isForMany: Bool = true) throws {
    var centres: [Float] = []
    centres.reserveCapacity(index.record.listCount * index.width)
    try index.forEachRunOfCentres { _, count, base in
      centres.append(contentsOf: UnsafeBufferPointer(start: base, count: count * index.width))
    }
    self.init(centres, width: index.width, isForMany: isForMany)
  }
}
