import Faults
import Storage

/// Finds the fields that a filter names and checks that its tests fit their types.
struct FieldBinding {
  let origin: String

  func field(of predicate: Predicate, in index: borrowing some FilterIndex & ~Copyable) throws -> Field {
    if let field = index.field(named: predicate.field) { return field }
    let names = index.fields.map(\.name).sorted()
    let nearest = names.map { (name: $0, distance: editDistance(predicate.field, $0)) }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    let suggestion =
      if let nearest, nearest.distance <= max(1, predicate.field.count / 3) {
        "did you mean '\(nearest.name)'? "
      } else {
        ""
      }
    throw filterFault(
      origin, column: predicate.column, "unknown field '\(predicate.field)'",
      remedy: suggestion + Self.list(names))
  }

  private static func list(_ names: [String]) -> String {
    let shown = 20
    if names.isEmpty { return "the database has no metadata fields" }
    let more = names.count > shown ? ", and \(names.count - shown) more" : ""
    return "fields: " + names.prefix(shown).joined(separator: ", ") + more
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
          "field '\(predicate.field)' holds numbers, found the text \(literal.spelling)",
          remedy: "write numbers without quotes")
      case (.number, .string), (.number, .list):
        throw filterFault(
          origin, column: literal.column,
          "field '\(predicate.field)' holds texts, found the number \(literal.spelling)",
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
      origin, column: predicate.column, "field '\(field.name)' holds \(content); \(problem)", remedy: remedy)
  }

  /// The literal as a text: numbers in single quotes.
  private func quoted(_ literal: Literal) -> String {
    if case .text = literal.value { literal.spelling } else { "'\(literal.spelling)'" }
  }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one name into the other, letter case
/// aside.
///
/// - Complexity: O(left.count * right.count).
func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.lowercased())
  let right = Array(right.lowercased())
  guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
  var beforePrevious: [Int] = []
  var previous = Array(0...right.count)
  for i in 1...left.count {
    var current = [i]
    for j in 1...right.count {
      let replaced = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
      var best = min(previous[j] + 1, current[j - 1] + 1, replaced)
      if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
        best = min(best, beforePrevious[j - 2] + 1)
      }
      current.append(best)
    }
    (beforePrevious, previous) = (previous, current)
  }
  return previous[right.count]
}
