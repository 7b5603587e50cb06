import Faults

extension Audit {
  mutating func readSets(of transaction: borrowing Transaction) {
    survey(.sets, of: transaction) { audit, key, value in
      guard let name = RowSetName(key: key),
        let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self))
      else { return audit.reportDerived("a chunk of table \"sets\"", "is damaged") }
      audit.storedSets[name, default: RowSet()].formUnion(rows)
    }
  }

  mutating func compareSets() {
    var stored = storedSets
    for space in spaces {
      // Which rows have a vector is primary: only its bounds can be checked.
      let rows = stored.removeValue(forKey: .space(space.id)) ?? RowSet()
      let strangers = rows.subtracting(cells.rows)
      if !strangers.isEmpty {
        reportPrimary(
          "space \"\(space.name)\"", "has vectors of \(cellRanges(strangers)), which it does not know")
      }
    }
    for name in Set(cells.sets.keys).union(stored.keys).sorted(by: {
      $0.prefix.bytes.lexicographicallyPrecedes($1.prefix.bytes)
    })
    where (cells.sets[name] ?? RowSet()) != (stored[name] ?? RowSet()) {
      reportDerived("row set \(name)", "differs from what the cells say")
    }
  }

  /// Compares a cell's number with the column of its field.
  mutating func compare(
    _ number: Double, at chunk: NumberChunk, _ row: Row, _ transaction: borrowing Transaction
  ) {
    // Cells come in order of rows, so that the chunk of a field is nearly always that of the cell before.
    if columns[chunk.field]?.chunk != chunk {
      let column = try? transaction.get(.numbers, chunk.key).map { value in
        try chunk.key.bytes.withUnsafeBytes { try NumberColumn(decoding: value, key: $0) }
      }
      columns[chunk.field] = (chunk, column)
    }
    if columns[chunk.field]?.column?[NumberChunk.slot(of: row)] != number {
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
