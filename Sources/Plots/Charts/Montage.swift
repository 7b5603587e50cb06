/// Pictures in rows, each with lines of text below it.
package struct Montage: Sendable {
  package struct Tile: Sendable {
    /// A data URI; nil where there is no picture.
    package let image: String?
    /// The first in bold; each is cut to the width of the picture.
    package let lines: [String]
    package let alternative: String

    package init(image: String?, lines: [String], alternative: String) {
      self.image = image
      self.lines = lines
      self.alternative = alternative
    }
  }

  package let tiles: [Tile]
  /// Channels with their colours in the pictures.
  package let colors: [(name: String, paint: Paint)]

  package init(tiles: [Tile], colors: [(name: String, paint: Paint)]) {
    self.tiles = tiles
    self.colors = colors
  }

  private static let side = 150.0
  private static let gap = 14.0

  package func figure(id: String, title: String, alternative: String) -> Figure {
    let columns = min(max(tiles.count, 2), 6)
    let lineCount = tiles.map(\.lines.count).max() ?? 0
    let cellHeight = Self.side + 10 + Double(lineCount) * 14 + 8
    var drawing = Drawing()
    let width = Double(columns) * (Self.side + Self.gap) + 24 - Self.gap
    let legend = Legend(colors.map { (name: $0.name, swatch: .box($0.paint)) }, width: width - 24)
    legend.draw(on: &drawing, at: Point(8, 6))
    let top = legend.height + 14
    for (index, tile) in tiles.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let frame = Rect(
        x: 12 + Double(column) * (Self.side + Self.gap), y: top + Double(row) * cellHeight, width: Self.side,
        height: Self.side)
      drawing.picture(tile.image, in: frame, alternative: tile.alternative)
      for (place, line) in tile.lines.enumerated() {
        let isFirst = place == 0
        drawing.text(
          TextMetrics.fitted(line, to: Self.side, size: isFirst ? 11 : 10.5, isBold: isFirst),
          at: Point(frame.x, frame.bottom + 15 + Double(place) * 14),
          TextStyle(isFirst ? 11 : 10.5, isFirst ? .ink : .muted, isBold: isFirst), full: line)
      }
    }
    let rows = (tiles.count + columns - 1) / columns
    return Figure(
      id: id, title: title, alternative: alternative, width: width, height: top + Double(rows) * cellHeight,
      drawing)
  }
}

extension Drawing {
  /// A picture on black, or a frame that says that there is none.
  mutating func picture(_ source: String?, in frame: Rect, alternative: String) {
    if let source {
      rect(frame, fill: Paint("#000000"), radius: 2)
      image(source, in: frame, alternative: alternative)
    } else {
      rect(frame, fill: .grid, stroke: Stroke(.faint, dash: "4 3"), radius: 2, tip: alternative)
      text(
        "no image", at: Point(frame.centerX, frame.centerY + 4), TextStyle(11, .muted, anchor: .middle))
    }
  }
}
