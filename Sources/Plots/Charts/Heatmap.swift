/// A table of shares as shades, with the numbers where they fit.
package struct Heatmap: Sendable {
  package let rows: [String]
  package let columns: [String]
  /// For each row a share from 0 to 1 a column; nil where nothing can be said.
  package let values: [[Double?]]
  package let rowTitle: String
  package let columnTitle: String
  /// What a shade means, beside the scale.
  package let scaleTitle: String
  /// The position of a column that stands apart from those before it; nil for none.
  package let separatedColumn: Int?

  package init(
    rows: [String], columns: [String], values: [[Double?]], rowTitle: String, columnTitle: String,
    scaleTitle: String, separatedColumn: Int? = nil
  ) {
    precondition(values.count == rows.count && values.allSatisfy { $0.count == columns.count })
    self.rows = rows
    self.columns = columns
    self.values = values
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.scaleTitle = scaleTitle
    self.separatedColumn = separatedColumn
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let side = min(46, max(9, 720 / Double(max(columns.count, 1))))
    let size = min(11.5, max(7.5, side * 0.8))
    let labelWidth = min(230, rows.map { TextMetrics.width(of: $0, size: size) }.max() ?? 0) + 10
    // Labels of columns lean to the right, or stand upright where they would touch one another.
    let isUpright = side < size * 1.5
    let longest = min(170, columns.map { TextMetrics.width(of: $0, size: size) }.max() ?? 0)
    let headHeight = longest * (isUpright ? 1 : 0.71) + size + 10
    let overhang = isUpright ? 0 : longest * 0.71
    let left = 30 + labelWidth
    let top = 30 + headHeight
    let gap = separatedColumn == nil ? 0 : max(4, side * 0.2)
    func columnX(_ column: Int) -> Double {
      left + Double(column) * side + (separatedColumn.map { column >= $0 ? gap : 0 } ?? 0)
    }
    let right = columnX(columns.count - 1) + side
    let bottom = top + Double(rows.count) * side
    var drawing = Drawing()
    for (column, name) in columns.enumerated() {
      let place = Point(columnX(column) + side / 2 + size * (isUpright ? 0.35 : 0.2), top - 7)
      drawing.text(
        TextMetrics.fitted(name, to: 170, size: size), at: place,
        TextStyle(size, .ink, rotation: isUpright ? -90 : -45),
        full: name)
    }
    for (row, name) in rows.enumerated() {
      let y = top + Double(row) * side
      drawing.text(
        TextMetrics.fitted(name, to: labelWidth - 8, size: size),
        at: Point(left - 7, y + side / 2 + size * 0.35), TextStyle(size, .ink, anchor: .end), full: name)
      for column in columns.indices {
        let cell = Rect(x: columnX(column), y: y, width: side - 1, height: side - 1)
        draw(values[row][column], in: cell, named: "\(name) → \(columns[column])", on: &drawing)
      }
    }
    drawing.text(
      columnTitle, at: Point((left + right) / 2, 18), TextStyle(12.5, .ink, isBold: true, anchor: .middle))
    drawing.text(
      rowTitle, at: Point(16, (top + bottom) / 2),
      TextStyle(12.5, .ink, isBold: true, anchor: .middle, rotation: -90))
    let scale = Rect(x: left, y: bottom + 18, width: min(260, max(right - left, 120)), height: 11)
    drawScale(in: scale, on: &drawing)
    let titleWidth = TextMetrics.width(of: scaleTitle, size: 11)
    return Figure(
      id: id, title: title, alternative: alternative,
      width: max(right + overhang + 8, left + titleWidth + 10, scale.right + 24), height: bottom + 66, drawing
    )
  }

  private func draw(_ value: Double?, in cell: Rect, named name: String, on drawing: inout Drawing) {
    guard let value else {
      drawing.rect(cell, fill: .grid, opacity: 0.5, tip: "\(name): no sample")
      return
    }
    drawing.rect(
      cell, fill: Palette.sequential(value), tip: "\(name): \(decimal(value * 100, places: 1)) %")
    guard cell.width >= 23, value >= 0.005 else { return }
    drawing.text(
      decimal(value * 100, places: 0), at: Point(cell.centerX, cell.centerY + 4),
      TextStyle(min(11.5, cell.width * 0.36), Palette.textOn(value), anchor: .middle))
  }

  private func drawScale(in rect: Rect, on drawing: inout Drawing) {
    let steps = 50
    for step in 0..<steps {
      let width = rect.width / Double(steps)
      drawing.rect(
        Rect(x: rect.x + Double(step) * width, y: rect.y, width: width + 0.4, height: rect.height),
        fill: Palette.sequential((Double(step) + 0.5) / Double(steps)))
    }
    for (place, label) in [(0.0, "0"), (0.5, "50"), (1, "100 %")] {
      drawing.text(
        label, at: Point(rect.x + place * rect.width, rect.bottom + 13),
        TextStyle(10, .muted, anchor: .middle))
    }
    drawing.text(scaleTitle, at: Point(rect.x, rect.bottom + 30), TextStyle(11, .muted))
  }
}
