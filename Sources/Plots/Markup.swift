/// A piece of an XML document: SVG, or HTML that is XML too. Whatever text it is given, it is written as text: nothing in
/// a label or a value can become an element or leave its attribute.
package indirect enum Markup: Sendable {
  case text(String)
  case element(String, [(name: String, value: String)], [Markup])

  package static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: [Markup] = []
  ) -> Markup {
    .element(name, attributes.map { (name: $0.key, value: $0.value) }, content)
  }

  package static func tag(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ text: String
  ) -> Markup {
    tag(name, attributes, [.text(text)])
  }

  /// The piece as a text that XML parsers and, for elements of HTML and SVG, browsers read alike.
  package func serialized() -> String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to output: inout String) {
    switch self {
    case .text(let text): output += escaped(text, inAttribute: false)
    case .element(let name, let attributes, let content):
      output += "<\(name)"
      for attribute in attributes {
        output += " \(attribute.name)=\"\(escaped(attribute.value, inAttribute: true))\""
      }
      // HTML knows which elements are never closed, and takes the closed form of any other for an open one.
      if content.isEmpty, Self.closesItself.contains(name) {
        output += "/>"
        return
      }
      output += ">"
      for piece in content { piece.write(to: &output) }
      output += "</\(name)>"
    }
  }

  private static let closesItself: Set<String> = [
    "meta", "br", "img", "rect", "line", "path", "circle", "use", "image", "stop",
  ]
}

/// - Parameter inAttribute: line breaks would become spaces there.
private func escaped(_ text: String, inAttribute: Bool) -> String {
  let isPlain = text.utf8.allSatisfy {
    (0x20..<0x7F).contains($0)
      && !($0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">")
        || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'"))
  }
  if isPlain { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n":
      if inAttribute { result += "&#\(scalar.value);" } else { result.unicodeScalars.append(scalar) }
    // XML has no way to say them.
    case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
