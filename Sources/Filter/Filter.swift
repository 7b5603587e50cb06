import Faults
package import Storage

/// A condition on the metadata of cells, such as `cell_line = 'U2OS' AND NOT localization HAS 'cytosol'`.
///
/// The grammar and the treatment of missing values are described in schema/filter.md. A filter knows no
/// database: names and types of fields are checked when its rows are asked for.
package struct Filter: Sendable {
  private let root: Condition
  /// What faults call the text: the option that it came from.
  private let origin: String

  /// Reads a filter.
  ///
  /// - Parameter origin: what faults call the text, usually the option that it came from.
  /// - Throws: `usage`, with the column at which the text stops being a filter.
  package init(_ text: String, origin: String = "--where") throws {
    var parser = try FilterParser(text, origin: origin)
    self.root = try parser.parse()
    self.origin = origin
  }

  /// The rows for which the condition is true; those for which it is unknown are left out.
  ///
  /// - Throws: `usage` for fields that do not exist or whose type does not fit, with the column.
  package func rows(in index: borrowing some FilterIndex & ~Copyable) throws -> RowSet {
    try rows(for: root, being: true, in: index)
  }

  /// The rows for which `condition` is true, or, when `truth` is false, those for which it is false.
  ///
  /// Asking for falsehood instead of complementing a set is what keeps unknown rows out of both: NOT turns
  /// one question into the other, and AND and OR swap by De Morgan's laws, which hold in three-valued logic.
  private func rows(
    for condition: Condition, being truth: Bool, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    switch condition {
    case .not(let inner):
      return try rows(for: inner, being: !truth, in: index)
    case .all(let conditions):
      return truth
        ? try intersection(of: conditions, being: true, in: index)
        : try union(of: conditions, being: false, in: index)
    case .any(let conditions):
      return truth
        ? try union(of: conditions, being: true, in: index)
        : try intersection(of: conditions, being: false, in: index)
    case .predicate(let predicate):
      return try rows(for: predicate, being: truth, in: index)
    }
  }

  private func intersection(
    of conditions: [Condition], being truth: Bool, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    var result = try rows(for: conditions[0], being: truth, in: index)
    // Every condition is evaluated, even when the result is empty already: a misspelt field is a fault
    // whatever the data.
    for condition in conditions.dropFirst() {
      result = result.intersection(try rows(for: condition, being: truth, in: index))
    }
    return result
  }

  private func union(
    of conditions: [Condition], being truth: Bool, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    var result = RowSet()
    for condition in conditions { result.formUnion(try rows(for: condition, being: truth, in: index)) }
    return result
  }

  private func rows(
    for predicate: Predicate, being truth: Bool, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    let binding = FieldBinding(origin: origin)
    let field = try binding.field(of: predicate, in: index)
    if case .isNull = predicate.test {
      let known = try index.rows(withValueIn: field)
      return truth ? try index.allRows().subtracting(known) : known
    }
    try binding.check(predicate, on: field)
    let matching = try Self.matchingRows(predicate.test, in: field, of: index)
    return truth ? matching : try index.rows(withValueIn: field).subtracting(matching)
  }

  /// The rows for which a test, whose types are known to fit the field, is true.
  private static func matchingRows(
    _ test: Predicate.Test, in field: Field, of index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    switch test {
    case .oneOf(let literals) where field.type == .number:
      let numbers = literals.compactMap(\.number)
      // A column is compared with one number faster than it is looked up among several.
      guard numbers.count == 1 else { return try index.rows(field, among: numbers) }
      let bound = NumberBound(numbers[0], isInclusive: true)
      return try index.rows(field, from: bound, to: bound)
    case .oneOf(let literals), .hasAny(let literals):
      var result = RowSet()
      for text in literals.compactMap(\.text) { result.formUnion(try index.rows(field, equals: text)) }
      return result
    case .hasAll(let literals):
      let sets = try literals.compactMap(\.text).map { try index.rows(field, equals: $0) }
      return sets.dropFirst().reduce(sets[0]) { $0.intersection($1) }
    case .ordered(let ordering, let literal):
      guard let number = literal.number else { return RowSet() }
      switch ordering {
      case .less: return try index.rows(field, from: nil, to: NumberBound(number, isInclusive: false))
      case .atMost: return try index.rows(field, from: nil, to: NumberBound(number, isInclusive: true))
      case .greater: return try index.rows(field, from: NumberBound(number, isInclusive: false), to: nil)
      case .atLeast: return try index.rows(field, from: NumberBound(number, isInclusive: true), to: nil)
      }
    case .between(let lower, let upper):
      guard let low = lower.number, let high = upper.number, low <= high else { return RowSet() }
      return try index.rows(
        field, from: NumberBound(low, isInclusive: true), to: NumberBound(high, isInclusive: true))
    case .isNull:
      preconditionFailure("IS NULL is answered from the rows with a value")
    }
  }
}
