import Faults
import Storage

/// Finds the fields that a filter names and checks that its tests fit their types.
struct FieldBinding {
  let origin: String

  func field(of predicate: Predicate, in index: borrowing some FilterIndex & ~Copyable) throws -> Field {
    if let field = index.field(named: predicate.field) { return field }
    throw filterFault(
      origin, column: predicate.column, "unknown field \"\(predicate.field)\"",
      remedy: adviceOnUnknownName("field", predicate.field, among: index.fields.map(\.name)))
  }

  /// - Throws: `usage` with the spelling that would fit the field.
  func check(_ predicate: Predicate, on field: Field) throws {
    switch predicate.test {
    case .isNull:
      return
    case .oneOf(let literals):
      if field.type == .list {
        throw misfit(
          predicate, field, "lists do not compare as a whole",
          remedy: "write \(predicate.field) HAS \(quoted(literals[0]))")
      }
      try check(literals, predicate, on: field)
    case .ordered(_, let literal):
      try checkOrdered([literal], predicate, on: field)
    case .between(let lower, let upper):
      try checkOrdered([lower, upper], predicate, on: field)
    case .hasAny(let literals), .hasAll(let literals):
      if field.type != .list {
        let value = field.type == .number ? literals[0].spelling : quoted(literals[0])
        throw misfit(
          predicate, field, "HAS looks into lists only", remedy: "write \(predicate.field) = \(value)")
      }
      try check(literals, predicate, on: field)
    }
  }

  private func checkOrdered(_ literals: [Literal], _ predicate: Predicate, on field: Field) throws {
    guard field.type == .number else {
      let advice = field.type == .string ? "= or IN" : "HAS"
      throw misfit(predicate, field, "only numbers have an order", remedy: "use \(advice)")
    }
    try check(literals, predicate, on: field)
  }

  private func check(_ literals: [Literal], _ predicate: Predicate, on field: Field) throws {
    for literal in literals {
      switch (literal.value, field.type) {
      case (.text, .number):
        throw filterFault(
          origin, column: literal.column,
          "field \"\(predicate.field)\" holds numbers, found the text \(literal.spelling)",
          remedy: "write numbers without quotes")
      case (.number, .string), (.number, .list):
        throw filterFault(
          origin, column: literal.column,
          "field \"\(predicate.field)\" holds texts, found the number \(literal.spelling)",
          remedy: "write \(quoted(literal))")
      default: continue
      }
    }
  }

  private func misfit(_ predicate: Predicate, _ field: Field, _ problem: String, remedy: String) -> Fault {
    let content =
      switch field.type {
      case .string: "one text per cell"
      case .list: "a list of texts per cell"
      case .number: "one number per cell"
      }
    return filterFault(
      origin, column: predicate.column, "field \"\(field.name)\" holds \(content); \(problem)", remedy: remedy
    )
  }

  /// The literal as a text: numbers in single quotes.
  private func quoted(_ literal: Literal) -> String {
    if case .text = literal.value { literal.spelling } else { "'\(literal.spelling)'" }
  }
}
