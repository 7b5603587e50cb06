/// A small plot for each class, all with the same axes from 0 to 1: its curve in colour before those of all classes in
/// gray.
package struct CurveGrid: Sendable {
  package struct Curve: Sendable {
    package let name: String
    /// Under the name: "AP 0.91".
    package let note: String
    /// x and y from 0 to 1.
    package let points: [Point]
    /// The line of chance from x 0 to x 1.
    package let chance: (Double, Double)
    /// What the decisions are taken at; nil for none.
    package let mark: Point?

    package init(
      name: String, note: String, points: [Point], chance: (Double, Double), mark: Point? = nil
    ) {
      self.name = name
      self.note = note
      self.points = points
      self.chance = chance
      self.mark = mark
    }
  }

  package let curves: [Curve]
  package let xTitle: String
  package let yTitle: String

  package init(curves: [Curve], xTitle: String, yTitle: String) {
    self.curves = curves
    self.xTitle = xTitle
    self.yTitle = yTitle
  }

  private static let cellWidth = 164.0
  private static let side = 136.0
  private static let left = 56.0

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let columns = min(max(curves.count, 1), 6)
    let rows = (curves.count + columns - 1) / columns
    let cellHeight = Self.side + 44
    let cellWidth = Self.cellWidth
    var drawing = Drawing()
    let everything = "\(id)-all"
    if curves.count > 1 { drawing.add(allCurves(id: everything)) }
    for (index, curve) in curves.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let origin = Point(Self.left + Double(column) * cellWidth, 36 + Double(row) * cellHeight)
      let isLowest = index + columns >= curves.count
      draw(
        curve, at: origin, background: curves.count > 1 ? everything : nil, showsX: isLowest,
        showsY: column == 0,
        on: &drawing)
    }
    let bottom = 20 + Double(rows) * cellHeight
    let width = max(Self.left + Double(columns) * cellWidth + 4, 280)
    drawing.text(
      xTitle, at: Point(Self.left + (Double(columns) * cellWidth - cellWidth + Self.side) / 2, bottom + 8),
      TextStyle(12.5, .ink, anchor: .middle))
    drawing.text(
      yTitle, at: Point(16, 36 + (Double(rows) * cellHeight - 44) / 2),
      TextStyle(12.5, .ink, anchor: .middle, rotation: -90))
    return Figure(id: id, title: title, alternative: alternative, width: width, height: bottom + 18, drawing)
  }

  /// The curves of all classes in a square of side `side` at the origin, to be used in every plot.
  private func allCurves(id: String) -> Markup {
    let data = curves.map { curve in
      pathData(curve.points.map { Point($0.x * Self.side, (1 - $0.y) * Self.side) })
    }.joined()
    return .tag(
      "defs", [:],
      [
        .tag(
          "path",
          [
            "id": id, "d": data, "fill": "none", "stroke": Paint.faint.value, "class": "s-faint",
            "stroke-width": "0.8",
          ])
      ])
  }

  private func draw(
    _ curve: Curve, at origin: Point, background: String?, showsX: Bool, showsY: Bool,
    on drawing: inout Drawing
  ) {
    let side = Self.side
    let axes = Axes(
      x: Scale(.linear, 0...1, from: origin.x, to: origin.x + side),
      y: Scale(.linear, 0...1, from: origin.y + side, to: origin.y), xTickCount: 2, yTickCount: 2,
      showsXLabels: showsX, showsYLabels: showsY, size: 10)
    axes.draw(on: &drawing)
    if let background {
      drawing.add(
        .tag(
          "use",
          ["href": "#\(background)", "transform": "translate(\(pixels(origin.x)) \(pixels(origin.y)))"]))
    }
    drawing.line(
      axes.point(0, curve.chance.0), axes.point(1, curve.chance.1), Stroke(.muted, dash: "3 3", opacity: 0.8))
    drawing.polyline(curve.points.map { axes.point($0.x, $0.y) }, Stroke(Palette.series(0), width: 2))
    if let mark = curve.mark {
      drawing.circle(
        axes.point(mark.x, mark.y), radius: 3.8, fill: Palette.series(1), stroke: Stroke(.paper, width: 1.2))
    }
    let name = TextMetrics.fitted(curve.name, to: Self.cellWidth - 12, size: 11.5, isBold: true)
    drawing.text(
      name, at: Point(origin.x, origin.y - 19), TextStyle(11.5, .ink, isBold: true), full: curve.name)
    drawing.text(curve.note, at: Point(origin.x, origin.y - 6), TextStyle(10, .muted))
  }
}
