import Faults
import Formats

extension WriteTransaction {
  /// Stores one vector for each row, in place of one that the row has already, as the nearest numbers of the space's
  /// scalar type. Fastest where rows follow one another.
  /// - Shape: `vectors` is [rows.count, dimension] float32, row-major.
  /// - Throws: `badData` when a number is NaN or infinite, or too large for the type.
  package mutating func setVectors(
    _ vectors: UnsafeBufferPointer<Float>, of rows: [Row], in space: SpaceRecord
  ) throws {
    precondition(vectors.count == rows.count * space.dimension)
    var start = 0
    while start < rows.count {
      var end = start + 1
      while end < rows.count, rows[end] == rows[end - 1] + 1 { end += 1 }
      let run = vectors[start * space.dimension..<end * space.dimension]
      try setVectors(
        UnsafeBufferPointer(rebasing: run), of: rows[start]..<rows[end - 1] + 1, in: space)
      start = end
    }
  }

  /// The same for rows that follow one another.
  package mutating func setVectors(
    _ vectors: UnsafeBufferPointer<Float>, of rows: Range<Row>, in space: SpaceRecord
  ) throws {
    let dimension = space.dimension
    precondition(vectors.count == rows.count * dimension)
    try leaveIndex(rows, of: space)
    let layout = BlockLayout(of: space)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let end = min(rows.upperBound, layout.rows(of: layout.block(of: first)).upperBound)
      let start = Int(first - rows.lowerBound) * dimension
      let part = UnsafeBufferPointer(rebasing: vectors[start..<start + Int(end - first) * dimension])
      // Block by block, so that what is looked at here is written from the processor's cache.
      if let index = space.scalar.firstBeyond(in: part) {
        throw unstorable(
          part[index], of: first + Row(index / dimension), column: index % dimension, in: space)
      }
      try blocks.set(part, from: first, space: space.id, layout, transaction)
      first = end
    }
    try sets.insert(rows, into: .space(space.id), transaction)
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
    found: "\(value)", remedy: "leave this cell out, or make another space with --dtype")
}
