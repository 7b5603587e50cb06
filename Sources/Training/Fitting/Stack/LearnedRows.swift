/// The rows of a batch that a set learns from. What does not hold one of them is not computed for its heads.
struct LearnedRows: Sendable {
  /// How many there are.
  private(set) var count = 0
  /// Runs of rows from the first to the last. What lies between two is left out of products; a smaller gap is not
  /// worth that, and its rows have gradients of zero.
  private(set) var runs: [Range<Int>] = []

  /// Rows between two runs, at least.
  private static let gap = 32

  /// - Parameter rows: behind all that were added before.
  mutating func add(_ rows: Range<Int>) {
    count += rows.count
    if let last = runs.last, rows.lowerBound - last.upperBound < Self.gap {
      runs[runs.count - 1] = last.lowerBound..<rows.upperBound
    } else {
      runs.append(rows)
    }
  }

  /// The part of a unit from the first to the last row of its runs, widened to multiples of `step` rows; nil where the
  /// unit has none.
  func part(of unit: UnitPlace, step: Int) -> UnitPlace? {
    let rows = unit.firstRow..<unit.firstRow + unit.width
    guard let first = runs.first(where: { $0.upperBound > rows.lowerBound }),
      let last = runs.last(where: { $0.lowerBound < rows.upperBound }), first.lowerBound < rows.upperBound,
      last.upperBound > rows.lowerBound
    else { return nil }
    let start = (max(first.lowerBound, rows.lowerBound) - rows.lowerBound) / step * step
    let end = (min(last.upperBound, rows.upperBound) - rows.lowerBound).rounded(upTo: step)
    return UnitPlace(
      number: unit.number, firstRow: unit.firstRow + start, width: min(end, unit.width) - start,
      batchRows: unit.batchRows, column: start)
  }
}
