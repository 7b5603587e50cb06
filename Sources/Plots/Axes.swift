/// The frame of a plot: grid lines, ticks and titles around the place where data are drawn.
struct Axes {
  var x: Scale
  var y: Scale
  var xTitle = ""
  var yTitle = ""
  var xTickCount = 5
  /// Ticks in place of round numbers.
  var xTicks: [Tick]?
  var yTickCount = 5
  var showsXLabels = true
  var showsYLabels = true
  var size = 11.0

  var frame: Rect { Rect(x: x.start, y: y.end, width: x.end - x.start, height: y.start - y.end) }

  /// Room that the labels and the title beside the vertical axis need.
  static func leftMargin(for scale: Scale, count: Int = 5, titled: Bool, size: Double = 11) -> Double {
    let widest = scale.ticks(count).map { TextMetrics.width(of: $0.label, size: size) }.max() ?? 0
    return widest + 10 + (titled ? size + 10 : 0)
  }

  func draw(on drawing: inout Drawing) {
    let frame = frame
    for tick in y.ticks(yTickCount) {
      let place = y.position(tick.value)
      drawing.line(Point(frame.x, place), Point(frame.right, place), Stroke(.grid))
      if showsYLabels {
        drawing.text(
          tick.label, at: Point(frame.x - 6, place + size * 0.35), TextStyle(size, .muted, anchor: .end))
      }
    }
    var lastLabelEnd = -Double.infinity
    for tick in x.ticks(xTickCount, at: xTicks) {
      let place = x.position(tick.value)
      drawing.line(Point(place, frame.y), Point(place, frame.bottom), Stroke(.grid))
      let half = TextMetrics.width(of: tick.label, size: size) / 2
      guard showsXLabels, place - half > lastLabelEnd + 4 else { continue }
      lastLabelEnd = place + half
      drawing.text(
        tick.label, at: Point(place, frame.bottom + size + 5), TextStyle(size, .muted, anchor: .middle))
    }
    drawing.line(Point(frame.x, frame.bottom), Point(frame.right, frame.bottom), Stroke(.axis))
    drawing.line(Point(frame.x, frame.y), Point(frame.x, frame.bottom), Stroke(.axis))
    if !xTitle.isEmpty {
      drawing.text(
        xTitle, at: Point(frame.centerX, frame.bottom + (showsXLabels ? size * 2 + 13 : size + 8)),
        TextStyle(size + 1, .ink, anchor: .middle))
    }
    if !yTitle.isEmpty {
      let margin = Self.leftMargin(for: y, count: yTickCount, titled: false, size: size)
      drawing.text(
        yTitle, at: Point(frame.x - (showsYLabels ? margin : 0) - 5, frame.centerY),
        TextStyle(size + 1, .ink, anchor: .middle, rotation: -90))
    }
  }

  func point(_ xValue: Double, _ yValue: Double) -> Point {
    Point(x.position(xValue), y.position(yValue))
  }
}

/// Names of series with the colours that stand for them, in rows.
struct Legend {
  enum Swatch {
    case box(Paint)
    case line(Stroke)
    case dot(Paint)
    case ring(Paint)
  }

  let entries: [(name: String, swatch: Swatch)]
  let width: Double
  private static let size = 11.5
  private static let rowHeight = 19.0
  private static let swatchWidth = 20.0

  init(_ entries: [(name: String, swatch: Swatch)], width: Double) {
    self.entries = entries
    self.width = width
  }

  private var places: [(x: Double, row: Int, text: String)] {
    var (x, row) = (0.0, 0)
    return entries.map { entry in
      let text = TextMetrics.fitted(entry.name, to: width - Self.swatchWidth - 8, size: Self.size)
      let needed = Self.swatchWidth + 6 + TextMetrics.width(of: text, size: Self.size) + 16
      if x > 0, x + needed - 16 > width { (x, row) = (0, row + 1) }
      defer { x += needed }
      return (x, row, text)
    }
  }

  var height: Double { Double((places.map(\.row).max() ?? -1) + 1) * Self.rowHeight }

  func draw(on drawing: inout Drawing, at origin: Point) {
    for (entry, place) in zip(entries, places) {
      let x = origin.x + place.x
      let y = origin.y + Double(place.row) * Self.rowHeight + Self.rowHeight / 2
      let middle = Point(x + Self.swatchWidth / 2, y)
      switch entry.swatch {
      case .box(let paint):
        drawing.rect(Rect(x: x + 4, y: y - 6, width: 12, height: 12), fill: paint, radius: 2)
      case .line(let stroke):
        drawing.line(Point(x, y), Point(x + Self.swatchWidth, y), stroke)
      case .dot(let paint): drawing.circle(middle, radius: 4, fill: paint)
      case .ring(let paint):
        drawing.circle(middle, radius: 4, fill: .paper, stroke: Stroke(paint, width: 1.8))
      }
      drawing.text(
        place.text, at: Point(x + Self.swatchWidth + 6, y + Self.size * 0.36), TextStyle(Self.size, .ink),
        full: entry.name)
    }
  }
}
