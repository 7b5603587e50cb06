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
  /// - Returns: what `endVectors` is to be given when they have been.
  func beginVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder?
  func endVectors(_ order: ReadingOrder?)
}

extension Snapshot: VectorSource {}
