import Faults

/// Reads the grammar of schema/filter.md by recursive descent.
struct FilterParser {
  /// Nesting of parentheses and NOT. Keeps the recursion far from the end of a 512 KiB thread stack.
  static let depthLimit = 200
  /// Texts and numbers in one filter, as a bound on the work that it can ask for.
  static let literalLimit = 100_000

  private static let keywords: Set<String> = [
    "ALL", "AND", "ANY", "BETWEEN", "HAS", "IN", "IS", "NOT", "NULL", "OR",
  ]

  private let origin: String
  private var lexer: FilterLexer
  private var token: Token
  private var depth = 0
  private var literalCount = 0

  init(_ text: String, origin: String) throws {
    self.origin = origin
    lexer = FilterLexer(text, origin: origin)
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
    if try accept(keyword: "HAS") {
      if try accept(keyword: "ANY") { return condition(.hasAny(try literals()), negated: negated) }
      if try accept(keyword: "ALL") { return condition(.hasAll(try literals()), negated: negated) }
      return condition(.hasAny([try literal()]), negated: negated)
    }
    if negated { throw unexpected("IN, BETWEEN or HAS after NOT") }
    throw unexpected("a comparison (=, !=, <, <=, >, >=, IN, BETWEEN, HAS, IS NULL) after \"\(field)\"")
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

  private mutating func literal() throws -> Literal {
    let value: Literal.Value
    switch token.kind {
    case .text(let text): value = .text(text)
    case .number(let number): value = .number(number)
    case .word where token.keyword == "NULL":
      throw fault("nothing compares with NULL", remedy: "write IS NULL or IS NOT NULL")
    case .word(let word) where !Self.keywords.contains(word.uppercased()):
      throw unexpected("a text in single quotes or a number", remedy: "write '\(word)'")
    case .quotedName(let name):
      throw unexpected(
        "a text in single quotes or a number",
        remedy:
          "double quotes are for field names; write '\(name.replacing("'", with: "''"))'")
    default: throw unexpected("a text in single quotes or a number")
    }
    literalCount += 1
    guard literalCount <= Self.literalLimit else {
      throw fault("more than \(Self.literalLimit) texts and numbers in one filter")
    }
    let literal = Literal(value: value, column: token.column, spelling: token.spelling)
    try advance()
    return literal
  }

  private mutating func literals() throws -> [Literal] {
    try expect(symbol: "(")
    var literals = [try literal()]
    while try accept(symbol: ",") { literals.append(try literal()) }
    guard try accept(symbol: ")") else { throw unexpected("a comma or )") }
    return literals
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
    filterFault(origin, column: token.column, problem, remedy: remedy)
  }
}
