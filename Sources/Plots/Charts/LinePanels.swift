/// One or more plots of lines side by side, with one legend.
package struct LinePanels: Sendable {
  package struct Line: Sendable {
    package let name: String
    package let points: [Point]
    /// Half the height of the error bar, or of the band, at each point; empty for none.
    package let errors: [Double]
    /// The position in the palette.
    package let color: Int
    /// Thin lines are parts of what the others tell, and not in the legend.
    package let isThin: Bool

    package init(name: String, points: [Point], errors: [Double] = [], color: Int = 0, isThin: Bool = false) {
      precondition(errors.isEmpty || errors.count == points.count)
      self.name = name
      self.points = points
      self.errors = errors
      self.color = color
      self.isThin = isThin
    }
  }

  package struct Panel: Sendable {
    package let title: String
    package let xTitle: String
    package let yTitle: String
    package let isLogarithmic: Bool
    /// Ticks of the horizontal axis; nil for round numbers.
    package let xTicks: [Tick]?
    /// The vertical axis, beyond which nothing is drawn; nil for one from 0 that holds all data.
    package let yDomain: ClosedRange<Double>?
    package let lines: [Line]
    package let hasMarkers: Bool

    package init(
      title: String, xTitle: String, yTitle: String, isLogarithmic: Bool = false, xTicks: [Tick]? = nil,
      yDomain: ClosedRange<Double>? = nil, lines: [Line], hasMarkers: Bool = false
    ) {
      self.title = title
      self.xTitle = xTitle
      self.yTitle = yTitle
      self.isLogarithmic = isLogarithmic
      self.xTicks = xTicks
      self.yDomain = yDomain
      self.lines = lines
      self.hasMarkers = hasMarkers
    }
  }

  package let panels: [Panel]

  package init(panels: [Panel]) { self.panels = panels }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let panelWidth = panels.count == 1 ? 620.0 : 480.0
    let width = panelWidth * Double(max(panels.count, 1))
    var drawing = Drawing()
    var names: [(name: String, swatch: Legend.Swatch)] = []
    for line in panels.flatMap(\.lines) where !line.isThin && !names.contains(where: { $0.name == line.name })
    {
      names.append((line.name, .line(stroke(line))))
    }
    let legend = Legend(names, width: width - 90)
    let legendHeight = names.count > 1 ? legend.height + 4 : 0
    if names.count > 1 { legend.draw(on: &drawing, at: Point(62, 6)) }
    for (index, panel) in panels.enumerated() {
      let yDomain = domain(of: panel)
      let yScale = Scale(.linear, yDomain, from: 1, to: 0)
      let left = Double(index) * panelWidth + Axes.leftMargin(for: yScale, titled: true) + 8
      let top = legendHeight + (panel.title.isEmpty ? 16 : 34)
      let frame = Rect(x: left, y: top, width: Double(index + 1) * panelWidth - 22 - left, height: 270)
      draw(panel, yDomain, in: frame, on: &drawing)
    }
    let hasTitles = panels.contains { !$0.title.isEmpty }
    return Figure(
      id: id, title: title, alternative: alternative, width: width,
      height: legendHeight + (hasTitles ? 34 : 16) + 270 + 46, drawing)
  }

  private func stroke(_ line: Line) -> Stroke {
    line.isThin
      ? Stroke(Palette.series(line.color), width: 1, dash: Palette.dash(line.color), opacity: 0.35)
      : Stroke(Palette.series(line.color), width: 2.2, dash: Palette.dash(line.color))
  }

  private func domain(of panel: Panel) -> ClosedRange<Double> {
    if let domain = panel.yDomain { return domain }
    let values = panel.lines.flatMap { line in
      line.points.enumerated().flatMap { index, point in
        line.errors.isEmpty ? [point.y] : [point.y - line.errors[index], point.y + line.errors[index]]
      }
    }
    return Ticks.roundDomain(of: values, including: [0])
  }

  private func draw(_ panel: Panel, _ yDomain: ClosedRange<Double>, in frame: Rect, on drawing: inout Drawing)
  {
    let all = panel.lines.flatMap { $0.points.map(\.x) }
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    let xDomain = low < high ? low...high : (low / 2)...(low == 0 ? 1 : low * 2)
    let axes = Axes(
      x: Scale(panel.isLogarithmic ? .logarithmic : .linear, xDomain, from: frame.x, to: frame.right),
      y: Scale(.linear, yDomain, from: frame.bottom, to: frame.y), xTitle: panel.xTitle, yTitle: panel.yTitle,
      xTicks: panel.xTicks)
    axes.draw(on: &drawing)
    drawing.text(panel.title, at: Point(frame.x, frame.y - 12), TextStyle(12.5, .ink, isBold: true))
    for line in panel.lines.filter(\.isThin) + panel.lines.filter({ !$0.isThin }) {
      draw(line, hasMarkers: panel.hasMarkers || line.points.count == 1, axes, on: &drawing)
    }
  }

  private func draw(_ line: Line, hasMarkers: Bool, _ axes: Axes, on drawing: inout Drawing) {
    let paint = Palette.series(line.color)
    let places = line.points.map { axes.point($0.x, $0.y) }
    if !line.errors.isEmpty {
      let above = zip(line.points, line.errors).map { axes.point($0.x, $0.y + $1) }
      let below = zip(line.points, line.errors).map { axes.point($0.x, $0.y - $1) }
      drawing.polygon(above + below.reversed(), fill: paint, opacity: 0.14)
      if hasMarkers {
        for (high, low) in zip(above, below) { drawing.line(high, low, Stroke(paint, width: 1.2)) }
      }
    }
    drawing.polyline(places, stroke(line))
    guard hasMarkers else { return }
    for (place, point) in zip(places, line.points) {
      drawing.circle(
        place, radius: 4, fill: paint, stroke: Stroke(.paper, width: 1.2),
        tip: "\(line.name): \(decimal(point.y, places: 3))")
    }
  }
}
