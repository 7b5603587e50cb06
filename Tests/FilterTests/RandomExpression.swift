import Randomness
import Storage

/// Texts with whatever could be mistaken for something else: quotes, wildcards, keywords, accents composed and not.
private let words = [
  "TP53", "TP54", "tp53", "", " ", "it's", "\"", "50%", "a_b", "a\\b", "na\u{EF}ve", "nai\u{308}ve",
  "\u{6838}",
  "\u{1F469}\u{200D}\u{1F52C}", "AND", ":g", "3",
]

private let patterns = [
  "%", "_", "", "TP5_", "%5%", "t%3", "%\u{308}%", "__", "na_ve", "%'%", "a\\_b", "%\\%", "%_b", "%%_",
  "\u{6838}%",
]

/// A cell with metadata that may be missing.
struct RandomCell {
  static let fields: KeyValuePairs<String, FieldType> = [
    "gene": .string, "Cell \"Type\"": .string, "dose": .number, "not": .number, "label": .list,
  ]

  /// By field name; a missing name is null.
  var values: [String: FieldValue] = [:]
  let object: ObjectKey
  let geometry: CellGeometry?

  init(using generator: inout SeededGenerator) {
    object = generator.next() % 2 == 0 ? .whole : .label(UInt32(generator.next() % 9))
    geometry =
      generator.next() % 3 == 0
      ? nil
      : CellGeometry(
        box: BoundingBox(x: 0, y: 0, width: 3, height: 3), centerX: Float(generator.next() % 9) / 2,
        centerY: 1,
        areaPx: UInt32(generator.next() % 9))
    for (name, type) in Self.fields where generator.next() % 4 != 0 {
      values[name] =
        switch type {
        case .string: .string(words.randomElement(using: &generator)!)
        case .number: .number(Double(generator.next() % 9) / 2 - 2)
        case .list: .list(words.filter { _ in generator.next() % 5 == 0 })
        }
    }
  }
}

/// A random expression as text, together with its meaning in three-valued logic (nil is unknown).
struct RandomExpression {
  typealias Truth = (RandomCell, Row) -> Bool?

  private(set) var text: String
  private(set) var parameters: [String: [String]] = [:]
  private(set) var truth: Truth

  init(depth: Int, using generator: inout SeededGenerator) {
    var printer = Printer(generator: generator)
    (text, truth) = printer.expression(depth: depth)
    parameters = printer.parameters
    generator = printer.generator
  }
}

/// Makes expressions, and writes each piece in one of the ways that the grammar allows.
private struct Printer {
  typealias Expression = (text: String, truth: RandomExpression.Truth)

  var generator: SeededGenerator
  var parameters: [String: [String]] = [:]

  mutating func expression(depth: Int) -> Expression {
    if depth == 0 || generator.next() % 4 == 0 { return test() }
    switch generator.next() % 3 {
    case 0:
      let inner = expression(depth: depth - 1)
      return ("\(keyword("not")) (\(inner.text))", { cell, row in inner.truth(cell, row).map { !$0 } })
    case let kind:
      let parts = (0...1 + generator.next() % 2).map { _ in expression(depth: depth - 1) }
      let isAll = kind == 1
      let text = parts.map { "(\($0.text))" }.joined(separator: " \(keyword(isAll ? "and" : "or")) ")
      return (
        text,
        { cell, row in
          let truths = parts.map { $0.truth(cell, row) }
          // One false makes AND false, one true makes OR true; otherwise one unknown makes both unknown.
          if truths.contains(!isAll) { return !isAll }
          return truths.contains(nil) ? nil : isAll
        }
      )
    }
  }

  private mutating func test() -> Expression {
    switch generator.next() % 3 {
    case 0: textTest(["gene", "Cell \"Type\""].randomElement(using: &generator)!)
    case 1: numberTest()
    default: listTest()
    }
  }

  // MARK: Texts and lists

  private mutating func textTest(_ name: String) -> Expression {
    let word = words.randomElement(using: &generator)!
    let isNegated = generator.next() % 2 == 0
    let not = isNegated ? keyword("not") + " " : ""
    let field = spelled(name)
    func value(_ matches: @escaping (String) -> Bool) -> RandomExpression.Truth {
      { cell, _ in if case .string(let own) = cell.values[name] { matches(own) != isNegated } else { nil } }
    }
    switch generator.next() % 4 {
    case 0:
      let sign = isNegated ? ["!=", "<>"].randomElement(using: &generator)! : "="
      return ("\(field) \(sign) \(quoted(word))", value { same($0, word) })
    case 1:
      let list = (0...generator.next() % 4).map { _ in words.randomElement(using: &generator)! }
      return (
        "\(field) \(not)\(keyword("in")) \(self.list(list))", value { own in list.contains { same($0, own) } }
      )
    case 2:
      let (text, matches) = pattern()
      return ("\(field) \(not)\(keyword("like")) \(text)", value(matches))
    default:
      return (
        "\(field) \(keyword("is")) \(not)\(keyword("null"))",
        { cell, _ in (cell.values[name] == nil) != isNegated }
      )
    }
  }

