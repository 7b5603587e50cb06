import Formats
package import Storage

/// Writes vectors of a space as a .npy file and their cells' metadata as a table, in order of rows.
package struct VectorExport {
  package let space: SpaceRecord
  private let rows: RowSet

  /// - Parameter rows: cells to export; those without a vector in the space are left out.
  package init(space: SpaceRecord, rows: RowSet, of snapshot: borrowing Snapshot) throws {
    self.space = space
    self.rows = rows.intersection(try snapshot.rows(in: space))
  }

  /// Exports what can be read of a damaged space.
  package init(space: SpaceRecord, salvaged: Salvage) {
    self.space = space
    rows = salvaged.rows
  }

  /// Writes float32 in C order, [cells, dimension].
  /// - Returns: the number of vectors.
  /// - Throws: `badData` when a block does not match its checksum, besides faults of the file written.
  package func writeVectors(to path: String, of snapshot: borrowing Snapshot) throws -> Int {
    var writer = try NPYWriter(path: path, dimension: space.dimension)
    var count = 0
    var vector = [Float](repeating: 0, count: space.dimension)
    try snapshot.forEachVerifiedBlock(of: space, with: rows) { block in
      for row in block.rows {
        block.widen(row, into: &vector)
        try writer.write(vector)
        count += 1
      }
    }
    try writer.close()
    return count
  }

  /// Writes one line for each vector: the cell's row, its image's name, then every field.
  @discardableResult
  package func writeMetadata(to path: String, of snapshot: borrowing Snapshot) throws -> Int {
    var writer = try CSVWriter(path: path)
    try writer.write(["cell"] + snapshot.fields.map(\.name))
    let rows = rows.toArray()
    for row in rows {
      let values = try snapshot.cell(at: row)?.values ?? [:]
      try writer.write([String(row)] + snapshot.fields.map { values[$0.id]?.description ?? "" })
    }
    try writer.close()
    return rows.count
  }
}
