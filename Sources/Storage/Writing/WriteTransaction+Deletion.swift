import Faults

extension WriteTransaction {
  /// Removes cells with their values, and their vectors in every space. Rows without a cell are passed over.
  ///
  /// The rows are not given out again. What became of the cells' images stays known, so that ingest does not embed
  /// them again; see `forgetImages`.
  /// - Returns: the images of which the cells were.
  @discardableResult
  package mutating func deleteCells(_ rows: RowSet) throws -> Set<UInt32> {
    var images: Set<UInt32> = []
    for row in rows.toArray() {
      guard let cell = try transaction.storedCell(at: row) else { continue }
      for (field, value) in cell.values { try index(row, field: field, from: value, to: nil) }
      try sets.remove(row, from: .cells, transaction)
      try transaction.delete(.cells, Key().appending(row))
      images.insert(cell.image)
    }
    for space in spaces { try deleteVectors(of: rows, in: space) }
    return images
  }

  /// Removes vectors of a space, block by block. The cells stay.
  private mutating func deleteVectors(of rows: RowSet, in space: SpaceRecord) throws {
    let layout = BlockLayout(of: space)
    var next = rows.next(from: 0)
    while let row = next {
      let block = layout.block(of: row)
      let range = layout.rows(of: block)
      let held = try sets.rows(range, in: .space(space.id), transaction)
      let leaving = held.intersection(rows)
      if !leaving.isEmpty {
        try blocks.clear(
          leaving, keeping: held.subtracting(leaving), block: block, space: space.id, layout, transaction)
        for row in leaving.toArray() { try sets.remove(row, from: .space(space.id), transaction) }
        try leaveIndex(leaving.toArray(), of: space)
      }
      next = range.upperBound == .max ? nil : rows.next(from: range.upperBound)
    }
  }

  /// Forgets what became of images, so that ingest embeds their objects anew. Of an image without cells nothing
  /// remains.
  package func forgetImages(_ images: some Sequence<UInt32>) throws {
    for number in images {
      guard let image = try transaction.image(number) else { continue }
      for space in spaces {
        try transaction.delete(.outcomes, Key().appending(space.id).appending(number))
      }
      guard try image.rows.allSatisfy({ try sets.rows($0, in: .cells, transaction).isEmpty }) else {
        continue
      }
      try transaction.delete(.images, Key().appending(number))
      try transaction.delete(.imageIDs, Key().appending(image.identity))
    }
  }
}
