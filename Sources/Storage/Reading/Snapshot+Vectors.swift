import Faults

/// A run of rows whose vectors lie one after another in the memory map.
///
/// - Shape: `slotCount` vectors of the scalar type; slot i belongs to row `firstRow + i`.
package struct VectorBlock {
  package let firstRow: Row
  package let slotCount: Int
  package let dimension: Int
  package let scalar: ScalarType
  /// Valid as long as the snapshot. On a 64-byte boundary.
  package let base: UnsafeRawPointer
  /// The rows of the block that were asked for; nil when every slot was.
  package let wanted: RowSet?
  /// The same vectors coarse, in groups as `kernels_coarsen` writes them; nil where no copy is stored, it is not of
  /// these vectors, or none was asked for. Valid as long as the snapshot.
  package var coarse: UnsafePointer<UInt8>?

  /// The rows that were asked for, in order.
  package var rows: [Row] {
    wanted?.toArray() ?? Array(firstRow..<firstRow + Row(slotCount))
  }

  package var vectorByteCount: Int { scalar.byteCount(dimension: dimension) }

  /// Where the vector of a row of the block lies.
  package func location(of row: Row) -> UnsafeRawPointer {
    base + Int(row - firstRow) * vectorByteCount
  }

  /// Reads the vector of a row of the block.
  /// - Shape: `vector` has room for `dimension` numbers.
  package func widen(_ row: Row, into vector: UnsafeMutablePointer<Float>) {
    scalar.widen(location(of: row), count: dimension, into: vector)
  }

  /// A copy of the vector of a row of the block.
  package func vector(of row: Row) -> [Float] {
    [Float](unsafeUninitializedCapacity: dimension) { vector, count in
      if let start = vector.baseAddress { widen(row, into: start) }
      count = dimension
    }
  }
}

extension VectorBlock {
  /// A block of float32 vectors in memory, in place of one of a database.
  /// - Parameters:
  ///   - vectors: [count, dimension], row-major, valid for as long as the block is used.
  ///   - wanted: the rows that were asked for; nil when all were.
  package init(
    firstRow: Row, vectors: UnsafePointer<Float>, count: Int, dimension: Int, wanted: RowSet?
  ) {
    self.init(
      firstRow: firstRow, slotCount: count, dimension: dimension, scalar: .float32,
      base: UnsafeRawPointer(vectors), wanted: wanted)
  }
}

extension Snapshot {
  /// Cells without a vector in any space.
  package func unembeddedRows() throws -> RowSet {
    var rows = try allRows()
    for space in spaces { rows = rows.subtracting(try self.rows(in: space)) }
    return rows
  }

  /// Calls `body` with each block of the space that holds at least one of `rows`, in order of rows. Rows
  /// without a vector in the space are passed over.
  /// - Parameter withCoarse: whether to look for the int8 copy of each block.
  package func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, withCoarse: Bool = false,
    _ body: (VectorBlock) throws -> Void
  ) throws {
    let wanted = rows.intersection(try self.rows(in: space))
    let layout = BlockLayout(of: space)
    let cursor = try Transaction.Cursor(transaction, .vectors)
    let copies = withCoarse ? try CoarseReader(transaction, of: space) : nil
    var entry: Entry?
    var row = wanted.next(from: 0)
    while let first = row {
      let block = layout.block(of: first)
      // The next block is usually the next entry: step when it is, search the tree when it is not.
      if entry != nil { entry = try cursor.next() }
      if entry?.key.isKey(of: block, in: space) != true {
        entry = try cursor.seek(Key().appending(space.id).appending(block))
      }
      guard let (key, value) = entry, key.isKey(of: block, in: space) else {
        throw missingBlock(block, space)
      }
      let header = try BlockHeader(decoding: value, space: space.id, block: block, layout: layout)
      let payload = value.payload(layout, slotCount: header.slotCount)
      let firstRow = layout.firstRow(of: block)
      let slots = firstRow..<firstRow + Row(header.slotCount)
      guard slots.contains(first), let base = payload.baseAddress else { throw missingBlock(block, space) }
      try body(
        VectorBlock(
          firstRow: firstRow, slotCount: header.slotCount, dimension: space.dimension, scalar: space.scalar,
          base: base,
          wanted: wanted.contains(slots) ? nil : wanted.intersection(RowSet(slots)),
          coarse: try copies?.groups(of: header)))
      let end = UInt64(firstRow) + UInt64(layout.rowsPerBlock)
      row = end > UInt64(Row.max) ? nil : wanted.next(from: Row(end))
    }
  }

  /// A copy of the vector of one row; nil when the row has none in the space.
  package func vector(of row: Row, in space: SpaceRecord) throws -> [Float]? {
    var vector: [Float]?
    try forEachBlock(of: space, containing: RowSet([row])) { vector = $0.vector(of: row) }
    return vector
  }

  func missingBlock(_ block: UInt32, _ space: SpaceRecord) -> Fault {
    Fault(
      .badData, "block \(block) of space \"\(space.name)\"", "is missing or shorter than its rows",
      remedy: "run cellvec check")
  }
}

extension UnsafeRawBufferPointer {
  /// Whether this is the key of a block of vectors.
  fileprivate func isKey(of block: UInt32, in space: SpaceRecord) -> Bool {
    count == 6 && bigEndian(at: 0, as: UInt16.self) == space.id && bigEndian(at: 2, as: UInt32.self) == block
  }
}
