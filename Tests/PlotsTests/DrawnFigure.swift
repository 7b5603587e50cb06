import FoundationXML
import Plots
import Testing

import struct Foundation.Data
import class Foundation.NSObject

/// A figure's file as an XML parser reads it: its elements, and where its upright texts lie.
final class DrawnFigure: NSObject, XMLParserDelegate {
  struct Text {
    let words: String
    let left: Double
    let right: Double
    let baseline: Double
    let size: Double
  }

  private(set) var counts: [String: Int] = [:]
  private(set) var texts: [Text] = []
  private(set) var attributes: [[String: String]] = []
  private var open: [(name: String, attributes: [String: String])] = []
  private var words = ""

  /// nil, with an issue, for what is no XML.
  init?(_ figure: Figure) {
    super.init()
    let parser = XMLParser(data: Data(figure.file.utf8))
    parser.delegate = self
    guard parser.parse() else {
      Issue.record("\(figure.id) is no XML: \(String(describing: parser.parserError))")
      return nil
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
    self.attributes.append(attributes)
    open.append((name, attributes))
    if name == "text" { words = "" }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if open.last?.name == "text" { words += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    guard let (_, attributes) = open.popLast(), name == "text", attributes["transform"] == nil else { return }
    guard let x = attributes["x"].flatMap(Double.init), let y = attributes["y"].flatMap(Double.init),
      let size = attributes["font-size"].flatMap(Double.init)
    else {
      Issue.record("text \"\(words)\" has no place")
      return
    }
    let width = TextMetrics.width(of: words, size: size, isBold: attributes["font-weight"] != nil)
    let anchor = attributes["text-anchor"]
    let shift = anchor == "middle" ? width / 2 : anchor == "end" ? width : 0
    texts.append(Text(words: words, left: x - shift, right: x - shift + width, baseline: y, size: size))
  }

  /// Pairs of upright texts that cover one another.
  var overlaps: [(String, String)] {
    var found: [(String, String)] = []
    for (index, first) in texts.enumerated() where !first.words.isEmpty {
      for second in texts[..<index] where !second.words.isEmpty {
        let isBeside = first.left >= second.right - 0.5 || second.left >= first.right - 0.5
        // Letters reach about three quarters of their size above the line, and a fifth below.
        let (firstTop, secondTop) = (first.baseline - first.size * 0.72, second.baseline - second.size * 0.72)
        let isAbove = first.baseline <= secondTop + 0.5 || second.baseline <= firstTop + 0.5
        if !isBeside, !isAbove { found.append((first.words, second.words)) }
      }
    }
    return found
  }
}

/// What every figure must keep: it is XML, it is told in words, and its upright texts lie inside it and on nothing else.
func expectSound(_ figure: Figure, _ place: SourceLocation = #_sourceLocation) {
  guard let drawn = DrawnFigure(figure) else { return }
  #expect(drawn.counts["svg"] == 1, sourceLocation: place)
  #expect(drawn.counts["desc"] == 1 && !figure.alternative.isEmpty, sourceLocation: place)
  #expect(drawn.counts["script"] == nil, sourceLocation: place)
  for text in drawn.texts {
    #expect(
      text.left >= -0.5 && text.right <= figure.width + 0.5 && text.baseline <= figure.height + 0.5,
      "\(figure.id): \"\(text.words)\" leaves the figure", sourceLocation: place)
  }
  let overlaps = drawn.overlaps
  #expect(overlaps.isEmpty, "\(figure.id): \(overlaps.prefix(3))", sourceLocation: place)
  for attributes in drawn.attributes {
    for (name, value) in attributes where value.contains("nan") || value.contains("inf") {
      Issue.record("\(figure.id): \(name) is \(value)", sourceLocation: place)
    }
  }
}

/// Names as data sets have them: many, long, and hostile.
enum Names {
  static let organelles = [
    "cytoplasmic", "nucleoplasm", "vesicles", "membrane", "nuclear_punctae", "er", "chromatin", "golgi",
    "nucleolus_gc", "centrosome", "big_aggregates", "cell_contact", "cytoskeleton", "nuclear_membrane",
    "nucleolus_fc_dfc", "focal_adhesions", "mitochondria",
  ]
  static let hostile =
    "<script>alert(\"x\")</script> & 'y' ]]> \u{1}\u{FFFE} \n and a name that has no end at all"

  static func many(_ count: Int) -> [String] { (0..<count).map { "class number \($0)" } }
  /// 1, 17 and 100 classes, two with hostile names, and none.
  static let cases: [[String]] = [["only"], organelles, many(100), [hostile, "b\u{0}"], []]
}
