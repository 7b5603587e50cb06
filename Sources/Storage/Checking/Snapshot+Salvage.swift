package import Faults

/// What is left of a space that is damaged. A cell is in one of the sets; without record and vector, in none.
package struct Salvage: Sendable {
  /// Cells of which the record and the vector can be read.
  package let rows: RowSet
  /// Cells of which the record can be read, and of whose vector nothing proves that it is what was written: it lies in a
  /// block that does not match its checksum.
  package let unverified: RowSet
  /// Cells of which the record can be read, and not the vector.
  package let vectorless: RowSet
  /// Cells of which the vector can be read, and not the record.
  package let recordless: RowSet
  /// What is damaged, and which cells are lost with it.
  package let faults: [Fault]

  /// All cells of which anything is left.
  package var all: RowSet {
    var all = rows
    for part in [unverified, vectorless, recordless] { all.formUnion(part) }
    return all
  }
}

extension Snapshot {
  /// Finds out what can still be read of the space's cells.
  ///
  /// - Parameter wanted: the cells that matter; nil for all.
  /// - Complexity: reads all cells and all blocks of the space.
  package func salvage(_ space: SpaceRecord, of wanted: RowSet? = nil) throws -> Salvage {
    var faults: [Fault] = []
    let cells = try readableCells(&faults)
    let blocks = try blockRows(of: space, &faults)
    let members = try members(of: space, among: blocks, &faults)
    let asked = wanted.map { members.intersection($0) } ?? members
    let known = asked.intersection(cells)
    let unverified = known.intersection(blocks.unverified)
    let vectorless = known.subtracting(blocks.held).subtracting(unverified)
    let losses = [
      (asked.subtracting(cells), "cannot be read: the record is damaged"),
      (unverified, "may have another vector than was written: their block does not match its checksum"),
      (vectorless, "cannot be read: the vector is damaged"),
    ]
    for (lost, problem) in losses where !lost.isEmpty {
      faults.append(Fault(.badData, cellRanges(lost), problem, remedy: "restore a copy"))
    }
    return Salvage(
      rows: known.intersection(blocks.held), unverified: unverified, vectorless: vectorless,
      recordless: asked.subtracting(cells).intersection(blocks.held), faults: faults)
  }

  private func readableCells(_ faults: inout [Fault]) throws -> RowSet {
    var rows = RowSet()
    try transaction.survey(
      .cells,
      damage: { fault, _ in faults.append(fault) },
      entry: { key, _ in
        guard key.count == 4 else { return }
        let row = key.bigEndian(at: 0, as: Row.self)
        do {
          if try cell(at: row) != nil { rows.insert(row) }
        } catch let fault as Fault where fault.kind == .badData {
          faults.append(fault)
        }
      })
    return rows
  }

  private struct BlockRows {
    /// Rows of blocks that match their checksum.
    var held = RowSet()
    /// Rows of other blocks, where the vector is one of finite numbers.
    var unverified = RowSet()
    /// Rows of either kind whose vector is not zero throughout.
    var nonzero = RowSet()

    mutating func insert(_ block: StoredBlock, from first: Row, _ layout: BlockLayout, isVerified: Bool) {
      if isVerified { held.formUnion(RowSet(first..<first + Row(block.header.slotCount))) }
      var vector = [Float](repeating: 0, count: layout.dimension)
      for slot in 0..<block.header.slotCount {
        let start = slot * layout.vectorByteCount
        let bytes = UnsafeRawBufferPointer(rebasing: block.payload[start..<start + layout.vectorByteCount])
        if bytes.contains(where: { $0 != 0 }) { nonzero.insert(first + Row(slot)) }
        guard !isVerified, let base = bytes.baseAddress else { continue }
        layout.scalar.widen(base, count: layout.dimension, into: &vector)
        if vector.allSatisfy(\.isFinite) { unverified.insert(first + Row(slot)) }
      }
    }
  }

