import Faults
package import Storage

/// Vectors read where they lie in the database's memory map: nothing but the mini-batch is copied, as float32.
///
/// The snapshot that the blocks come from must stay open for as long as this value is used.
package struct BlockVectors: SampleVectors, @unchecked Sendable {
  // Shared: pointers into immutable pages of a read-only memory map. Any thread may read them, none can
  // write them, and the caller keeps the snapshot that holds the pages open: hence @unchecked Sendable.
  private let locations: [UnsafeRawPointer]
  private let scalar: ScalarType
  package let dimension: Int
  package var count: Int { locations.count }

  /// - Parameters:
  ///   - blocks: blocks of one space in the order of their rows.
  ///   - rows: the row of each sample, in any order.
  /// - Throws: `missingInput` for a row that lies in no block.
  package init(blocks: [VectorBlock], space: SpaceRecord, rows: [Row]) throws {
    dimension = space.dimension
    scalar = space.scalar
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
      return block.location(of: row)
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
    var blocks: [VectorBlock] = []
    try snapshot.forEachBlock(of: space, containing: wanted) { blocks.append($0) }
    try self.init(blocks: blocks, space: space, rows: rows)
  }

  package func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    precondition(batch.count >= indices.count * dimension)
    guard var target = batch.baseAddress else { return }
    locations.withUnsafeBufferPointer { locations in
      for index in indices {
        scalar.widen(locations[Int(index)], count: dimension, into: target)
        target += dimension
      }
    }
  }
}
