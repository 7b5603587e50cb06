import Plots

/// What stands in a report, from top to bottom.
enum PageItem: Sendable {
  case paragraph(String)
  case facts([(name: String, value: String)])
  case notes([String])
  case figure(Figure, caption: String)
  case table(PageTable)
}

/// A table of a page.
struct PageTable: Sendable {
  struct Column: Sendable {
    let name: String
    let isNumber: Bool

    static func text(_ name: String) -> Column { Column(name: name, isNumber: false) }
    static func number(_ name: String) -> Column { Column(name: name, isNumber: true) }
  }

  let caption: String
  let columns: [Column]
  let rows: [[String]]
  /// Whether a reader has to open it.
  let isFolded: Bool

  init(_ caption: String, _ columns: [Column], rows: [[String]], isFolded: Bool = true) {
    precondition(rows.allSatisfy { $0.count == columns.count })
    self.caption = caption
    self.columns = columns
    self.rows = rows
    self.isFolded = isFolded
  }
}

struct PageSection: Sendable {
  /// Letters, digits and hyphens.
  let id: String
  let heading: String
  let items: [PageItem]
}

/// A page of HTML that needs nothing else: no network, no script, no other file. It is XML, too.
struct HTMLPage: Sendable {
  let title: String
  let subtitle: String
  let sections: [PageSection]
  /// Where each figure lies as a file; nil for a page alone.
  let links: FigureLinks?

  struct FigureLinks: Sendable {
    let folder: String
    /// Of the figures that are there as PNG, too.
    let pngIDs: Set<String>
  }

  func serialized() -> String {
    let head = Markup.tag(
      "head", [:],
      [
        .tag("meta", ["charset": "utf-8"]),
        .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .tag("title", [:], title), .tag("style", [:], pageStyle),
      ])
    let contents = Markup.tag(
      "nav", ["aria-label": "Contents"],
      [.tag("ul", [:], sections.map { .tag("li", [:], [.tag("a", ["href": "#\($0.id)"], $0.heading)]) })])
    let header = Markup.tag(
      "header", [:], [.tag("h1", [:], title), .tag("p", ["class": "subtitle"], subtitle), contents])
    var number = 0
    let bodies = sections.map { section in
      Markup.tag(
        "section", ["id": section.id],
        [.tag("h2", [:], section.heading)] + section.items.map { markup(of: $0, figureNumber: &number) })
    }
    let page = Markup.tag(
      "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"],
      [head, .tag("body", [:], [header, .tag("main", [:], bodies)])])
    return "<!DOCTYPE html>\n" + page.serialized() + "\n"
  }

  private func markup(of item: PageItem, figureNumber: inout Int) -> Markup {
    switch item {
    case .paragraph(let text): return .tag("p", [:], text)
    case .facts(let facts):
      return .tag(
        "dl", [:], facts.flatMap { [Markup.tag("dt", [:], $0.name), .tag("dd", [:], $0.value)] })
    case .notes(let notes):
      return .tag("ul", ["class": "notes"], notes.map { .tag("li", [:], $0) })
    case .figure(let figure, let caption):
      figureNumber += 1
      var words: [Markup] = [
        .tag("strong", [:], "Figure \(figureNumber). \(figure.title)."), .text(" \(caption)"),
      ]
      if let links {
        words.append(.text(" "))
        for kind in ["svg"] + (links.pngIDs.contains(figure.id) ? ["png"] : []) {
          let path = "\(links.folder)/\(figure.id).\(kind)"
          words += [.tag("a", ["href": path, "class": "file"], kind.uppercased()), .text(" ")]
        }
      }
      return .tag(
        "figure", ["id": "figure-\(figure.id)"],
        [.tag("div", ["class": "plot"], [figure.inline]), .tag("figcaption", [:], words)])
    case .table(let table): return markup(of: table)
    }
  }

  private func markup(of table: PageTable) -> Markup {
    func cell(_ name: String, _ text: String, _ column: PageTable.Column, scope: String? = nil) -> Markup {
      var attributes: [(name: String, value: String)] = []
      if column.isNumber { attributes.append(("class", "number")) }
      if let scope { attributes.append(("scope", scope)) }
      return .element(name, attributes, [.text(text)])
    }
    let head = Markup.tag(
      "thead", [:], [.tag("tr", [:], table.columns.map { cell("th", $0.name, $0, scope: "col") })])
    let rows = table.rows.map { row in
      let cells = zip(row, table.columns).enumerated().map { place, entry in
        place == 0 && !entry.1.isNumber
          ? cell("th", entry.0, entry.1, scope: "row") : cell("td", entry.0, entry.1)
      }
      return Markup.tag("tr", [:], cells)
    }
    let body = Markup.tag(
      "div", ["class": "table"],
      [
        .tag(
          "table", [:],
          (table.isFolded ? [] : [.tag("caption", [:], table.caption)]) + [head, .tag("tbody", [:], rows)])
      ])
    guard table.isFolded else { return body }
    return .tag("details", [:], [.tag("summary", [:], "Table: \(table.caption)"), body])
  }
}
