/// Samples, a row each: their picture, its channels one by one, and the probability of each class that matters, beside
/// what is true.
package struct SamplePanels: Sendable {
  package enum Verdict: String, Sendable {
    /// True and predicted.
    case hit
    /// True, not predicted.
    case missed
    /// Predicted, not true.
    case wrong
    /// Neither.
    case neither = ""
  }

  package struct Class: Sendable {
    package let name: String
    package let probability: Double
    /// nil where classes are compared with one another.
    package let threshold: Double?
    package let verdict: Verdict

    package init(name: String, probability: Double, threshold: Double?, verdict: Verdict) {
      self.name = name
      self.probability = probability
      self.threshold = threshold
      self.verdict = verdict
    }
  }

  package struct Row: Sendable {
    package let title: String
    package let subtitle: String
    /// Data URIs in the order of `columns`; nil where there is no picture.
    package let images: [String?]
    package let classes: [Class]
    package let labels: String
    package let predictions: String

    package init(
      title: String, subtitle: String, images: [String?], classes: [Class], labels: String,
      predictions: String
    ) {
      self.title = title
      self.subtitle = subtitle
      self.images = images
      self.classes = classes
      self.labels = labels
      self.predictions = predictions
    }
  }

  /// What the pictures of a row are, with the colour of each in the first one; nil for the first one itself.
  package let columns: [(name: String, paint: Paint?)]
  package let rows: [Row]

  package init(columns: [(name: String, paint: Paint?)], rows: [Row]) {
    precondition(rows.allSatisfy { $0.images.count == columns.count })
    self.columns = columns
    self.rows = rows
  }

  private static let textWidth = 390.0
  private static let gap = 10.0
  private static let classHeight = 17.0

  /// Room for up to four pictures in the width of a page; none takes none.
  private var side: Double {
    columns.isEmpty ? 0 : min(168, max(84, 620 / Double(columns.count) - Self.gap))
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    var drawing = Drawing()
    let side = side
    for (index, column) in columns.enumerated() {
      let x = 12 + Double(index) * (side + Self.gap)
      if let paint = column.paint {
        drawing.rect(Rect(x: x, y: 9, width: 10, height: 10), fill: paint, radius: 2)
      }
      let offset = column.paint == nil ? 0.0 : 15
      drawing.text(
        TextMetrics.fitted(column.name, to: side - offset, size: 11.5), at: Point(x + offset, 18),
        TextStyle(11.5, .ink), full: column.name)
    }
    var y = columns.isEmpty ? 10.0 : 28
    for row in rows {
      let height = max(side, 67 + Double(row.classes.count) * Self.classHeight)
      for (index, image) in row.images.enumerated() {
        drawing.picture(
          image, in: Rect(x: 12 + Double(index) * (side + Self.gap), y: y, width: side, height: side),
          alternative: "\(row.title), \(columns[index].name)")
      }
      draw(row, at: Point(12 + Double(columns.count) * (side + Self.gap) + 8, y), on: &drawing)
      y += height + 16
    }
    return Figure(
      id: id, title: title, alternative: alternative,
      width: 12 + Double(columns.count) * (side + Self.gap) + 8 + Self.textWidth + 8, height: max(y, 40),
      drawing)
  }

  private func draw(_ row: Row, at origin: Point, on drawing: inout Drawing) {
    func line(_ text: String, _ y: Double, _ style: TextStyle) {
      let fitted = TextMetrics.fitted(text, to: Self.textWidth, size: style.size, isBold: style.isBold)
      drawing.text(fitted, at: Point(origin.x, origin.y + y), style, full: text)
    }
    line(row.title, 11, TextStyle(12, .ink, isBold: true))
    line(row.subtitle, 25, TextStyle(10.5, .muted))
    line("true: \(row.labels)", 41, TextStyle(11, .ink))
    line("predicted: \(row.predictions)", 56, TextStyle(11, .ink))
    let nameWidth = min(150, row.classes.map { TextMetrics.width(of: $0.name, size: 10.5) }.max() ?? 0) + 8
    let bar = Rect(x: origin.x + nameWidth, y: 0, width: Self.textWidth - nameWidth - 96, height: 9)
    for (index, item) in row.classes.enumerated() {
      let y = origin.y + 73 + Double(index) * Self.classHeight
      drawing.text(
        TextMetrics.fitted(item.name, to: nameWidth - 8, size: 10.5), at: Point(bar.x - 6, y + 4),
        TextStyle(10.5, .ink, anchor: .end), full: item.name)
      drawing.rect(Rect(x: bar.x, y: y - 4.5, width: bar.width, height: bar.height), fill: .grid, radius: 1.5)
      drawing.rect(
        Rect(x: bar.x, y: y - 4.5, width: max(bar.width * item.probability, 0.5), height: bar.height),
        fill: paint(item.verdict), radius: 1.5)
      if let threshold = item.threshold.map({ bar.x + bar.width * min(max($0, 0), 1) }) {
        drawing.line(Point(threshold, y - 6.5), Point(threshold, y + 6.5), Stroke(.ink, width: 1.2))
      }
      drawing.text(
        decimal(item.probability, places: 2), at: Point(bar.right + 32, y + 4),
        TextStyle(10.5, .muted, anchor: .end))
      drawing.text(
        item.verdict.rawValue, at: Point(bar.right + 40, y + 4),
        TextStyle(10.5, item.verdict == .hit ? .muted : .ink, isBold: item.verdict != .hit))
    }
  }

  private func paint(_ verdict: Verdict) -> Paint {
    switch verdict {
    case .hit: Palette.series(2)
    case .missed: Palette.series(4)
    case .wrong: Palette.series(1)
    case .neither: .axis
    }
  }
}
