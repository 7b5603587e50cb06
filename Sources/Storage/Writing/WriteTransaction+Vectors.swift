import Faults

extension WriteTransaction {
  /// Stores one vector for each row, in place of one that the row has already, as the nearest numbers of the space's
  /// scalar type.
  /// - Shape: `vectors` is [rows.count, dimension] float32, row-major.
  /// - Throws: `badData` when a number is NaN or infinite, or too large for the type.
  package mutating func setVectors(
    _ vectors: UnsafeBufferPointer<Float>, of rows: [Row], in space: SpaceRecord
  ) throws {
    let dimension = space.dimension
    precondition(vectors.count == rows.count * dimension)
    if let position = space.scalar.firstBeyond(in: vectors) {
      throw unstorable(
        vectors[position], of: rows[position / dimension], column: position % dimension, in: space)
    }
    let layout = BlockLayout(of: space)
    var start = 0
    while start < rows.count {
      // As many rows as follow one another in a block.
      let first = rows[start]
      let limit = layout.rows(of: layout.block(of: first)).upperBound
      var end = start + 1
      while end < rows.count, rows[end] < limit, rows[end] == rows[end - 1] + 1 { end += 1 }
      let run = UnsafeBufferPointer(rebasing: vectors[start * dimension..<end * dimension])
      try blocks.set(run, of: first..<first + Row(end - start), space: space.id, layout, transaction)
      for row in rows[start..<end] { try sets.insert(row, into: .space(space.id), transaction) }
      start = end
    }
  }
}

private func unstorable(_ value: Float, of row: Row, column: Int, in space: SpaceRecord) -> Fault {
  guard value.isFinite else {
    return Fault(
      .badData, "the vector of cell \(row)", expected: "finite numbers", found: "NaN or infinity",
      remedy: "leave this cell out")
  }
  return Fault(
    .badData, "the vector of cell \(row), column \(column)",
    expected: "numbers up to \(space.scalar.greatestText), which space \"\(space.name)\" keeps as "
      + space.scalar.rawValue,
    found: "\(value)", remedy: "leave this cell out, or make another space with --store")
}
