/// Pictures in rows, each with lines of text below it.
package struct Montage: Sendable {
  package struct Tile: Sendable {
    /// A data URI; nil where there is no picture.
    package let image: String?
    /// The first in bold; each takes as many as two lines of the picture's width.
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
    var drawing = Drawing()
    let width = Double(columns) * (Self.side + Self.gap) + 24 - Self.gap
    let legend = Legend(colors.map { (name: $0.name, swatch: .box($0.paint)) }, width: width - 24)
    legend.draw(on: &drawing, at: Point(8, 6))
    var y = legend.height + 14
    for start in stride(from: 0, to: tiles.count, by: columns) {
      let row = tiles[start..<min(start + columns, tiles.count)]
      let bottoms = row.enumerated().map { column, tile in
        draw(tile, at: Point(12 + Double(column) * (Self.side + Self.gap), y), on: &drawing)
      }
      y = (bottoms.max() ?? y) + 16
    }
    return Figure(id: id, title: title, alternative: alternative, width: width, height: y, drawing)
  }

  /// - Returns: where the last line ends.
  private func draw(_ tile: Tile, at origin: Point, on drawing: inout Drawing) -> Double {
    let frame = Rect(x: origin.x, y: origin.y, width: Self.side, height: Self.side)
    drawing.picture(tile.image, in: frame, alternative: tile.alternative)
    var y = frame.bottom + 1
    for (place, text) in tile.lines.enumerated() {
      let style = place == 0 ? TextStyle(11, .ink, isBold: true) : TextStyle(10.5, .muted)
      let lines = TextMetrics.wrapped(text, to: Self.side, size: style.size, lines: 2, isBold: style.isBold)
      let isWhole = lines.joined().count >= text.count - lines.count
      for line in lines {
        y += 14
        drawing.text(line, at: Point(frame.x, y), style, full: isWhole ? nil : text)
      }
    }
    return y
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
