import Faults

/// Cells that are about to be deleted, and what goes with them.
package struct CellDeletion: Sendable {
  /// Cells deleted in one transaction.
  static let rowsPerCommit = 20_000

  /// The cells there are among those asked for.
  package let rows: RowSet
  /// Their vectors, in all spaces together.
  package let vectorCount: Int
  /// The images of which they are.
  package let images: Set<UInt32>

  package init(of rows: RowSet, in snapshot: borrowing Snapshot) throws {
    self.rows = rows.intersection(try snapshot.allRows())
    var vectorCount = 0
    for space in snapshot.spaces { vectorCount += try snapshot.rows(in: space).intersection(self.rows).count }
    self.vectorCount = vectorCount
    var images: Set<UInt32> = []
    for row in self.rows.toArray() {
      if let cell = try snapshot.transaction.storedCell(at: row) { images.insert(cell.image) }
    }
    self.images = images
  }

  /// Deletes the cells in transactions of bounded size. A run that ends early has deleted the first of them; the
  /// same condition again selects the others.
  /// - Parameters:
  ///   - forgetsImages: whether ingest is to embed their images anew.
  ///   - progress: called after each transaction with the number of cells that are gone; a throw ends the run.
  package func run(
    on writer: DatabaseWriter, forgetsImages: Bool = false, progress: (Int) throws -> Void = { _ in }
  ) throws {
    let rows = self.rows.toArray()
    for start in stride(from: 0, to: rows.count, by: CellDeletion.rowsPerCommit) {
      let end = min(start + CellDeletion.rowsPerCommit, rows.count)
      try writer.write { transaction in
        let images = try transaction.deleteCells(RowSet(rows[start..<end]))
        // With the cells: once they are gone, nothing leads to their images.
        if forgetsImages { try transaction.forgetImages(images) }
      }
      try progress(end)
    }
  }
}
