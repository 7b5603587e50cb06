package import Faults

/// What is left of a space that is damaged.
package struct Salvage: Sendable {
  /// Cells of which the record and the vector can be read.
  package let rows: RowSet
  /// What is damaged, and which cells are lost with it.
  package let faults: [Fault]
}

extension Snapshot {
  /// Finds out which of the space's cells can still be read whole.
  ///
  /// - Parameter wanted: the cells that matter; nil for all.
  /// - Complexity: reads all cells and all blocks of the space.
  package func salvage(_ space: SpaceRecord, of wanted: RowSet? = nil) throws -> Salvage {
    var faults: [Fault] = []
    let cells = try readableCells(&faults)
    let blocks = try soundRows(of: space, &faults)
    let members = try members(of: space, among: blocks, &faults)
    let asked = wanted.map { members.intersection($0) } ?? members
    let whole = asked.intersection(cells).intersection(blocks.held)
    for (lost, part) in [(asked.subtracting(cells), "record"), (asked.subtracting(blocks.held), "vector")]
    where !lost.isEmpty {
      faults.append(
        Fault(.badData, cellRanges(lost), "cannot be read: the \(part) is damaged", remedy: "restore a copy"))
    }
    return Salvage(rows: whole, faults: faults)
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

  /// Rows of blocks that match their checksum, and those among them whose vector is not zero throughout.
  private struct SoundRows {
    var held = RowSet()
    var nonzero = RowSet()

    mutating func insert(_ block: StoredBlock, from first: Row, _ layout: BlockLayout) {
      held.formUnion(RowSet(first..<first + Row(block.header.slotCount)))
      for slot in 0..<block.header.slotCount {
        let start = slot * layout.vectorByteCount
        if block.payload[start..<start + layout.vectorByteCount].contains(where: { $0 != 0 }) {
          nonzero.insert(first + Row(slot))
        }
      }
    }
  }

  private func soundRows(of space: SpaceRecord, _ faults: inout [Fault]) throws -> SoundRows {
    let layout = BlockLayout(of: space)
    var rows = SoundRows()
    try transaction.survey(
      .vectors,
      damage: { fault, _ in faults.append(fault) },
      entry: { key, value in
        guard key.count == 6, key.bigEndian(at: 0, as: UInt16.self) == space.id else { return }
        let block = key.bigEndian(at: 2, as: UInt32.self)
        do {
          let stored = try StoredBlock(decoding: value, space: space.id, block: block, layout)
          try stored.requireChecksum(of: space)
          rows.insert(stored, from: layout.firstRow(of: block), layout)
        } catch let fault as Fault where fault.kind == .badData {
          faults.append(fault)
        }
      })
    return rows
  }

  /// Cells with a vector in the space. Where the row set cannot be read, those whose vector is not zero.
  private func members(
    of space: SpaceRecord, among rows: SoundRows, _ faults: inout [Fault]
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
