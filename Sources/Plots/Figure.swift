/// A drawing with a size, a title, and words for readers who do not see it.
package struct Figure: Sendable {
  /// The fonts that are asked for, most wanted first; `TextMetrics` knows the widest of them.
  package static let fonts = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"

  /// Letters, digits and hyphens: the name of its files, and of its elements in a page.
  package let id: String
  package let title: String
  /// What it shows, in one sentence or two.
  package let alternative: String
  package let width: Double
  package let height: Double
  let elements: [Markup]

  package init(
    id: String, title: String, alternative: String, width: Double, height: Double, _ drawing: Drawing
  ) {
    precondition(width > 0 && height > 0)
    self.id = id
    self.title = title
    self.alternative = alternative
    self.width = width
    self.height = height
    elements = drawing.elements
  }

  /// The figure as an element of a page, which writes the title itself.
  package var inline: Markup { svg(top: 0, attributes: [("class", "figure")], before: []) }

  private static let headingHeight = 38.0

  /// Height of the figure in its own file, where the title stands above it.
  package var fileHeight: Double { height + Self.headingHeight }

  /// The figure as a file of its own: on white, with its title.
  package var file: String {
    var heading = Drawing()
    let top = Self.headingHeight
    heading.rect(Rect(x: 0, y: -top, width: width, height: height + top), fill: .paper)
    heading.text(
      TextMetrics.fitted(title, to: width - 24, size: 15, isBold: true), at: Point(12, 25 - top),
      TextStyle(15, isBold: true))
    let svg = svg(
      top: top, attributes: [("xmlns", "http://www.w3.org/2000/svg")], before: heading.elements)
    return Self.declaration + svg.serialized() + "\n"
  }

  private static let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

  /// Whether these are the bytes of a figure's file, or begin as those do.
  package static func isFile(_ bytes: some Collection<UInt8>, of id: String) -> Bool {
    let start = String(decoding: bytes.prefix(1000), as: UTF8.self)
    guard start.hasPrefix("\(declaration)<svg "),
      let end = start.dropFirst(declaration.count).firstIndex(of: ">")
    else { return false }
    return start[..<end].hasSuffix(" aria-labelledby=\"\(labels(of: id))\"")
  }

  /// The ids of the title and the description.
  private static func labels(of id: String) -> String { "\(id)-title \(id)-description" }

  private func svg(
    top: Double, attributes: [(name: String, value: String)], before: [Markup]
  ) -> Markup {
    let all =
      attributes + [
        ("viewBox", "0 \(pixels(-top)) \(pixels(width)) \(pixels(height + top))"), ("width", pixels(width)),
        ("height", pixels(height + top)), ("font-family", Self.fonts), ("role", "img"),
        // Last: a figure's file is known by it.
        ("aria-labelledby", Self.labels(of: id)),
      ]
    let words: [Markup] = [
      .tag("title", ["id": "\(id)-title"], title), .tag("desc", ["id": "\(id)-description"], alternative),
    ]
    return .element("svg", all, words + before + elements)
  }
}
