import Faults

extension Audit {
  mutating func readSets(of transaction: borrowing Transaction) {
    survey(.sets, of: transaction) { audit, key, value in
      guard let name = RowSetName(key: key),
        let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self))
      else { return audit.reportDerived("a chunk of table \"sets\"", "is damaged") }
      switch name {
      case .space: audit.storedSets[name, default: RowSet()].formUnion(rows)
      case .cells:
        audit.storedSets[name, default: RowSet()].formUnion(rows)
        audit.storedDigest.add(key, value)
      case .hasValue, .text: audit.storedDigest.add(key, value)
      case .indexed, .inGraph:
        audit.reportDerived("a chunk of table \"sets\"", "belongs to another table")
      }
    }
  }

  mutating func compareSets(of transaction: borrowing Transaction) {
    for space in spaces {
      // Which rows have a vector is primary: only its bounds can be checked.
      let strangers = (storedSets[.space(space.id)] ?? RowSet()).subtracting(cells.rows)
      if !strangers.isEmpty {
        reportPrimary(
          "space \"\(space.name)\"", "has vectors of \(cellRanges(strangers)), which it does not know")
      }
    }
    let known = Set(spaces.map { RowSetName.space($0.id) })
    var differing = Set(storedSets.keys).subtracting(known.union([.cells]))
    if storedDigest != cellsDigest { differing.formUnion(differingSets(of: transaction)) }
    for name in differing.sorted(by: { $0.prefix.bytes.lexicographicallyPrecedes($1.prefix.bytes) }) {
      reportDerived("row set \(name)", "differs from what the cells say")
    }
  }

  /// The derived sets that are not what the cells say; they are read again for it.
  private mutating func differingSets(of transaction: borrowing Transaction) -> Set<RowSetName> {
    var names: Set<RowSetName> = []
    do {
      try transaction.forEachSetChange { key, _ in
        if let name = key.bytes.withUnsafeBytes({ RowSetName(key: $0) }) { names.insert(name) }
      }
    } catch {
      let fault = error as? Fault
      reportDerived(fault?.subject ?? "table \"sets\"", fault?.problem ?? "cannot be read: \(error)")
    }
    return names
  }

  /// Compares a cell's number with the column of its field.
  mutating func compare(
    _ number: Double, at chunk: NumberChunk, _ row: Row, _ transaction: borrowing Transaction
  ) {
    // Cells come in order of rows, so that the chunk of a field is nearly always that of the cell before.
    let column: NumberColumn?
    if let last = columns[chunk.field], last.chunk == chunk {
      column = last.column
    } else {
      column = try? transaction.get(.numbers, chunk.key).map { value in
        try chunk.key.bytes.withUnsafeBytes { try NumberColumn(decoding: value, key: $0) }
      }
      columns[chunk.field] = (chunk, column)
    }
    if column?[NumberChunk.slot(of: row)] != number {
      reportDerived("cell \(row)", "differs from the number column of field \(chunk.field)")
    }
  }

  mutating func compareNumbers(of transaction: borrowing Transaction) {
    var stored: [UInt16: RowSet] = [:]
    survey(.numbers, of: transaction) { _, key, value in
      let column = try NumberColumn(decoding: value, key: key)
      let field = key.bigEndian(at: 0, as: UInt16.self)
      for slot in 0..<NumberChunk.rowCount where !column[slot].isNaN {
        stored[field, default: RowSet()].insert(column.firstRow + Row(slot))
      }
    }
    for field in Set(stored.keys).union(cells.numberRows.keys).sorted()
    where (stored[field] ?? RowSet()) != (cells.numberRows[field] ?? RowSet()) {
      reportDerived("the number column of field \(field)", "has numbers that no cell has, or lacks some")
    }
  }
}
