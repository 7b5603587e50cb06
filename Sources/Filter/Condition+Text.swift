import Storage

extension Condition {
  /// The condition in the grammar of schema/filter.md, with the parentheses that it needs.
  var text: String {
    switch self {
    case .predicate(let predicate): predicate.text(negated: false)
    case .not(.predicate(let predicate)): predicate.text(negated: true)
    case .not(let inner): "NOT \(inner.operand)"
    case .all(let conditions): conditions.map(\.operand).joined(separator: " AND ")
    case .any(let conditions): conditions.map(\.operand).joined(separator: " OR ")
    }
  }

  /// The text as a part of a larger condition.
  private var operand: String {
    switch self {
    case .predicate, .not: text
    case .all, .any: "(\(text))"
    }
  }
}

extension Predicate {
  fileprivate func text(negated: Bool) -> String {
    let name = spelledFieldName(field)
    let not = negated ? "NOT " : ""
    switch test {
    case .oneOf(let literals):
      if let literal = literals.only { return "\(name) \(negated ? "!=" : "=") \(literal.spelling)" }
      return "\(name) \(not)IN \(list(literals))"
    // NOT in front: a negated comparison has no sign of its own, since nulls are in neither.
    case .ordered(let ordering, let literal): return "\(not)\(name) \(ordering.rawValue) \(literal.spelling)"
    case .between(let lower, let upper):
      return "\(name) \(not)BETWEEN \(lower.spelling) AND \(upper.spelling)"
    case .like(let pattern): return "\(name) \(not)LIKE \(pattern.text)"
    case .hasAny(let literals):
      if let literal = literals.only { return "\(name) \(not)HAS \(literal.spelling)" }
      return "\(name) \(not)HAS ANY \(list(literals))"
    case .hasAll(let literals): return "\(name) \(not)HAS ALL \(list(literals))"
    case .hasLike(let pattern): return "\(name) \(not)HAS LIKE \(pattern.text)"
    case .isNull: return "\(name) IS \(not)NULL"
    }
  }

  private func list(_ literals: [Literal]) -> String {
    "(\(literals.map(\.spelling).joined(separator: ", ")))"
  }
}

extension TextPattern {
  fileprivate var text: String { literal.spelling + (escape.map { " ESCAPE \($0.spelling)" } ?? "") }
}

extension [Literal] {
  /// The literal, when there is one and it is one value.
  fileprivate var only: Literal? {
    guard count == 1 else { return nil }
    if case .parameter(let values) = self[0].value, values.count != 1 { return nil }
    return self[0]
  }
}

/// A field's name as filters write it: bare where it can be, else in double quotes.
func spelledFieldName(_ name: String) -> String {
  let scalars = name.unicodeScalars
  let isWord =
    scalars.first.map(FilterLexer.startsWord) ?? false && scalars.allSatisfy(FilterLexer.continuesWord)
    && !FilterParser.keywords.contains(name.uppercased())
  return isWord ? name : "\"\(name.replacing("\"", with: "\"\""))\""
}

/// A text as filters write it.
func spelledText(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
