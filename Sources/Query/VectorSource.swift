package import Storage

/// Where a search finds vectors.
package protocol VectorSource: ~Copyable {
  /// Cells with a vector in the space.
  func rows(in space: SpaceRecord) throws -> RowSet
  /// Calls `body` with each block of the space that holds at least one row of `rows`, in order of rows. A
  /// block's pointers are valid as long as the source.
  /// - Parameter withCoarse: whether blocks should have their int8 copy where one is stored.
  func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, withCoarse: Bool, _ body: (VectorBlock) throws -> Void
  ) throws
  /// Is told that so many vectors are to be read.
  /// - Returns: what reading it was told to expect before.
  func expectVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder
  /// Is told what reading is to come.
  func expect(_ order: ReadingOrder)
}

extension Snapshot: VectorSource {}
