import Kernels
import Query

@testable import Storage

/// Vectors of one space in memory, cut into blocks as a database would: the oracle's data.
///
/// Unchecked: `stored` and the copies are allocated once, filled in `init` and only read afterwards.
final class MemoryVectors: VectorSource, @unchecked Sendable {
  let space: SpaceRecord
  let present: RowSet
  let rowLimit: Int
  let rowsPerBlock: Int
  /// `rowLimit` vectors of the scalar type; rows that are not present hold NaN, which no search may read.
  let stored: UnsafeMutableRawBufferPointer

  /// Coarse copies by the first row of their block; some blocks have none.
  private var copies: [Int: UnsafeMutablePointer<UInt8>] = [:]

  /// - Parameter withoutCopy: one in so many blocks has no coarse copy, the others have; nil for none at all.
  init(
    _ vectors: [[Float]?], dimension: Int, rowsPerBlock: Int, scalar: ScalarType = .float32,
    withoutCopy: Int? = nil
  ) {
    space = SpaceRecord(id: 0, name: "test", dimension: dimension, scalar: scalar)
    present = RowSet(vectors.indices.filter { vectors[$0] != nil }.map { Row($0) })
    rowLimit = vectors.count
    self.rowsPerBlock = rowsPerBlock
    let vectorByteCount = space.vectorByteCount
    stored = .allocate(byteCount: vectors.count * vectorByteCount, alignment: 64)
    stored.initializeMemory(as: UInt8.self, repeating: 0xFF)
    for (row, vector) in vectors.enumerated() {
      guard let vector, let base = stored.baseAddress else { continue }
      vector.withUnsafeBufferPointer {
        scalar.narrow($0, dimension: dimension, into: base + row * vectorByteCount)
      }
    }
    if let withoutCopy { makeCopies(without: withoutCopy) }
  }

  deinit {
    stored.deallocate()
    for copy in copies.values { copy.deallocate() }
  }

  /// Rows that are not present are zero in a database.
  private func makeCopies(without one: Int) {
    for (block, first) in stride(from: 0, to: rowLimit, by: rowsPerBlock).enumerated() where block % one != 0
    {
      let count = min(rowsPerBlock, rowLimit - first)
      let zeros = [UInt8](repeating: 0, count: vectorByteCount)
      var rows: [UInt8] = []
      for row in first..<first + count {
        rows +=
          present.contains(Row(row))
          ? stored[row * vectorByteCount..<(row + 1) * vectorByteCount].map { $0 } : zeros
      }
      let copy = UnsafeMutablePointer<UInt8>.allocate(
        capacity: (count + 15) / 16 * kernels_coarse_group_bytes(space.dimension))
      kernels_coarsen(space.scalar.kernel, rows, count, space.dimension, copy)
      copies[first] = copy
    }
  }

  func rows(in space: SpaceRecord) -> RowSet { present }

  private var vectorByteCount: Int { space.vectorByteCount }

  /// The vector as it is stored.
  func vector(_ row: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: space.dimension) { vector, count in
      if let target = vector.baseAddress, let base = stored.baseAddress {
        space.scalar.widen(base + row * vectorByteCount, count: space.dimension, into: target)
      }
      count = space.dimension
    }
  }

  func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, withCoarse: Bool, _ body: (VectorBlock) throws -> Void
  ) throws {
    let asked = rows.intersection(present)
    for first in stride(from: 0, to: rowLimit, by: rowsPerBlock) {
      let slots = Row(first)..<Row(min(first + rowsPerBlock, rowLimit))
      let wanted = asked.intersection(RowSet(slots))
      guard !wanted.isEmpty, let base = stored.baseAddress else { continue }
      try body(
        VectorBlock(
          firstRow: slots.lowerBound, slotCount: slots.count, dimension: space.dimension,
          scalar: space.scalar, base: UnsafeRawPointer(base + first * vectorByteCount),
          wanted: wanted.count == slots.count ? nil : wanted,
          coarse: withCoarse ? copies[first].map { UnsafePointer($0) } : nil))
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

  // Memory is read in any order.
  func beginVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder? { nil }
  func endVectors(_ order: ReadingOrder?) {}
}
