/// What all cells together say: the content of the derived row sets, and where numbers are.
struct CellSummary {
  /// Every derived set; those of spaces are not among them.
  private(set) var sets: [RowSetName: RowSet] = [:]
  /// Rows with a number, by field.
  private(set) var numberRows: [UInt16: RowSet] = [:]
  private(set) var imageOfRow: [Row: UInt32] = [:]

  var rows: RowSet { sets[.cells] ?? RowSet() }

  mutating func add(_ cell: StoredCell, at row: Row) {
    imageOfRow[row] = cell.image
    sets[.cells, default: RowSet()].insert(row)
    for (field, value) in cell.values {
      sets[.hasValue(field: field), default: RowSet()].insert(row)
      for id in value.textIDs { sets[.text(field: field, id: id), default: RowSet()].insert(row) }
      if case .number = value { numberRows[field, default: RowSet()].insert(row) }
    }
  }
}