  private func blockRows(of space: SpaceRecord, _ faults: inout [Fault]) throws -> BlockRows {
    let layout = BlockLayout(of: space)
    var rows = BlockRows()
    try transaction.survey(
      .vectors,
      damage: { fault, _ in faults.append(fault) },
      entry: { key, value in
        guard key.count == 6, key.bigEndian(at: 0, as: UInt16.self) == space.id else { return }
        let block = key.bigEndian(at: 2, as: UInt32.self)
        do {
          let stored = try StoredBlock(decoding: value, space: space.id, block: block, layout)
          var isVerified = true
          do {
            try stored.requireChecksum(of: space)
          } catch let fault as Fault where fault.kind == .badData {
            faults.append(fault)
            isVerified = false
          }
          rows.insert(stored, from: layout.firstRow(of: block), layout, isVerified: isVerified)
        } catch let fault as Fault where fault.kind == .badData {
          faults.append(fault)
        }
      })
    return rows
  }

  /// Cells with a vector in the space. Where the row set cannot be read, those whose vector is not zero.
  private func members(
    of space: SpaceRecord, among rows: BlockRows, _ faults: inout [Fault]
  ) throws -> RowSet {
    var members = RowSet()
    var isWhole = true
    func note(_ fault: Fault) {
      faults.append(fault)
      isWhole = false
    }
    try transaction.survey(
      .sets,
      damage: { fault, key in
        if key.map({ RowSetName(key: $0) == .space(space.id) }) ?? true { note(fault) }
      },
      entry: { key, value in
        guard RowSetName(key: key) == .space(space.id) else { return }
        if let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self)) {
          members.formUnion(rows)
        } else {
          note(Fault(.badData, Table.sets.subject(of: key), "is damaged", remedy: "restore a copy"))
        }
      })
    if !isWhole { members.formUnion(rows.nonzero) }
    return members
  }

  /// Calls `body` with each cell of which anything is left, in order of rows, and with its vector: as it is stored, verified
  /// or not, and zeros where it cannot be read.
  package func forEachVector(
    of space: SpaceRecord, left salvage: Salvage, _ body: (Row, [Float]) throws -> Void
  ) throws {
    let layout = BlockLayout(of: space)
    let zeros = [Float](repeating: 0, count: space.dimension)
    var vector = zeros
    var stored: (number: UInt32, block: StoredBlock)?
    for row in salvage.all.toArray() {
      if salvage.vectorless.contains(row) {
        try body(row, zeros)
        continue
      }
      let number = layout.block(of: row)
      if stored?.number != number {
        stored = try transaction.block(number, of: space.id, layout).map { (number, $0) }
      }
      guard let block = stored?.block, let base = block.payload.baseAddress,
        layout.slot(of: row) < block.header.slotCount
      else { throw missingBlock(number, space) }
      space.scalar.widen(
        base + layout.slot(of: row) * layout.vectorByteCount, count: space.dimension, into: &vector)
      try body(row, vector)
    }
  }

  /// Calls `body` with each block of the space that holds some of `rows`, in order of rows, after its checksum was
  /// found right.
  ///
  /// - Parameter rows: cells that have a vector in the space.
  /// - Throws: `badData` for a block that is damaged or missing.
  package func forEachVerifiedBlock(
    of space: SpaceRecord, with rows: RowSet, _ body: (VectorBlock) throws -> Void
  ) throws {
    let layout = BlockLayout(of: space)
    var next = rows.next(from: 0)
    while let first = next {
      let block = layout.block(of: first)
      guard let stored = try transaction.block(block, of: space.id, layout),
        layout.slot(of: first) < stored.header.slotCount, let base = stored.payload.baseAddress
      else { throw missingBlock(block, space) }
      try stored.requireChecksum(of: space)
      let firstRow = layout.firstRow(of: block)
      let slots = RowSet(firstRow..<firstRow + Row(stored.header.slotCount))
      try body(
        VectorBlock(
          firstRow: firstRow, slotCount: stored.header.slotCount, dimension: space.dimension,
          scalar: space.scalar, base: base, wanted: rows.intersection(slots)))
      let end = UInt64(firstRow) + UInt64(layout.rowsPerBlock)
      next = end > UInt64(Row.max) ? nil : rows.next(from: Row(end))
    }
  }
}
