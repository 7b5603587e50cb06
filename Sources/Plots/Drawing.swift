import Glibc

/// A rectangle of a figure, pixels, y downwards.
package struct Rect: Sendable, Equatable {
  package let x: Double
  package let y: Double
  package let width: Double
  package let height: Double

  package init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  package var right: Double { x + width }
  package var bottom: Double { y + height }
  package var centerX: Double { x + width / 2 }
  package var centerY: Double { y + height / 2 }
}

package struct Point: Sendable, Equatable {
  package let x: Double
  package let y: Double

  package init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// How an outline is drawn.
package struct Stroke: Sendable {
  package let paint: Paint
  package let width: Double
  package let dash: String?
  package let opacity: Double

  package init(_ paint: Paint, width: Double = 1, dash: String? = nil, opacity: Double = 1) {
    self.paint = paint
    self.width = width
    self.dash = dash
    self.opacity = opacity
  }
}

/// How text is set.
package struct TextStyle: Sendable {
  package enum Anchor: String, Sendable {
    case start, middle, end
  }

  package var size: Double
  package var paint: Paint
  package var isBold: Bool
  package var anchor: Anchor
  /// Degrees, clockwise, around the text's place.
  package var rotation: Double

  package init(
    _ size: Double = 12, _ paint: Paint = .ink, isBold: Bool = false, anchor: Anchor = .start,
    rotation: Double = 0
  ) {
    self.size = size
    self.paint = paint
    self.isBold = isBold
    self.anchor = anchor
    self.rotation = rotation
  }
}

/// The elements of a figure, in the order in which they cover one another.
package struct Drawing: Sendable {
  package private(set) var elements: [Markup] = []

  package init() {}

  package mutating func add(_ element: Markup) { elements.append(element) }

  package mutating func rect(
    _ rect: Rect, fill: Paint? = nil, stroke: Stroke? = nil, radius: Double = 0, opacity: Double = 1,
    tip: String? = nil
  ) {
    var attributes = [
      (name: "x", value: pixels(rect.x)), ("y", pixels(rect.y)), ("width", pixels(rect.width)),
      ("height", pixels(rect.height)),
    ]
    if radius > 0 { attributes.append(("rx", pixels(radius))) }
    if opacity < 1 { attributes.append(("opacity", pixels(opacity))) }
    elements.append(shape("rect", attributes, fill: fill, stroke: stroke, tip: tip))
  }

  package mutating func line(_ from: Point, _ to: Point, _ stroke: Stroke) {
    elements.append(
      shape(
        "line", [("x1", pixels(from.x)), ("y1", pixels(from.y)), ("x2", pixels(to.x)), ("y2", pixels(to.y))],
        stroke: stroke))
  }

  package mutating func circle(
    _ center: Point, radius: Double, fill: Paint? = nil, stroke: Stroke? = nil, opacity: Double = 1,
    tip: String? = nil
  ) {
    var attributes = [(name: "cx", value: pixels(center.x)), ("cy", pixels(center.y)), ("r", pixels(radius))]
    if opacity < 1 { attributes.append(("opacity", pixels(opacity))) }
    elements.append(shape("circle", attributes, fill: fill, stroke: stroke, tip: tip))
  }

  package mutating func polyline(_ points: [Point], _ stroke: Stroke) {
    guard points.count > 1 else { return }
    elements.append(shape("path", [("d", pathData(points)), ("stroke-linejoin", "round")], stroke: stroke))
  }

  package mutating func polygon(_ points: [Point], fill: Paint, opacity: Double = 1, tip: String? = nil) {
    guard points.count > 2 else { return }
    var attributes = [(name: "d", value: pathData(points) + "Z")]
    if opacity < 1 { attributes.append(("opacity", pixels(opacity))) }
    elements.append(shape("path", attributes, fill: fill, tip: tip))
  }

  /// Text whose base line begins, ends or has its middle at a place.
  /// - Parameter full: what a reader is shown on pointing at text that had to be cut short.
  package mutating func text(_ text: String, at place: Point, _ style: TextStyle, full: String? = nil) {
    var attributes = [
      (name: "x", value: pixels(place.x)), ("y", pixels(place.y)), ("font-size", pixels(style.size)),
      ("fill", style.paint.value),
    ]
    if let role = style.paint.role { attributes.append(("class", "f-\(role)")) }
    if style.isBold { attributes.append(("font-weight", "600")) }
    if style.anchor != .start { attributes.append(("text-anchor", style.anchor.rawValue)) }
    if style.rotation != 0 {
      attributes.append(
        ("transform", "rotate(\(pixels(style.rotation)) \(pixels(place.x)) \(pixels(place.y)))"))
    }
    let tip = full.flatMap { $0 == text ? nil : Markup.tag("title", [:], $0) }
    elements.append(.element("text", attributes, (tip.map { [$0] } ?? []) + [.text(text)]))
  }

  /// - Parameter alternative: what the image shows, for readers who do not see it.
  package mutating func image(_ source: String, in rect: Rect, alternative: String) {
    elements.append(
      .tag(
        "image",
        [
          "x": pixels(rect.x), "y": pixels(rect.y), "width": pixels(rect.width),
          "height": pixels(rect.height),
          "preserveAspectRatio": "xMidYMid meet", "href": source, "role": "img", "aria-label": alternative,
        ]))
  }
}

/// "M x y L x y ...".
func pathData(_ points: [Point]) -> String {
  points.enumerated().map { "\($0 == 0 ? "M" : "L")\(pixels($1.x)) \(pixels($1.y))" }.joined()
}

private func shape(
  _ name: String, _ geometry: [(name: String, value: String)], fill: Paint? = nil, stroke: Stroke? = nil,
  tip: String? = nil
) -> Markup {
  var attributes = geometry
  attributes.append(("fill", fill?.value ?? "none"))
  var classes = fill?.role.map { ["f-\($0)"] } ?? []
  if let stroke {
    attributes.append(("stroke", stroke.paint.value))
    if stroke.width != 1 { attributes.append(("stroke-width", pixels(stroke.width))) }
    if let dash = stroke.dash { attributes.append(("stroke-dasharray", dash)) }
    if stroke.opacity < 1 { attributes.append(("stroke-opacity", pixels(stroke.opacity))) }
    if let role = stroke.paint.role { classes.append("s-\(role)") }
  }
  if !classes.isEmpty { attributes.append(("class", classes.joined(separator: " "))) }
  return .element(name, attributes, tip.map { [.tag("title", [:], $0)] } ?? [])
}
