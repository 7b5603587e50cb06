import Faults
package import Storage

/// Vectors read where they lie in the database's memory map: nothing but the mini-batch is copied.
///
/// The snapshot that the blocks come from must stay open for as long as this value is used.
package struct BlockVectors: SampleVectors, @unchecked Sendable {
  // Shared: pointers into immutable pages of a read-only memory map. Any thread may read them, none can
  // write them, and the caller keeps the snapshot that holds the pages open: hence @unchecked Sendable.
  private let locations: [UnsafePointer<Float>]
  package let dimension: Int
  package var count: Int { locations.count }

  /// - Parameters:
  ///   - blocks: runs of vectors in the order of their rows; slot i of a block belongs to `firstRow + i`.
  ///   - rows: the row of each sample, in any order.
  /// - Throws: `missingInput` for a row that lies in no block.
  package init(
    blocks: [(firstRow: Row, base: UnsafePointer<Float>, slotCount: Int)], dimension: Int, rows: [Row]
  ) throws {
    self.dimension = dimension
    locations = try rows.map { row in
      // The last block that starts at or before the row is the only one that can hold it.
      var low = 0
      var high = blocks.count
      while low < high {
        let middle = (low + high) / 2
        if blocks[middle].firstRow <= row { low = middle + 1 } else { high = middle }
      }
      guard low > 0, case let block = blocks[low - 1], Int(row - block.firstRow) < block.slotCount else {
        throw Fault(
          .missingInput, "cell \(row)", "has no vector in the space that is trained on",
          remedy: "ingest its image into this space, or leave the cell out")
      }
      return block.base + Int(row - block.firstRow) * dimension
    }
  }

  /// The vectors of `rows` in `space`, one sample a row.
  package init(snapshot: borrowing Snapshot, space: SpaceRecord, rows: [Row]) throws {
    let wanted = RowSet(rows)
    let present = try snapshot.rows(in: space)
    if let missing = wanted.subtracting(present).toArray().first {
      throw Fault(
        .missingInput, "cell \(missing)", "has no vector in space \(space.name)",
        remedy: "ingest its image into this space, or leave the cell out")
    }
    var blocks: [(firstRow: Row, base: UnsafePointer<Float>, slotCount: Int)] = []
    try snapshot.forEachBlock(of: space, containing: wanted) {
      blocks.append(($0.firstRow, $0.base, $0.slotCount))
    }
    try self.init(blocks: blocks, dimension: space.dimension, rows: rows)
  }

  package func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    locations.withUnsafeBufferPointer { locations in
      copyVectors(indices, dimension: dimension, into: batch) { locations[Int($0)] }
    }
  }
}
