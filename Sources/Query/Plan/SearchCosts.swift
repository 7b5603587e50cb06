import Glibc
import Kernels
import Storage

/// Estimates how long the ways of a search take for one of its queries, from counts alone.
///
/// They are nanoseconds of one thread of one machine under load, fitted to searches of 60,000 x 128 and 100,000 x 384
/// vectors (docs/search.md has the table that `bench/search/run --steps ways` prints). Other machines take other times; what
/// counts is how the ways compare.
struct SearchCosts: Sendable {
  /// Numbers of a vector, and of a rotated one, and bytes of a vector.
  let dimension: Int
  let width: Int
  let vectorByteCount: Int
  /// Rows that have a vector, whether they match or not.
  let rowCount: Int
  /// Queries of the search. A pass over the vectors serves all of them.
  private(set) var queries: Int
  /// Whether the space has int8 copies.
  let hasCopies: Bool
  /// How many times as long as it is estimated to take comparing all is taken to take.
  let scanWeight: Double

  init(of space: SpaceRecord, rowCount: Int, queries: Int, hasCopies: Bool, scanWeight: Double = 1) {
    self.rowCount = rowCount
    dimension = space.dimension
    width = kernels_code_width(space.dimension)
    vectorByteCount = space.vectorByteCount
    self.queries = max(1, queries)
    self.hasCopies = hasCopies
    self.scanWeight = scanWeight
  }

  /// The same for another number of queries.
  func of(queries: Int) -> SearchCosts {
    var costs = self
    costs.queries = max(1, queries)
    return costs
  }

  /// A vertex of a graph that is visited, once its memory is known to the process.
  private var visit: Double { 200 + 0.7 * Double(width) }
  /// The first touch of memory of the map, of which the system makes a piece known to the process, and the same of pieces
  /// nearly all of which are touched.
  private var touch: Double { 5000 }
  private var sweepingTouch: Double { 1500 }
  private var pieceByteCount: Double { 65_536 }
  /// A code that is scanned.
  var code: Double { 0.02 * Double(width) }
  /// A list that is visited, beside its codes.
  private var list: Double { 150 }
  /// A code of a row that is looked for, when it is copied, and one that is passed over then.
  private var copiedCode: Double { 30 + 0.3 * Double(width) }
  private var passedCode: Double { 3 }
  /// A vector that is compared by itself, wherever it lies.
  var comparison: Double { 85 + 0.8 * Double(dimension) }
  /// A vector that is read beside others that are not.
  private var scattered: Double { 200 }
  /// A row of a set that is made a mask of bits.
  private var maskedRow: Double { 1.5 }
  /// What begins and ends a search through an index, whatever its queries are.
  private var start: Double { 600_000 }
  /// Reading what is known of lists.
  private var knowing: Double { 100_000 }

  /// Comparing every row with a query, in place of a search through an index.
  func scan(rows: Int, k: Int) -> Double { scanWeight * comparing(rows: rows, k: k) }

  /// The same where there is nothing in its place.
  /// - Parameter isBesides: whether neighbors were found among all other rows before, which rule most of these out.
  func comparing(rows: Int, k: Int, isBesides: Bool = false) -> Double {
    if rows == 0 { return 0 }
    let copiesHelp = ScanQueries.copiesHelp(
      dimension: dimension, k: k, rowCount: rows, isLimited: isBesides)
    let (rows, k) = (Double(rows), Double(min(k, rows)))
    let numbers = Double(dimension)
    let row: Double
    if copiesHelp && queries >= ScanQueries.manyQueries {
      // A block is made coarse in the time of some fifteen comparisons.
      row = 0.007 * numbers * (hasCopies ? 1 : 1 + 15 / Double(queries))
    } else {
      let share = rows / Double(max(1, rowCount))
      let hasCopies = hasCopies && copiesHelp && share >= ScanQueries.leastCopiedShare
      let byteCount = hasCopies ? numbers : Double(vectorByteCount)
      row =
        0.045 * byteCount / Double(queries) + 0.03 * numbers
        + touches(rows, of: Double(rowCount) * byteCount) / rows
        + (share < ScanQueries.denseShare && !hasCopies ? scattered / Double(queries) : 0)
    }
    // Early neighbors are not the last ones.
    let compared = isBesides ? k * rows / Double(max(1, rowCount)) : min(rows, k * (1 + log(rows / k)))
    return rows * row + compared * (90 + 0.33 * numbers)
  }

