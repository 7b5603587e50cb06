import Faults

extension WriteTransaction {
  /// Stores one vector for each row, in place of one that the row has already.
  /// - Shape: `vectors` is [rows.count, dimension] float32, row-major.
  /// - Throws: `badData` when a number is NaN or infinite.
  package mutating func setVectors(
    _ vectors: UnsafeBufferPointer<Float>, of rows: [Row], in space: SpaceRecord
  ) throws {
    precondition(vectors.count == rows.count * space.dimension)
    let layout = BlockLayout(dimension: space.dimension)
    try leaveIndex(rows, of: space)
    for (index, row) in rows.enumerated() {
      let vector = UnsafeBufferPointer(
        rebasing: vectors[index * space.dimension..<(index + 1) * space.dimension])
      guard vector.allFinite else {
        throw Fault(
          .badData, "the vector of cell \(row)", expected: "finite numbers", found: "NaN or infinity",
          remedy: "leave this cell out")
      }
      try blocks.set(vector, of: row, space: space.id, layout, transaction)
      try sets.insert(row, into: .space(space.id), transaction)
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// Whether no element is NaN or infinite. Integer arithmetic without a branch, so that it vectorises.
  fileprivate var allFinite: Bool {
    let exponent: UInt32 = 0x7F80_0000
    var excess: UInt32 = 0
    for element in self {
      excess |= ((element.bitPattern & exponent) &+ 0x0080_0000) & 0x8000_0000
    }
    return excess == 0
  }
}
