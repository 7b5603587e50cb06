import Faults

/// Reads the grammar of schema/filter.md by recursive descent.
struct FilterParser {
  /// Nesting of parentheses and NOT. Keeps the recursion far from the end of a 512 KiB thread stack.
  static let depthLimit = 200
  /// Texts, numbers and parameters in one filter, as a bound on the work that it can ask for.
  static let literalLimit = 100_000

  static let keywords: Set<String> = [
    "ALL", "AND", "ANY", "BETWEEN", "ESCAPE", "HAS", "IN", "IS", "LIKE", "NOT", "NULL", "OR",
  ]

  private let source: FilterSource
  private let parameters: [String: [String]]
  private var lexer: FilterLexer
  private var token: Token
  private var depth = 0
  private var literalCount = 0
  private(set) var usedParameters: Set<String> = []

  init(_ source: FilterSource, parameters: [String: [String]]) throws {
    self.source = source
    self.parameters = parameters
    lexer = FilterLexer(source)
    token = try lexer.next()
  }

  mutating func parse() throws -> Condition {
    if token.kind == .end {
      throw fault("expected a condition, found an empty text", remedy: "write for example cell_line = 'U2OS'")
    }
    let condition = try disjunction()
    guard token.kind == .end else { throw unexpected("AND, OR or the end") }
    return condition
  }

  // MARK: Conditions

  private mutating func disjunction() throws -> Condition {
    var conditions = [try conjunction()]
    while try accept(keyword: "OR") { conditions.append(try conjunction()) }
    return conditions.count == 1 ? conditions[0] : .any(conditions)
  }

  private mutating func conjunction() throws -> Condition {
    var conditions = [try negation()]
    while try accept(keyword: "AND") { conditions.append(try negation()) }
    return conditions.count == 1 ? conditions[0] : .all(conditions)
  }

