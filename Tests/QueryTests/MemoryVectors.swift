import Query

@testable import Storage

/// Vectors of one space in memory, cut into blocks as a database would: the oracle's data.
///
/// Unchecked: `values` is allocated once, filled in `init` and only read afterwards.
final class MemoryVectors: VectorSource, @unchecked Sendable {
  let space: SpaceRecord
  let present: RowSet
  let rowLimit: Int
  let rowsPerBlock: Int
  /// [rowLimit, dimension]; rows that are not present hold NaN, which no search may read.
  let values: UnsafeMutableBufferPointer<Float>

  init(_ vectors: [[Float]?], dimension: Int, rowsPerBlock: Int) {
    space = SpaceRecord(
      id: 0, name: "test", dimension: dimension)
    present = RowSet(vectors.indices.filter { vectors[$0] != nil }.map { Row($0) })
    rowLimit = vectors.count
    self.rowsPerBlock = rowsPerBlock
    values = .allocate(capacity: vectors.count * dimension)
    let absent = [Float](repeating: .nan, count: dimension)
    _ = values.initialize(from: vectors.flatMap { $0 ?? absent })
  }

  deinit { values.deallocate() }

  func rows(in space: SpaceRecord) -> RowSet { present }

  func vector(_ row: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: values[row * space.dimension..<(row + 1) * space.dimension])
  }

  func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, _ body: (VectorBlock) throws -> Void
  ) throws {
    let asked = rows.intersection(present)
    for first in stride(from: 0, to: rowLimit, by: rowsPerBlock) {
      let slots = Row(first)..<Row(min(first + rowsPerBlock, rowLimit))
      let wanted = asked.intersection(RowSet(slots))
      guard !wanted.isEmpty, let base = values.baseAddress else { continue }
      try body(
        VectorBlock(
          firstRow: slots.lowerBound, slotCount: slots.count, dimension: space.dimension,
          base: UnsafePointer(base + first * space.dimension),
          wanted: wanted.count == slots.count ? nil : wanted))
    }
  }

  /// The nearest rows by a sum in double precision: the truth, up to rounding.
  func bruteForce(_ query: [Float], k: Int, among rows: RowSet) -> [(row: Row, similarity: Double)] {
    let queryNorm = query.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let scored = rows.intersection(present).toArray().map { row in
      var dot = 0.0
      var norm2 = 0.0
      for (q, x) in zip(query, vector(Int(row))) {
        dot += Double(q) * Double(x)
        norm2 += Double(x) * Double(x)
      }
      let length = queryNorm * norm2.squareRoot()
      return (row: row, similarity: length > 0 ? dot / length : 0)
    }
    return Array(scored.sorted { ($1.similarity, $0.row) < ($0.similarity, $1.row) }.prefix(k))
  }
}
