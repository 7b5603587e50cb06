import Kernels
import Storage

/// A search through an index: lists whose centres are near are scanned by their codes, and rows whose estimate may
/// reach the last neighbor are compared as an exact search compares them.
///
/// What it finds are cells with their exact similarities. Which are found depends on nothing but the index, the query,
/// the calibration and the limits: not on threads, and but for the last bits of scores not on what else is searched for.
struct IndexSearch {
  /// Queries that are compared with the centres together.
  private static let batch = 32

  let index: StoredIndex
  let centres: any ScoredCentres
  let calibration: IndexRecord.Calibration
  let k: Int
  let wanted: RowMask?
  let excluded: ExcludedGroups?
  let limits: ListLimits
  let rule: VisitRule
  /// Whether it is noted what queries meet on their way.
  let isTraced: Bool

  /// - Parameters:
  ///   - wanted: the rows to search; nil for all that the index holds.
  ///   - excluded: what is left out besides, query by query.
  ///   - limits: where queries are given up; none without it.
  ///   - rule: other than that of a range to find out about reaches.
  init(
    _ index: StoredIndex, _ centres: any ScoredCentres, _ calibration: IndexRecord.Calibration, k: Int,
    wanted: RowMask?, excluded: ExcludedGroups? = nil, limits: ListLimits = ListLimits(),
    rule: VisitRule = .ofRange, isTraced: Bool = false
  ) {
    self.limits = limits
    self.rule = rule
    self.isTraced = isTraced
    self.excluded = excluded
    self.index = index
    self.centres = centres
    self.calibration = calibration
    self.k = k
    self.wanted = wanted
  }

  /// The nearest rows of each query, nearest first; nil where it is given up.
  /// - Parameter queries: [count, dimension], of unit length or zero.
  /// - Throws: `badData` when the index leads to what is not there.
  func run(
    _ queries: [Float], threads: Int
  ) throws -> (neighbors: [[Neighbor]?], work: SearchWork) {
    let outcome = try outcome(queries, threads: threads)
    return (outcome.neighbors, outcome.work)
  }

  /// What each query meets on its way.
  /// - Parameter queries: as for `run`.
  /// - Throws: `badData` when the index leads to what is not there.
  func traces(_ queries: [Float], threads: Int) throws -> [VisitTrace] {
    try outcome(queries, threads: threads).traces
  }

  private func outcome(_ queries: [Float], threads: Int) throws -> Outcome {
    let count = queries.count / index.space.dimension
    // Few queries are shared by all threads, too.
    let batch = max(1, min(Self.batch, (count + threads - 1) / threads))
    let batches = (count + batch - 1) / batch
    let lanes = min(threads, batches)
    let outcomes = try valuesOfLanes(lanes, of: batches) { share in
      try search(
        queries, min(count, share.lowerBound * batch)..<min(count, share.upperBound * batch), lanes: lanes)
    }
    var all = Outcome()
    for found in outcomes {
      all.neighbors += found.neighbors
      all.traces += found.traces
      all.work.add(found.work)
    }
    return all
  }

  private struct Outcome {
    var neighbors: [[Neighbor]?] = []
    /// Of each query, where it is noted.
    var traces: [VisitTrace] = []
    var work = SearchWork()
  }

  private func search(
    _ queries: [Float], _ range: Range<Int>, lanes: Int
  ) throws -> Outcome {
    let lane = try SearchLane(self, batch: Self.batch, lanes: lanes)
    var outcome = Outcome()
    try queries.withUnsafeBufferPointer { queries in
      guard let base = queries.baseAddress else { return }
      for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.batch) {
        let end = min(start + Self.batch, range.upperBound)
        lane.prepare(base + start * index.space.dimension, count: end - start)
        for query in start..<end {
          var trace = isTraced ? VisitTrace(radius: calibration.radius) : nil
          outcome.neighbors.append(
            try lane.search(
              base + query * index.space.dimension, at: query - start, number: query, &trace))
          if let trace { outcome.traces.append(trace) }
        }
      }
    }
    outcome.work = lane.work
    return outcome
  }
}

/// What a search did, summed over its queries.
package struct SearchWork: Sendable, Equatable {
  /// Vertices of a graph that were visited.
  package internal(set) var vertices = 0
  package internal(set) var lists = 0
  package internal(set) var codes = 0
  /// Rows that were compared exactly.
  package internal(set) var rows = 0

  mutating func add(_ other: SearchWork) {
    vertices += other.vertices
    lists += other.lists
    codes += other.codes
    rows += other.rows
  }
}

/// A set of rows with a bit for each.
///
/// Shared between threads: nothing changes after `init`.
final class RowMask: @unchecked Sendable {
  let words: UnsafePointer<UInt64>
  /// One more than the last row.
  let rowLimit: UInt32
  let count: Int

  init(_ rows: RowSet) {
    count = rows.count
    rowLimit = rows.last.map { $0 + 1 } ?? 0
    let wordCount = Int(rowLimit) / 64 + 1
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: wordCount)
    words.initialize(repeating: 0, count: wordCount)
    rows.setBits(in: UnsafeMutableBufferPointer(start: words, count: wordCount))
    self.words = UnsafePointer(words)
  }

  deinit { words.deallocate() }

  func contains(_ row: Row) -> Bool {
    row < rowLimit && words[Int(row) / 64] >> UInt64(row % 64) & 1 == 1
  }
}
