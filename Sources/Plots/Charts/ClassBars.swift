/// A line for each class: a bar for one score, marks for two others, and a bar of how many samples there are.
package struct ClassBars: Sendable {
  package struct Row: Sendable {
    package let name: String
    /// Scores that are nil are undefined, and not drawn.
    package let f1: Double?
    package let precision: Double?
    package let recall: Double?
    package let support: Int

    package init(name: String, f1: Double?, precision: Double?, recall: Double?, support: Int) {
      self.name = name
      self.f1 = f1
      self.precision = precision
      self.recall = recall
      self.support = support
    }
  }

  package let rows: [Row]
  /// What `support` counts: "cells".
  package let unit: String

  package init(rows: [Row], unit: String) {
    self.rows = rows
    self.unit = unit
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let rowHeight = rows.count > 40 ? 15.0 : 23.0
    let size = rows.count > 40 ? 10.0 : 12.0
    let labelWidth =
      min(240, max(60, rows.map { TextMetrics.width(of: $0.name, size: size) }.max() ?? 0)) + 14
    let scores = Rect(x: labelWidth + 6, y: 40, width: 470, height: Double(rows.count) * rowHeight)
    let support = Rect(x: scores.right + 44, y: scores.y, width: 130, height: scores.height)
    let x = Scale(.linear, 0...1, from: scores.x, to: scores.right)
    var drawing = Drawing()
    Legend(
      [
        ("F1", .box(Self.paints.f1)), ("precision", .ring(Self.paints.precision)),
        ("recall", .dot(Self.paints.recall)),
      ],
      width: scores.width
    ).draw(on: &drawing, at: Point(scores.x - 4, 10))
    drawing.text(unit, at: Point(support.x, 24), TextStyle(11.5, .ink))
    for tick in x.ticks(5) {
      let place = x.position(tick.value)
      drawing.line(Point(place, scores.y), Point(place, scores.bottom), Stroke(.grid))
      drawing.text(tick.label, at: Point(place, scores.bottom + 16), TextStyle(11, .muted, anchor: .middle))
    }
    let most = Double(max(rows.map(\.support).max() ?? 1, 1))
    for (index, row) in rows.enumerated() {
      let middle = scores.y + (Double(index) + 0.5) * rowHeight
      drawing.text(
        TextMetrics.fitted(row.name, to: labelWidth - 12, size: size),
        at: Point(labelWidth, middle + size * 0.35),
        TextStyle(size, .ink, anchor: .end), full: row.name)
      draw(row, middle, rowHeight, x, on: &drawing)
      let length = Double(row.support) / most * (support.width - 60)
      drawing.rect(
        Rect(x: support.x, y: middle - rowHeight * 0.26, width: max(length, 1), height: rowHeight * 0.52),
        fill: .faint, radius: 1.5)
      drawing.text(
        grouped(row.support), at: Point(support.x + max(length, 1) + 5, middle + size * 0.33),
        TextStyle(size - 1, .muted))
    }
    drawing.line(Point(scores.x, scores.y), Point(scores.x, scores.bottom), Stroke(.axis))
    drawing.line(Point(support.x, scores.y), Point(support.x, scores.bottom), Stroke(.axis))
    return Figure(
      id: id, title: title, alternative: alternative, width: support.right + 10, height: scores.bottom + 28,
      drawing)
  }

  private func draw(_ row: Row, _ y: Double, _ height: Double, _ x: Scale, on drawing: inout Drawing) {
    func words(_ score: Double?) -> String { score.map { decimal($0, places: 3) } ?? "–" }
    if let f1 = row.f1 {
      drawing.rect(
        Rect(
          x: x.start, y: y - height * 0.3, width: max(x.position(f1) - x.start, 0.5), height: height * 0.6),
        fill: Self.paints.f1, radius: 1.5, opacity: 0.8,
        tip: "\(row.name): F1 \(words(f1)), precision \(words(row.precision)), recall \(words(row.recall))")
    }
    if let precision = row.precision, let recall = row.recall {
      drawing.line(
        Point(x.position(precision), y), Point(x.position(recall), y), Stroke(.ink, width: 1.2, opacity: 0.7))
    }
    let radius = height > 18 ? 4.2 : 3.0
    if let recall = row.recall {
      drawing.circle(
        Point(x.position(recall), y), radius: radius, fill: Self.paints.recall,
        stroke: Stroke(.paper, width: 1), tip: "recall \(words(recall))")
    }
    if let precision = row.precision {
      drawing.circle(
        Point(x.position(precision), y), radius: radius, fill: .paper,
        stroke: Stroke(Self.paints.precision, width: 1.8), tip: "precision \(words(precision))")
    }
  }

  private static let paints = (
    f1: Paint("#8fc1e3"), precision: Palette.series(1), recall: Paint("#0b3c6b", role: "deep")
  )
}
