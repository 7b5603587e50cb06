/// Points of several groups in the plane.
package struct Scatter: Sendable {
  package struct Group: Sendable {
    package let name: String
    package let points: [Point]

    package init(name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// Each in a colour of its own.
  package let groups: [Group]
  /// Points in gray below the others; nil for none.
  package let rest: Group?
  package let xTitle: String
  package let yTitle: String

  package init(groups: [Group], rest: Group? = nil, xTitle: String, yTitle: String) {
    self.groups = groups
    self.rest = rest
    self.xTitle = xTitle
    self.yTitle = yTitle
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let colored = groups.enumerated().map { (group: $1, paint: Palette.series($0)) }
    let all = (rest.map { [(group: $0, paint: Paint.faint)] } ?? []) + colored.reversed()
    let legend = Legend(
      all.reversed().map { (name: $0.group.name, swatch: .dot($0.paint)) }, width: 570)
    var drawing = Drawing()
    legend.draw(on: &drawing, at: Point(46, 6))
    let frame = Rect(x: 46, y: legend.height + 16, width: 580, height: 440)
    let points = all.flatMap(\.group.points)
    let (x, y) = (Self.domain(points.map(\.x)), Self.domain(points.map(\.y)))
    let axes = Axes(
      x: Scale(.linear, x, from: frame.x, to: frame.right),
      y: Scale(.linear, y, from: frame.bottom, to: frame.y),
      xTitle: xTitle, yTitle: yTitle, showsXLabels: false, showsYLabels: false)
    axes.draw(on: &drawing)
    let radius = points.count > 1500 ? 1.7 : points.count > 300 ? 2.4 : 3.4
    for (group, paint) in all {
      for point in group.points {
        drawing.circle(
          axes.point(point.x, point.y), radius: radius, fill: paint, stroke: Stroke(.paper, width: 0.5),
          opacity: 0.75)
      }
    }
    return Figure(
      id: id, title: title, alternative: alternative, width: frame.right + 14, height: frame.bottom + 30,
      drawing)
  }

  /// With a margin, so that no point lies on the frame.
  private static func domain(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max(), low < high else { return -1...1 }
    let margin = (high - low) * 0.04
    return low - margin...high + margin
  }
}
