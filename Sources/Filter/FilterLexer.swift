import Faults
import Formats

/// A piece of a filter's text.
struct Token {
  enum Kind: Equatable {
    /// A bare word: a field name, or a keyword when its upper case is one.
    case word(String)
    /// A field name in double quotes.
    case quotedName(String)
    case text(String)
    case number(Double)
    /// The name behind a colon.
    case parameter(String)
    case symbol(String)
    case end
  }

  let kind: Kind
  /// From 1, in Unicode scalars.
  let column: Int
  /// As written; empty at the end of the text.
  let spelling: String

  /// The word in upper case: what it would be as a keyword.
  var keyword: String? {
    if case .word(let word) = kind { word.uppercased() } else { nil }
  }
}

/// Cuts a filter's text into tokens.
struct FilterLexer {
  /// Unicode scalars, not characters: a combining mark after a quote must not hide the quote.
  private let scalars: [Unicode.Scalar]
  private let source: FilterSource
  private var position = 0

  init(_ source: FilterSource) {
    scalars = Array(source.text.unicodeScalars)
    self.source = source
  }

  mutating func next() throws -> Token {
    while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
    let start = position
    guard position < scalars.count else { return Token(kind: .end, column: start + 1, spelling: "") }
    let kind: Token.Kind =
      switch scalars[position] {
      case "'": .text(try quoted(by: "'", what: "text"))
      case "\"": .quotedName(try quoted(by: "\"", what: "field name"))
      case ":": .parameter(try parameterName())
      case let first where Self.startsWord(first): .word(word())
      case let first where Self.isDigit(first) || ".+-".unicodeScalars.contains(first): try number()
      default: try symbol()
      }
    return Token(kind: kind, column: start + 1, spelling: spelling(from: start))
  }

  /// Reads up to the closing quote; a doubled quote stands for one.
  private mutating func quoted(by quote: Unicode.Scalar, what: String) throws -> String {
    let start = position
    var content = ""
    position += 1
    while position < scalars.count {
      let scalar = scalars[position]
      position += 1
      guard scalar == quote else {
        content.unicodeScalars.append(scalar)
        continue
      }
      guard position < scalars.count, scalars[position] == quote else { return content }
      content.unicodeScalars.append(quote)
      position += 1
    }
    throw fault(
      at: start, "the \(what) that starts here is not closed",
      remedy: "end it with \(quote); write \(quote)\(quote) for a quote inside it")
  }

  private mutating func word() -> String {
    let start = position
    while position < scalars.count, Self.continuesWord(scalars[position]) { position += 1 }
    return spelling(from: start)
  }

  private mutating func parameterName() throws -> String {
    let start = position
    position += 1
    guard position < scalars.count, Self.startsWord(scalars[position]) else {
      throw fault(at: start, "no parameter's name follows the colon", remedy: "write for example :gene")
    }
    return word()
  }

  private mutating func number() throws -> Token.Kind {
    let start = position
    while position < scalars.count {
      let scalar = scalars[position]
      let isSign = scalar == "+" || scalar == "-"
      let mayBeSign = position == start || "eE".unicodeScalars.contains(scalars[position - 1])
      guard isSign ? mayBeSign : Self.continuesWord(scalar) else { break }
      position += 1
    }
    let spelling = spelling(from: start)
    guard let value = decimalNumber(spelling) else {
      throw fault(
        at: start, "'\(spelling)' is not a number", remedy: "write texts in single quotes, as in 'U2OS'")
    }
    guard value.isFinite else { throw fault(at: start, "the number \(spelling) is out of range") }
    // -0 equals 0, but an ordered index may tell them apart.
    return .number(value == 0 ? 0 : value)
  }

  private mutating func symbol() throws -> Token.Kind {
    let start = position
    for symbol in ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","]
    where scalars[start...].starts(with: symbol.unicodeScalars) {
      position += symbol.unicodeScalars.count
      return .symbol(symbol)
    }
    let scalar = scalars[start]
    let remedy =
      if "\u{2018}\u{2019}\u{201C}\u{201D}`".unicodeScalars.contains(scalar) {
        "write texts in straight single quotes, as in 'U2OS'"
      } else if scalar.properties.isAlphabetic {
        "write texts in single quotes, and names with other letters than a to z in double quotes"
      } else {
        ""
      }
    throw fault(at: start, "unexpected character '\(scalar)'", remedy: remedy)
  }

  private func fault(at position: Int, _ problem: String, remedy: String = "") -> Fault {
    source.fault(at: position + 1, problem, remedy: remedy)
  }

  private func spelling(from start: Int) -> String {
    var spelling = String.UnicodeScalarView()
    spelling.append(contentsOf: scalars[start..<position])
    return String(spelling)
  }

  fileprivate static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  static func startsWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }

  static func continuesWord(_ scalar: Unicode.Scalar) -> Bool {
    startsWord(scalar) || isDigit(scalar) || scalar == "."
  }
}
