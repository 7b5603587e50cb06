/// Bars side by side in groups, each with an error bar and the single values that it is the mean of.
package struct GroupedBars: Sendable {
  package struct Bar: Sendable {
    package let mean: Double
    /// Half the length of the error bar; nil for none.
    package let error: Double?
    /// What `mean` is the mean of.
    package let values: [Double]

    package init(mean: Double, error: Double? = nil, values: [Double] = []) {
      self.mean = mean
      self.error = error
      self.values = values
    }
  }

  package let groups: [String]
  package let series: [String]
  /// A row for each group, with a place for each series; nil where there is no bar.
  package let bars: [[Bar?]]
  package let yTitle: String

  package init(groups: [String], series: [String], bars: [[Bar?]], yTitle: String) {
    precondition(bars.count == groups.count && bars.allSatisfy { $0.count == series.count })
    self.groups = groups
    self.series = series
    self.bars = bars
    self.yTitle = yTitle
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let layout = Layout(self)
    var drawing = Drawing()
    let legend = Legend(
      series.enumerated().map { (name: $1, swatch: .box(Palette.series($0))) },
      width: layout.width - layout.left - 12)
    let legendHeight = series.count > 1 ? legend.height + 6 : 0
    if series.count > 1 { legend.draw(on: &drawing, at: Point(layout.left, 6)) }
    let plotHeight = 290.0
    let top = legendHeight + 44 + layout.overshoot * plotHeight
    let axes = Axes(
      x: Scale(.linear, 0...1, from: layout.left, to: layout.width - 14),
      y: Scale(.linear, layout.domain, from: top + plotHeight, to: top), yTitle: yTitle, xTickCount: 1,
      showsXLabels: false)
    drawHorizontalGrid(axes, on: &drawing)
    for group in groups.indices { draw(group, layout, axes, on: &drawing) }
    drawing.line(
      Point(axes.frame.x, axes.frame.bottom), Point(axes.frame.right, axes.frame.bottom),
      Stroke(.axis, width: 1.2))
    return Figure(
      id: id, title: title, alternative: alternative, width: layout.width,
      height: top + plotHeight + layout.labelHeight, drawing)
  }

  private func drawHorizontalGrid(_ axes: Axes, on drawing: inout Drawing) {
    let frame = axes.frame
    for tick in axes.y.ticks(axes.yTickCount) {
      let y = axes.y.position(tick.value)
      drawing.line(Point(frame.x, y), Point(frame.right, y), Stroke(.grid))
      drawing.text(tick.label, at: Point(frame.x - 7, y + 4), TextStyle(11, .muted, anchor: .end))
    }
    drawing.text(
      yTitle, at: Point(16, frame.centerY), TextStyle(12.5, .ink, anchor: .middle, rotation: -90))
  }

  private func draw(_ group: Int, _ layout: Layout, _ axes: Axes, on drawing: inout Drawing) {
    let present = series.indices.filter { bars[group][$0] != nil }
    let left = layout.groupLeft(group)
    let barsWidth = Double(present.count) * layout.barWidth
    for (place, index) in present.enumerated() {
      guard let bar = bars[group][index] else { continue }
      let x = left + (layout.groupWidth - barsWidth) / 2 + Double(place) * layout.barWidth
      draw(bar, named: "\(groups[group]), \(series[index])", index, x, layout, axes, on: &drawing)
    }
    let middle = left + layout.groupWidth / 2
    for (line, text) in layout.labels[group].enumerated() {
      drawing.text(
        text, at: Point(middle, axes.frame.bottom + 18 + Double(line) * 15),
        TextStyle(12, .ink, anchor: .middle), full: groups[group])
    }
  }

  private func draw(
    _ bar: Bar, named name: String, _ index: Int, _ x: Double, _ layout: Layout, _ axes: Axes,
    on drawing: inout Drawing
  ) {
    let inner = Rect(
      x: x + layout.barWidth * 0.06, y: axes.y.position(bar.mean), width: layout.barWidth * 0.88,
      height: axes.y.start - axes.y.position(bar.mean))
    let error = bar.error.map { " ± \(decimal($0, places: 4))" } ?? ""
    drawing.rect(
      inner, fill: Palette.series(index), radius: 1.5, opacity: 0.86,
      tip: "\(name): \(decimal(bar.mean, places: 4))\(error)")
    let spread = inner.width * 0.5
    for (place, value) in bar.values.enumerated() {
      let share = bar.values.count > 1 ? Double(place) / Double(bar.values.count - 1) - 0.5 : 0
      drawing.circle(
        Point(inner.centerX + share * spread, axes.y.position(value)), radius: min(2.6, inner.width / 8),
        fill: .paper, stroke: Stroke(.ink, width: 0.8), opacity: 0.9)
    }
    var top = axes.y.position(max(bar.mean, bar.values.max() ?? 0)) - 4
    if let error = bar.error.map({ min($0, layout.domain.upperBound) }), error > 0 {
      let high = axes.y.position(bar.mean + error, isBounded: false)
      let low = axes.y.position(bar.mean - error)
      let stroke = Stroke(.ink, width: 1.4)
      let cap = min(6, inner.width * 0.2)
      drawing.line(Point(inner.centerX, high), Point(inner.centerX, low), stroke)
      drawing.line(Point(inner.centerX - cap, high), Point(inner.centerX + cap, high), stroke)
      drawing.line(Point(inner.centerX - cap, low), Point(inner.centerX + cap, low), stroke)
      top = min(top, high - 1)
    }
    guard layout.barWidth >= 38 else { return }
    let deviation = bar.error.map { "±\(decimal($0, places: 3))" } ?? ""
    drawing.text(
      decimal(bar.mean, places: 3), at: Point(inner.centerX, top - (deviation.isEmpty ? 4 : 16)),
      TextStyle(11.5, .ink, isBold: true, anchor: .middle))
    drawing.text(deviation, at: Point(inner.centerX, top - 4), TextStyle(9.5, .muted, anchor: .middle))
  }

  private struct Layout {
    let left = 66.0
    let width: Double
    let barWidth: Double
    let groupWidth: Double
    let labels: [[String]]
    let labelHeight: Double
    let domain: ClosedRange<Double>
    /// How far error bars stand out above the axis, as part of it: a score of 0.9 ± 0.2 has no value above 1.
    let overshoot: Double

    init(_ chart: GroupedBars) {
      let widest = chart.bars.map { row in row.count { $0 != nil } }.max() ?? 1
      let groupCount = Double(max(chart.groups.count, 1))
      let barWidth = min(64, max(9, (900 / groupCount - 26) / Double(max(widest, 1))))
      self.barWidth = barWidth
      groupWidth = max(Double(max(widest, 1)) * barWidth + 26, min(110, max(84, 900 / groupCount)))
      width = max(left + groupCount * groupWidth + 14, 360)
      let groupWidth = groupWidth
      labels = chart.groups.map { TextMetrics.wrapped($0, to: groupWidth - 6, size: 12, lines: 4) }
      labelHeight = 16 + 15 * Double(labels.map(\.count).max() ?? 1)
      let bars = chart.bars.joined().compactMap { $0 }
      let end = max(1, bars.map(\.mean).max() ?? 1)
      domain = 0...end
      overshoot = max(0, (bars.map { $0.mean + min($0.error ?? 0, end) }.max() ?? 0) / end - 1)
    }

    func groupLeft(_ group: Int) -> Double {
      let free = width - left - 14 - Double(labels.count) * groupWidth
      return left + free / 2 + Double(group) * groupWidth
    }
  }
}