  private mutating func listTest() -> Expression {
    let isNegated = generator.next() % 2 == 0
    let not = isNegated ? keyword("not") + " " : ""
    let list = (0...generator.next() % 3).map { _ in words.randomElement(using: &generator)! }
    let has = "\(spelled("label")) \(not)\(keyword("has"))"
    func value(_ matches: @escaping ([String]) -> Bool) -> RandomExpression.Truth {
      { cell, _ in if case .list(let own) = cell.values["label"] { matches(own) != isNegated } else { nil } }
    }
    switch generator.next() % 4 {
    case 0: return ("\(has) \(quoted(list[0]))", value { own in own.contains { same($0, list[0]) } })
    case 1:
      return (
        "\(has) \(keyword("any")) \(self.list(list))",
        value { own in list.contains { wanted in own.contains { same($0, wanted) } } }
      )
    case 2:
      return (
        "\(has) \(keyword("all")) \(self.list(list))",
        value { own in list.allSatisfy { wanted in own.contains { same($0, wanted) } } }
      )
    default:
      let (text, matches) = pattern()
      return ("\(has) \(keyword("like")) \(text)", value { $0.contains(where: matches) })
    }
  }

  private mutating func pattern() -> (text: String, matches: (String) -> Bool) {
    let pattern = patterns.randomElement(using: &generator)!
    let isEscaped = pattern.contains("\\")
    let pieces = scalars(pattern)
    let suffix = isEscaped ? " \(keyword("escape")) '\\'" : ""
    return (quoted(pattern) + suffix, { fits(pieces[...], scalars($0)[...], escape: isEscaped ? "\\" : nil) })
  }

  // MARK: Numbers

  private mutating func numberTest() -> Expression {
    let name = ["dose", "not", "cell", "cell.label", "cell.area", "cell.x"].randomElement(using: &generator)!
    let number = Double(generator.next() % 9) / 2 - 1
    let limit = number + Double(generator.next() % 6) / 2 - 1
    let isNegated = generator.next() % 2 == 0
    let not = isNegated ? keyword("not") + " " : ""
    let field = spelled(name)
    let own: (RandomCell, Row) -> Double? =
      if let property = CellProperty(rawValue: name) {
        { cell, row in property.number(of: cell.object, cell.geometry, at: row) }
      } else {
        { cell, _ in if case .number(let own) = cell.values[name] { own } else { nil } }
      }
    func value(_ matches: @escaping (Double) -> Bool) -> RandomExpression.Truth {
      { cell, row in own(cell, row).map { matches($0) != isNegated } }
    }
    switch generator.next() % 8 {
    case 0: return ("\(not)\(field) = \(written(number))", value { $0 == number })
    case 1: return ("\(not)\(field)<\(written(number))", value { $0 < number })
    case 2: return ("\(not)\(field) <= \(written(number))", value { $0 <= number })
    case 3: return ("\(not)\(field) > \(written(number))", value { $0 > number })
    case 4: return ("\(not)\(field) >=\n\(written(number))", value { $0 >= number })
    case 5:
      return (
        "\(field) \(not)\(keyword("between")) \(written(number)) \(keyword("and")) \(written(limit))",
        value { number <= $0 && $0 <= limit }
      )
    case 6:
      return (
        "\(field) \(not)\(keyword("in")) (\(written(limit)), \(written(number)), 99)",
        value { $0 == number || $0 == limit }
      )
    default:
      return (
        "\(field) \(keyword("is")) \(not)\(keyword("null"))",
        { cell, row in (own(cell, row) == nil) != isNegated }
      )
    }
  }

  // MARK: Spellings

  private mutating func keyword(_ word: String) -> String {
    [word, word.uppercased(), word.prefix(1).uppercased() + word.dropFirst()].randomElement(
      using: &generator)!
  }

  private mutating func spelled(_ field: String) -> String {
    let isBare = field != "not" && !field.contains(" ") && generator.next() % 2 == 0
    return isBare ? field : "\"\(field.replacing("\"", with: "\"\""))\""
  }

  private mutating func quoted(_ text: String) -> String {
    generator.next() % 3 == 0 ? parameter([text]) : "'\(text.replacing("'", with: "''"))'"
  }

  private mutating func list(_ texts: [String]) -> String {
    switch generator.next() % 3 {
    case 0: parameter(texts)
    case 1: "( \(parameter(texts)) ,\(quoted(texts[0])))"
    default: "(\(texts.map { quoted($0) }.joined(separator: ", ")))"
    }
  }

  private mutating func written(_ number: Double) -> String {
    switch generator.next() % 4 {
    case 0: parameter(["\(number)"])
    case 1: "\(number * 10)e-1"
    case 2: number < 0 ? "\(number)" : "+\(number)"
    default: number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
  }

  private mutating func parameter(_ values: [String]) -> String {
    let name = "p\(parameters.count)"
    parameters[name] = values
    return ":\(name)"
  }
}

private func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

/// Texts are equal when their bytes are; Swift's own equality takes composed and decomposed accents for the same.
private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

/// LIKE as one would define it.
private func fits(
  _ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>, escape: Unicode.Scalar?
) -> Bool {
  guard let first = pattern.first else { return text.isEmpty }
  let rest = pattern.dropFirst()
  switch first {
  case escape: return text.first == rest.first && fits(rest.dropFirst(), text.dropFirst(), escape: escape)
  case "%":
    return fits(rest, text, escape: escape)
      || (!text.isEmpty && fits(pattern, text.dropFirst(), escape: escape))
  case "_": return !text.isEmpty && fits(rest, text.dropFirst(), escape: escape)
  default: return text.first == first && fits(rest, text.dropFirst(), escape: escape)
  }
}
