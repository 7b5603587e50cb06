import Faults
import Kernels
package import Storage

/// Vectors read where they lie in the database's memory map: nothing but the mini-batch is copied, as float32.
///
/// The snapshot that the blocks come from must stay open for as long as this value is used.
package struct BlockVectors: SampleVectors, @unchecked Sendable {
  // Shared: pointers into immutable pages of a read-only memory map. Any thread may read them, none can
  // write them, and the caller keeps the snapshot that holds the pages open: hence @unchecked Sendable.
  private let blocks: BlockTable
  private let rows: [Row]
  private let scalar: ScalarType
  package let dimension: Int
  package var count: Int { rows.count }

  /// - Parameters:
  ///   - blocks: blocks of one space in the order of their rows.
  ///   - rows: the row of each sample, in any order.
  /// - Throws: `missingInput` for a row that lies in no block.
  package init(blocks: [VectorBlock], space: SpaceRecord, rows: [Row]) throws {
    dimension = space.dimension
    scalar = space.scalar
    self.blocks = BlockTable(blocks)
    self.rows = rows
    if let missing = rows.first(where: { self.blocks.location(of: $0) == nil }) {
      throw Fault(
        .missingInput, "cell \(missing)", "has no vector in the space that is trained on",
        remedy: "ingest its image into this space, or leave the cell out")
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
    guard let target = batch.baseAddress else { return }
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer.self, capacity: indices.count) { vectors in
      for (place, index) in indices.enumerated() {
        vectors.initializeElement(at: place, to: location(of: index))
      }
      for place in vectors.indices {
        // Samples of a batch lie anywhere: while one is read, the memory of the next ones is on its way.
        if place + Self.vectorsAhead < vectors.count {
          kernels_prefetch(vectors[place + Self.vectorsAhead], blocks.vectorByteCount)
        }
        scalar.widen(vectors[place], count: dimension, into: target + place * dimension)
      }
    }
  }

  package func locate(
    _ indices: ArraySlice<Int32>, into vectors: UnsafeMutablePointer<UnsafePointer<Float>>
  ) -> Bool {
    guard scalar == .float32 else { return false }
    for (place, index) in indices.enumerated() {
      vectors[place] = location(of: index).assumingMemoryBound(to: Float.self)
    }
    return true
  }

  package func memory(of index: Int32) -> UnsafeRawBufferPointer? {
    UnsafeRawBufferPointer(start: location(of: index), count: blocks.vectorByteCount)
  }

  private func location(of index: Int32) -> UnsafeRawPointer {
    guard let vector = blocks.location(of: rows[Int(index)]) else {
      preconditionFailure("looked for before")
    }
    return vector
  }

  /// How many vectors ahead memory is asked for. With two, 64 of 768 float32 numbers took 460 ns each in place of 750,
  /// and with four or eight no less.
  private static let vectorsAhead = 2
}

/// Where the vector of a row lies: blocks of one space begin at multiples of a number of rows, so that a division finds
/// the block.
private struct BlockTable {
  private struct Place {
    var base: UnsafeRawPointer?
    /// Rows of the block.
    var slotCount: Row = 0
  }

  private let firstRow: Row
  private let step: Row
  let vectorByteCount: Int
  private let places: [Place]

  /// - Parameter blocks: in the order of their rows.
  init(_ blocks: [VectorBlock]) {
    firstRow = blocks.first?.firstRow ?? 0
    vectorByteCount = blocks.first?.vectorByteCount ?? 0
    let last = blocks.last?.firstRow ?? 0
    // What all distances between first rows are multiples of is at least the rows of a block.
    var step: Row = 0
    for block in blocks {
      var other = block.firstRow - firstRow
      while other > 0 { (step, other) = (other, step % other) }
    }
    step = max(step, Row(blocks.last?.slotCount ?? 0), 1)
    var places = [Place](repeating: Place(), count: Int((last - firstRow) / step) + 1)
    for block in blocks {
      places[Int((block.firstRow - firstRow) / step)] = Place(
        base: block.base, slotCount: Row(block.slotCount))
    }
    self.step = step
    self.places = places
  }

  /// nil for a row that lies in no block.
  @inline(__always) func location(of row: Row) -> UnsafeRawPointer? {
    guard row >= firstRow else { return nil }
    let (number, slot) = (row - firstRow).quotientAndRemainder(dividingBy: step)
    guard number < places.count else { return nil }
    let place = places[Int(number)]
    return slot < place.slotCount ? place.base.map { $0 + Int(slot) * vectorByteCount } : nil
  }
}