  private mutating func negation() throws -> Condition {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw fault("more than \(Self.depthLimit) nested parentheses and NOTs")
    }
    if try accept(keyword: "NOT") { return .not(try negation()) }
    if try accept(symbol: "(") {
      let condition = try disjunction()
      try expect(symbol: ")")
      return condition
    }
    return try predicate()
  }

  private mutating func predicate() throws -> Condition {
    let column = token.column
    let field = try fieldName()
    func condition(_ test: Predicate.Test, negated: Bool = false) -> Condition {
      let predicate = Condition.predicate(Predicate(field: field, column: column, test: test))
      return negated ? .not(predicate) : predicate
    }

    if case .symbol(let symbol) = token.kind {
      switch symbol {
      case "=", "!=", "<>":
        try advance()
        if token.kind == .symbol("=") { throw fault("unexpected '='", remedy: "write a single =") }
        return condition(.oneOf([try literal()]), negated: symbol != "=")
      default:
        if let ordering = Predicate.Ordering(rawValue: symbol) {
          try advance()
          return condition(.ordered(ordering, try literal()))
        }
      }
    }
    if try accept(keyword: "IS") {
      let negated = try accept(keyword: "NOT")
      guard try accept(keyword: "NULL") else { throw unexpected("NULL") }
      return condition(.isNull, negated: negated)
    }
    let negated = try accept(keyword: "NOT")
    if try accept(keyword: "IN") { return condition(.oneOf(try literals()), negated: negated) }
    if try accept(keyword: "BETWEEN") {
      let lower = try literal()
      guard try accept(keyword: "AND") else { throw unexpected("AND and the upper end of BETWEEN") }
      return condition(.between(lower, try literal()), negated: negated)
    }
    if try accept(keyword: "LIKE") { return condition(.like(try pattern()), negated: negated) }
    if try accept(keyword: "HAS") {
      if try accept(keyword: "LIKE") { return condition(.hasLike(try pattern()), negated: negated) }
      if try accept(keyword: "ANY") { return condition(.hasAny(try literals()), negated: negated) }
      if try accept(keyword: "ALL") { return condition(.hasAll(try literals()), negated: negated) }
      return condition(.hasAny([try literal()]), negated: negated)
    }
    if negated { throw unexpected("IN, BETWEEN, LIKE or HAS after NOT") }
    throw unexpected(
      "a comparison (=, !=, <, <=, >, >=, IN, BETWEEN, LIKE, HAS, IS NULL) after \"\(field)\"",
      remedy: adviceOnWords(after: field))
  }

  /// What to say where words follow one another as those of a field's name do, and a comparison follows them; else nothing:
  /// the next word may be a keyword that is misspelt.
  private func adviceOnWords(after field: String) -> String {
    var ahead = self
    var words = [field]
    while case .word(let word) = ahead.token.kind, !Self.keywords.contains(word.uppercased()) {
      words.append(word)
      // What is wrong further on is not what is wrong here.
      guard (try? ahead.advance()) != nil else { return "" }
    }
    guard words.count > 1, ahead.isAtComparison else { return "" }
    return "write a name of several words in double quotes, as in \"\(words.joined(separator: " "))\""
  }

  /// Whether the next token is one that follows a field's name.
  private var isAtComparison: Bool {
    switch token.kind {
    case .symbol(let symbol):
      ["=", "!=", "<>"].contains(symbol) || Predicate.Ordering(rawValue: symbol) != nil
    case .word(let word): ["BETWEEN", "HAS", "IN", "IS", "LIKE", "NOT"].contains(word.uppercased())
    default: false
    }
  }

  // MARK: Names and values

  private mutating func fieldName() throws -> String {
    switch token.kind {
    case .quotedName(let name):
      try advance()
      return name
    case .word(let word) where !Self.keywords.contains(word.uppercased()):
      try advance()
      return word
    case .word(let word):
      throw fault(
        "expected a field name, found the keyword \(word.uppercased())",
        remedy: "write \"\(word)\" in double quotes if it is a field")
    case .text(let text):
      throw fault(
        "expected a field name, found the text \(token.spelling)",
        remedy: "write field names bare or in double quotes, as in \"\(text)\"")
    default:
      throw unexpected("a field name, NOT or (")
    }
  }

  /// One value.
  private mutating func literal() throws -> Literal {
    if case .parameter(let name) = token.kind, let count = parameters[name]?.count, count != 1 {
      throw fault(
        "expected one value, found the \(count) of :\(name)",
        remedy: "lists go with IN, HAS ANY and HAS ALL")
    }
    return try literalOrList()
  }

  /// One value, or a parameter with any number of them.
  private mutating func literalOrList() throws -> Literal {
    let value: Literal.Value
    switch token.kind {
    case .text(let text): value = .text(text)
    case .number(let number): value = .number(number)
    case .parameter(let name): value = .parameter(try values(of: name))
    case .word where token.keyword == "NULL":
      throw fault("nothing compares with NULL", remedy: "write IS NULL or IS NOT NULL")
    case .word(let word) where !Self.keywords.contains(word.uppercased()):
      throw unexpected("a text in single quotes or a number", remedy: "write '\(word)'")
    case .quotedName(let name):
      throw unexpected(
        "a text in single quotes or a number",
        remedy: "double quotes are for field names; write \(spelledText(name))")
    default: throw unexpected("a text in single quotes or a number")
    }
    literalCount += 1
    guard literalCount <= Self.literalLimit else {
      throw fault(
        "more than \(Self.literalLimit) texts and numbers in one filter",
        remedy: "give longer lists as parameters")
    }
    let literal = Literal(value: value, column: token.column, spelling: token.spelling)
    try advance()
    return literal
  }

  private mutating func literals() throws -> [Literal] {
    if case .parameter = token.kind { return [try literalOrList()] }
    try expect(symbol: "(")
    var literals = [try literalOrList()]
    while try accept(symbol: ",") { literals.append(try literalOrList()) }
    guard try accept(symbol: ")") else { throw unexpected("a comma or )") }
    return literals
  }

  private mutating func values(of name: String) throws -> [String] {
    guard let values = parameters[name] else {
      let names = parameters.keys.sorted()
      throw fault(
        "the parameter :\(name) has no value",
        remedy: closestMatch(to: name, among: names).map { "did you mean :\($0)?" }
          ?? "give one with --param \(name)=VALUE")
    }
    usedParameters.insert(name)
    return values
  }

  /// What stands behind LIKE.
  private mutating func pattern() throws -> TextPattern {
    let literal = try literal()
    guard let text = literal.asText else {
      throw source.fault(
        at: literal.column, "LIKE compares with a text, found the number \(literal.spelling)",
        remedy: "write '\(literal.spelling)%' for what begins with it")
    }
    var escape: Literal?
    if try accept(keyword: "ESCAPE") { escape = try self.literal() }
    let scalars = escape?.asText.map { Array($0.unicodeScalars) } ?? []
    if let escape, scalars.count != 1 {
      throw source.fault(
        at: escape.column, "expected one character, found \(escape.spelling)",
        remedy: "write for example ESCAPE '\\'")
    }
    do {
      let pattern = try LikePattern(text, escape: scalars.first)
      return TextPattern(literal: literal, escape: escape, pattern: pattern)
    } catch .uselessEscape {
      throw source.fault(
        at: literal.column, "the escape character stands before something other than %, _ and itself",
        remedy: "double it where it is meant as it stands")
    }
  }

  // MARK: Tokens

  private mutating func advance() throws { token = try lexer.next() }

  private mutating func accept(keyword: String) throws -> Bool {
    guard token.keyword == keyword else { return false }
    try advance()
    return true
  }

  private mutating func accept(symbol: String) throws -> Bool {
    guard token.kind == .symbol(symbol) else { return false }
    try advance()
    return true
  }

  private mutating func expect(symbol: String) throws {
    guard try accept(symbol: symbol) else { throw unexpected(symbol) }
  }

  private func unexpected(_ expected: String, remedy: String = "") -> Fault {
    let found = token.kind == .end ? "the end of the filter" : "'\(token.spelling)'"
    return fault("expected \(expected), found \(found)", remedy: remedy)
  }

  private func fault(_ problem: String, remedy: String = "") -> Fault {
    source.fault(at: token.column, problem, remedy: remedy)
  }
}

extension Literal {
  /// The one text; nil for a number, and for a parameter that has not one value.
  fileprivate var asText: String? {
    switch value {
    case .text(let text): text
    case .parameter(let values): values.count == 1 ? values[0] : nil
    case .number: nil
    }
  }
}
