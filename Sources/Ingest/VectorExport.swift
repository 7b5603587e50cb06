import Formats
package import Storage

/// Writes vectors of a space as a .npy file and their cells' metadata as a table, in order of rows.
package struct VectorExport {
  package let space: SpaceRecord
  private let rows: RowSet
  /// What is left of a damaged space; nil for one that is to be whole.
  private let salvage: Salvage?

  /// - Parameter rows: cells to export; those without a vector in the space are left out.
  package init(space: SpaceRecord, rows: RowSet, of snapshot: borrowing Snapshot) throws {
    self.space = space
    self.rows = rows.intersection(try snapshot.rows(in: space))
    salvage = nil
  }

  /// Exports what can be read of a damaged space. A last column, `damage`, says what is wrong with a cell: nothing,
  /// "vector unverified" for one that may differ from what was written, "vector lost" for one of zeros, or "record lost"
  /// for a vector without the values of its cell.
  package init(space: SpaceRecord, salvaged: Salvage) {
    self.space = space
    rows = salvaged.all
    salvage = salvaged
  }

  /// Writes float32 in C order, [cells, dimension].
  /// - Returns: the number of vectors.
  /// - Throws: `badData` when a block does not match its checksum, besides faults of the file written.
  package func writeVectors(to path: String, of snapshot: borrowing Snapshot) throws -> Int {
    var writer = try NPYWriter(path: path, dimension: space.dimension)
    if let salvage {
      try snapshot.forEachVector(of: space, left: salvage) { try writer.write($1) }
    } else {
      var vector = [Float](repeating: 0, count: space.dimension)
      try snapshot.forEachVerifiedBlock(of: space, with: rows) { block in
        for row in block.rows {
          block.widen(row, into: &vector)
          try writer.write(vector)
        }
      }
    }
    let count = writer.count
    try writer.close()
    return count
  }

  /// Writes one line for each vector: the cell's row, then every field.
  @discardableResult
  package func writeMetadata(to path: String, of snapshot: borrowing Snapshot) throws -> Int {
    var writer = try CSVWriter(path: path)
    try writer.write(["cell"] + snapshot.fields.map(\.name) + (salvage == nil ? [] : ["damage"]))
    let rows = rows.toArray()
    for row in rows {
      let isLost = salvage?.recordless.contains(row) == true
      let values = try isLost ? [:] : snapshot.listedCell(at: row).values
      try writer.write(
        [String(row)] + snapshot.fields.map { values[$0.id]?.description ?? "" }
          + (salvage.map { [$0.damage(of: row)] } ?? []))
    }
    try writer.close()
    return rows.count
  }
}

extension Salvage {
  /// What the column `damage` says of a cell.
  fileprivate func damage(of row: Row) -> String {
    if unverified.contains(row) { return "vector unverified" }
    if vectorless.contains(row) { return "vector lost" }
    return recordless.contains(row) ? "record lost" : ""
  }
}
