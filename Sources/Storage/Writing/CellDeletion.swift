import Faults

/// Cells that are about to be deleted, and what goes with them.
package struct CellDeletion: Sendable {
  /// Cells deleted in one transaction at most: a chunk of row sets, so that a set that has a few of them is written once.
  package static let rowsPerCommit = 65_536
  /// Blocks of vectors that one transaction writes at most, and so holds in memory: 64 MiB.
  static let blocksPerCommit = 256

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
      if let image = try snapshot.transaction.cellImage(at: row) { images.insert(image) }
    }
    self.images = images
  }

  /// Deletes the cells in transactions of bounded size. A run that ends early has deleted the first of them; the
  /// same condition again selects the others.
  /// - Parameters:
  ///   - forgetsImages: whether ingest is to embed their images anew.
  ///   - rowsPerCommit: cells of a transaction at most.
  ///   - progress: called after each transaction with the number of cells that are gone; a throw ends the run.
  package func run(
    on writer: DatabaseWriter, forgetsImages: Bool = false, rowsPerCommit: Int = rowsPerCommit,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    var rest = rows.toArray()[...]
    let layouts = try writer.database.read { $0.spaces.map(BlockLayout.init(of:)) }
    while !rest.isEmpty {
      let part = CellDeletion.part(of: rest, layouts, rowLimit: rowsPerCommit)
      try writer.write { transaction in
        let images = try transaction.deleteCells(RowSet(part))
        // With the cells: once they are gone, nothing leads to their images.
        if forgetsImages { try transaction.forgetImages(images) }
      }
      rest = rest[part.endIndex...]
      try progress(rest.startIndex)
    }
  }

  /// The first of the rows, which ascend, as many as one transaction deletes: whole chunks of row sets, if it can be.
  /// - Parameter layouts: of the spaces that may have vectors of the cells.
  static func part(
    of rows: ArraySlice<Row>, _ layouts: [BlockLayout], rowLimit: Int = rowsPerCommit
  ) -> ArraySlice<Row> {
    precondition(rowLimit > 0)
    var blockCount = 0
    var blockEnds = [Row](repeating: 0, count: layouts.count)
    var chunkStart = 0
    for (count, row) in rows.prefix(rowLimit + 1).enumerated() {
      if count > 0, SetChunk.chunk(of: row) != SetChunk.chunk(of: rows[rows.startIndex + count - 1]) {
        chunkStart = count
      }
      var opensBlock = false
      for (index, layout) in layouts.enumerated() where row >= blockEnds[index] {
        blockCount += 1
        opensBlock = true
        blockEnds[index] = layout.rows(of: layout.block(of: row)).upperBound
      }
      // With more spaces than that, the first row alone opens too many, and the rows of those blocks go along.
      if count == rowLimit || count > 0 && opensBlock && blockCount > blocksPerCommit {
        return rows.prefix(chunkStart > 0 ? chunkStart : count)
      }
    }
    return rows
  }
}
