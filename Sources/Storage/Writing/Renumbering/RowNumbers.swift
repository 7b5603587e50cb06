/// New numbers of cells, which leave no gaps: how many cells come before each.
struct RowNumbers {
  /// A bit for each row up to the last cell.
  private var words: [UInt64] = []
  /// The cells before the first row of each word.
  private var counts: [Row] = []
  /// How many cells there are.
  private(set) var count: Row = 0

  /// - Complexity: 12 bytes for every 64 rows up to the last.
  init(_ rows: RowSet) {
    guard let last = rows.last else { return }
    words = Array(repeating: 0, count: Int(last) / 64 + 1)
    words.withUnsafeMutableBufferPointer { rows.setBits(in: $0) }
    counts.reserveCapacity(words.count)
    for word in words {
      counts.append(count)
      count += Row(word.nonzeroBitCount)
    }
  }

  /// How many cells keep their number: those before the first gap.
  var unchangedCount: Row {
    for (index, word) in words.enumerated() where word != .max {
      return Row(index * 64 + (~word).trailingZeroBitCount)
    }
    return count
  }

  /// The new number of a row; nil where there is no cell.
  subscript(row: Row) -> Row? {
    guard Int(row) / 64 < words.count, words[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 else { return nil }
    return countOfCells(before: row)
  }

  /// The new numbers of the cells among some rows.
  subscript(rows: Range<Row>) -> Range<Row> {
    countOfCells(before: rows.lowerBound)..<countOfCells(before: rows.upperBound)
  }

  private func countOfCells(before row: Row) -> Row {
    guard Int(row) / 64 < words.count else { return count }
    let below = words[Int(row) / 64] & ((1 << UInt64(row % 64)) - 1)
    return counts[Int(row) / 64] + Row(below.nonzeroBitCount)
  }
}
