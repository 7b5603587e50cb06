/// What all cells together say: which rows there are, of which images, and where numbers are.
struct CellSummary {
  private(set) var rows = RowSet()
  /// Rows with a number, by field.
  private(set) var numberRows: [UInt16: RowSet] = [:]
  private var runs = ImageRuns()

  /// The image that a cell says it is of; nil for a row without a cell.
  func image(of row: Row) -> UInt32? { runs[row] }

  /// Takes up a cell; they come in order of rows.
  mutating func add(_ cell: StoredCell, at row: Row) {
    runs.append(cell.image, at: row)
    rows.insert(row)
    for (field, value) in cell.values {
      if case .number = value { numberRows[field, default: RowSet()].insert(row) }
    }
  }
}

/// Which image each row says it is of. Neighbours are mostly of one image, so that runs need little memory.
private struct ImageRuns {
  private var runs: [(rows: ClosedRange<Row>, image: UInt32)] = []

  mutating func append(_ image: UInt32, at row: Row) {
    if let last = runs.last, last.image == image, row > 0, last.rows.upperBound == row - 1 {
      runs[runs.count - 1].rows = last.rows.lowerBound...row
    } else {
      runs.append((row...row, image))
    }
  }

  subscript(row: Row) -> UInt32? {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].rows.upperBound < row { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].rows.contains(row) ? runs[low].image : nil
  }
}
