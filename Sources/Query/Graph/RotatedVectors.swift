import Kernels
import Storage

/// Vectors of a space as graphs are made from them: of unit length, and rotated.
struct RotatedVectors {
  let codeSpace: CodeSpace
  let space: SpaceRecord
  private let perBlock: Int
  /// The vectors of the space by block; nil where it has none of the rows.
  private let bases: [UnsafeRawPointer?]

  /// - Parameter rows: rows that have a vector.
  init(of rows: RowSet, in space: SpaceRecord, _ codeSpace: CodeSpace, _ snapshot: borrowing Snapshot) throws
  {
    self.space = space
    self.codeSpace = codeSpace
    perBlock = space.rowsPerBlock
    bases = try snapshot.vectorBases(of: space, containing: rows)
  }

  /// - Shape: `target` is [width].
  func copy(_ row: Row, into target: UnsafeMutablePointer<Float>) {
    guard let base = bases[Int(row) / perBlock] else {
      preconditionFailure("a row that has a vector has a block")
    }
    let start = Int(row) % perBlock * space.vectorByteCount
    codeSpace.rotateUnit(of: base + start, space.scalar, into: target)
  }
}
