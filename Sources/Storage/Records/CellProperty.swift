/// A number that every cell has or lacks by what it is, beside its metadata.
package enum CellProperty: String, Sendable, CaseIterable {
  /// The cell's own number.
  case row = "cell"
  /// Its value in a label mask; of cells from masks.
  case label = "cell.label"
  /// Pixels that belong to it; of cells that lie in an image, as the next two.
  case area = "cell.area"
  /// Its centroid, in pixels of the image, pixel centres at whole numbers.
  case x = "cell.x"
  case y = "cell.y"

  package var name: String { rawValue }
}

extension CellProperty {
  /// The number of the cell at `row`; nil where it has none.
  package func number(of object: ObjectKey, _ geometry: CellGeometry?, at row: Row) -> Double? {
    switch self {
    case .row: Double(row)
    case .label: if case .label(let label) = object { Double(label) } else { nil }
    case .area: geometry.map { Double($0.areaPx) }
    case .x: geometry.map { Double($0.centerX) }
    case .y: geometry.map { Double($0.centerY) }
    }
  }
}