  /// The first touches of things that lie scattered over some memory, in a process that does nothing else.
  /// - Parameter count: of a query.
  private func touches(_ count: Double, of byteCount: Double) -> Double {
    min(count * touch, byteCount / pieceByteCount / Double(queries) * sweepingTouch)
  }

  /// The visits of a query.
  func visits(_ count: Double, of record: GraphRecord) -> Double {
    count * visit + touches(count, of: byteCount(of: record))
  }

  /// How many visits take so long.
  func visits(costing cost: Double, of record: GraphRecord) -> Double {
    let all = byteCount(of: record) / pieceByteCount / Double(queries) * sweepingTouch
    return max(cost / (visit + touch), (cost - all) / visit)
  }

  private func byteCount(of record: GraphRecord) -> Double {
    Double(record.vertexCount) * Double(record.vertexByteCount)
  }

  /// A search through a graph.
  /// - Parameters:
  ///   - visits: of a query.
  ///   - maskedRows: rows that may be found, where that are not all.
  func graph(_ record: GraphRecord, visits: Double, k: Int, maskedRows: Int?) -> Double {
    start / Double(queries) + 10 * Double(width) + Double(record.entryCount) * code
      + self.visits(visits, of: record) + comparisons(1.1 * Double(k), of: record.vertexCount)
      + maskedRow * Double(maskedRows ?? 0) / Double(queries)
  }

  /// Vectors that are compared by themselves, wherever they lie.
  private func comparisons(_ count: Double, of rows: Int) -> Double {
    count * comparison + touches(count, of: Double(rows * vectorByteCount))
  }

  /// A search through lists, without what comes before the first of them.
  /// - Parameter share: of the rows that are looked for.
  func lists(_ record: IndexRecord, _ effort: IndexRecord.Effort, share: Double) -> Double {
    let codes = Double(effort.codes) * (share < PackedLists.leastShare ? share : 1)
    let byteCount = Double(record.rowCount) * Double(record.codeByteCount)
    return Double(effort.lists) * list + touches(Double(effort.lists), of: byteCount) + codes * code
      + comparisons(Double(effort.rows), of: record.rowCount)
  }

  /// What a search through lists takes at least: what begins it where there are as many as are made of so many vectors.
  func leastOfLists(vectors: Int) -> Double {
    knowing / Double(queries) + centres(IndexBuild.listCount(rows: vectors))
  }

  /// The start, and a query's comparison with the centres of lists.
  private func centres(_ count: Int) -> Double {
    let (numbers, queries) = (Double(count * width), Double(self.queries))
    return start / queries
      + (self.queries < fewQueries
        ? 0.25 * numbers + 0.5 * numbers / queries : 0.0075 * numbers + 2 * numbers / queries)
  }

  /// What comes before the first list.
  func listsStart(_ record: IndexRecord, _ effort: IndexRecord.Effort, share: Double, maskedRows: Int?)
    -> Double
  {
    let (lists, queries) = (Double(record.listCount), Double(self.queries))
    var total = centres(record.listCount) + maskedRow * Double(maskedRows ?? 0) / queries
    if share < PackedLists.leastShare {
      // A list is packed when it is first met.
      let met = min(lists, Double(effort.lists) * queries) / Double(max(1, effort.lists))
      total += met * Double(effort.codes) * (passedCode + share * copiedCode) / queries
    }
    return total
  }
}

/// Fewer queries are compared with centres in float32, where they lie: turning those into 8 bits takes longer.
let fewQueries = 16

extension GraphRecord {
  /// What searches visit; for graphs that do not know, what those of 100,000 vectors do.
  func effort(_ calibration: Calibration) -> GraphEffort {
    calibration.effort
      ?? GraphEffort(
        visits: [.init(neighbors: 10, visits: 40), .init(neighbors: 100, visits: 300)],
        farVisits: calibration.farReach == nil ? nil : 4096)
  }
}

extension IndexRecord {
  /// What a search for so many neighbors does; for indexes that do not know, what those of 100,000 vectors do.
  func effort(_ calibration: Calibration, neighbors: Double) -> Effort {
    if let known = calibration.effort(neighbors: neighbors) { return known }
    let root = Double(rowCount).squareRoot() * max(1, neighbors / 10).squareRoot()
    return Effort(lists: Float(0.25 * root), codes: Float(40 * root), rows: Float(max(1, 10 * neighbors)))
  }
}
