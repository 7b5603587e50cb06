import Faults
import Formats
import Storage

/// Finds the fields that a filter names and checks that its tests fit their types.
struct FieldBinding {
  let source: FilterSource

  /// The test as the database understands it.
  /// - Throws: `usage` for a field that does not exist, and for a test that does not fit its type, with the
  ///   spelling that would.
  func bind(_ predicate: Predicate, in index: borrowing some FilterIndex & ~Copyable) throws -> BoundTest {
    let field = try field(of: predicate, in: index)
    switch predicate.test {
    case .isNull:
      return .isNull(field)
    case .oneOf(let literals):
      guard case .stored(let stored) = field, stored.type != .number else {
        let numbers = try numbers(of: literals, predicate)
        // A column is compared with one number faster than it is looked up among several.
        guard numbers.count == 1 else { return .anyNumber(field, numbers) }
        let bound = NumberBound(numbers[0], isInclusive: true)
        return .range(field, from: bound, to: bound)
      }
      guard stored.type == .string else {
        throw misfit(
          predicate, field, "lists do not compare as a whole",
          remedy: "write \(spelledFieldName(predicate.field)) HAS \(quoted(literals[0]))")
      }
      return .anyText(stored, try texts(of: literals, predicate))
    case .ordered(let ordering, let literal):
      try requireNumbers(predicate, field)
      let number = try numbers(of: [literal], predicate)[0]
      let bound = NumberBound(number, isInclusive: ordering == .atMost || ordering == .atLeast)
      let isUpper = ordering == .less || ordering == .atMost
      return .range(field, from: isUpper ? nil : bound, to: isUpper ? bound : nil)
    case .between(let lower, let upper):
      try requireNumbers(predicate, field)
      let ends = try numbers(of: [lower, upper], predicate).map { NumberBound($0, isInclusive: true) }
      return .range(field, from: ends[0], to: ends[1])
    case .like(let pattern):
      guard case .stored(let stored) = field, stored.type == .string else {
        throw misfit(
          predicate, field, "LIKE compares with a text",
          remedy: field.type == .list
            ? "write \(spelledFieldName(predicate.field)) HAS LIKE \(pattern.literal.spelling)"
            : "use BETWEEN, <, <=, > or >=")
      }
      return .like(stored, pattern.pattern)
    case .hasAny(let literals):
      let stored = try requireList(predicate, field, literals[0])
      return .anyText(stored, try texts(of: literals, predicate))
    case .hasAll(let literals):
      let stored = try requireList(predicate, field, literals[0])
      return .allTexts(stored, try texts(of: literals, predicate))
    case .hasLike(let pattern):
      return .like(try requireList(predicate, field, pattern.literal, test: "LIKE"), pattern.pattern)
    }
  }

  private func field(
    of predicate: Predicate, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> BoundField {
    if let field = index.fields.first(where: { $0.name == predicate.field }) { return .stored(field) }
    if let property = CellProperty(rawValue: predicate.field) { return .property(property) }
    let names = index.fields.map(\.name)
    // "well" is near "cell", but hardly meant it.
    let properties = CellProperty.allCases.map(\.name).filter { $0.contains(".") }
    let near = predicate.field.contains(".") ? names + properties : names
    let guess =
      properties.first { $0 == "cell.\(predicate.field.lowercased())" }
      ?? closestMatch(to: predicate.field, among: near)
    let remedy =
      if predicate.field == Field.imageName {
        Field.adviceOnMissingImage
      } else if let guess, properties.contains(guess) {
        "did you mean \"\(guess)\"?"
      } else {
        adviceOnUnknownName("field", predicate.field, among: names)
      }
    throw source.fault(at: predicate.column, "unknown field \"\(predicate.field)\"", remedy: remedy)
  }

  // MARK: Values

  private func texts(of literals: [Literal], _ predicate: Predicate) throws -> [String] {
    try literals.flatMap { literal in
      switch literal.value {
      case .text(let text): return [text]
      case .parameter(let values): return values
      case .number:
        throw source.fault(
          at: literal.column,
          "field \"\(predicate.field)\" holds texts, found the number \(literal.spelling)",
          remedy: "write \(quoted(literal))")
      }
    }
  }

  private func numbers(of literals: [Literal], _ predicate: Predicate) throws -> [Double] {
    try literals.flatMap { literal in
      switch literal.value {
      case .number(let number): return [number]
      case .parameter(let values):
        return try values.map { value in
          if let number = decimalNumber(value), number.isFinite { return number }
          throw source.fault(
            at: literal.column,
            "field \"\(predicate.field)\" holds numbers, found the text \(spelledText(value)) in "
              + literal.spelling)
        }
      case .text:
        throw source.fault(
          at: literal.column,
          "field \"\(predicate.field)\" holds numbers, found the text \(literal.spelling)",
          remedy: "write numbers without quotes")
      }
    }
  }

  // MARK: Types

  private func requireNumbers(_ predicate: Predicate, _ field: BoundField) throws {
    guard field.type == .number else {
      let advice = field.type == .string ? "=, IN or LIKE" : "HAS"
      throw misfit(predicate, field, "only numbers have an order", remedy: "use \(advice)")
    }
  }

  /// - Parameter test: how a text compares with `literal` as it does with a text of a list.
  private func requireList(
    _ predicate: Predicate, _ field: BoundField, _ literal: Literal, test: String = "="
  ) throws -> Field {
    guard case .stored(let stored) = field, stored.type == .list else {
      let remedy =
        if field.type == .string {
          "write \(spelledFieldName(predicate.field)) \(test) \(quoted(literal))"
        } else if case .number = literal.value {
          "write \(spelledFieldName(predicate.field)) = \(literal.spelling)"
        } else {
          "compare with a number, as in \(spelledFieldName(predicate.field)) = 3"
        }
      throw misfit(predicate, field, "HAS looks into lists only", remedy: remedy)
    }
    return stored
  }

  private func misfit(
    _ predicate: Predicate, _ field: BoundField, _ problem: String, remedy: String
  ) -> Fault {
    let content =
      switch field.type {
      case .string: "one text per cell"
      case .list: "a list of texts per cell"
      case .number: "one number per cell"
      }
    return source.fault(
      at: predicate.column, "field \"\(predicate.field)\" holds \(content); \(problem)", remedy: remedy)
  }

  /// The literal as something to compare a text with: numbers in single quotes.
  private func quoted(_ literal: Literal) -> String {
    if case .number = literal.value { spelledText(literal.spelling) } else { literal.spelling }
  }
}
