package import Storage

/// A part of a filter with what it selects.
package struct FilterPart: Sendable {
  /// How many parts this one lies in.
  package let depth: Int
  /// The part in the grammar of filters, with NOT drawn in from around it.
  package let text: String
  /// The rows for which it is true.
  package fileprivate(set) var rows = RowSet()
  /// The time that it took, parts within it included.
  package fileprivate(set) var duration = Duration.zero
}

/// One evaluation of a filter on a database.
struct FilterEvaluation {
  private let binding: FieldBinding
  /// What each part gave, a part before those within it; nil when nobody asked.
  private(set) var parts: [FilterPart]?
  private var depth = 0

  init(source: FilterSource, isExplained: Bool) {
    binding = FieldBinding(source: source)
    parts = isExplained ? [] : nil
  }

  /// The rows for which `condition` is true, or, when `truth` is false, those for which it is false.
  ///
  /// Asking for falsehood instead of complementing a set is what keeps unknown rows out of both: NOT turns
  /// one question into the other, and AND and OR swap by De Morgan's laws, which hold in three-valued logic.
  ///
  /// Every condition is evaluated, even when the result is certain already: a misspelt field is a fault whatever
  /// the data.
  mutating func rows(
    for condition: Condition, being truth: Bool = true, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    if case .not(let inner) = condition { return try rows(for: inner, being: !truth, in: index) }
    guard let place = parts?.count else { return try evaluate(condition, being: truth, in: index) }
    let text = (truth ? condition : .not(condition)).text
    parts?.append(FilterPart(depth: depth, text: text))
    depth += 1
    defer { depth -= 1 }
    let clock = ContinuousClock()
    let start = clock.now
    let rows = try evaluate(condition, being: truth, in: index)
    parts?[place].duration = clock.now - start
    parts?[place].rows = rows
    return rows
  }

  private mutating func evaluate(
    _ condition: Condition, being truth: Bool, in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    switch condition {
    case .not(let inner):
      return try rows(for: inner, being: !truth, in: index)
    case .all(let conditions):
      return try combine(conditions, being: truth, intersecting: truth, in: index)
    case .any(let conditions):
      return try combine(conditions, being: truth, intersecting: !truth, in: index)
    case .predicate(let predicate):
      return try binding.bind(predicate, in: index).rows(being: truth, in: index)
    }
  }

  private mutating func combine(
    _ conditions: [Condition], being truth: Bool, intersecting: Bool,
    in index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    var result = try rows(for: conditions[0], being: truth, in: index)
    for condition in conditions.dropFirst() {
      let other = try rows(for: condition, being: truth, in: index)
      if intersecting { result = result.intersection(other) } else { result.formUnion(other) }
    }
    return result
  }
}
