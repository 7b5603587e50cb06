/// A filter as a tree. Chains of AND and OR are flat, so its depth is bounded by the parser's limit on
/// nesting and it can be walked by recursion.
indirect enum Condition: Sendable {
  case predicate(Predicate)
  case not(Condition)
  /// At least two conditions.
  case all([Condition])
  /// At least two conditions.
  case any([Condition])
}

/// A test of one field.
struct Predicate: Sendable {
  let field: String
  /// Where the field's name stands in the text, from 1, in Unicode scalars.
  let column: Int
  let test: Test

  enum Test: Sendable {
    /// `=` and IN. Not empty.
    case oneOf([Literal])
    case ordered(Ordering, Literal)
    case between(Literal, Literal)
    case like(TextPattern)
    /// HAS and HAS ANY. Not empty.
    case hasAny([Literal])
    /// HAS ALL. Not empty.
    case hasAll([Literal])
    case hasLike(TextPattern)
    case isNull
  }

  enum Ordering: String, Sendable {
    case less = "<"
    case atMost = "<="
    case greater = ">"
    case atLeast = ">="
  }
}

/// A text, number or parameter in a filter.
struct Literal: Sendable {
  enum Value: Sendable, Equatable {
    case text(String)
    /// Finite, and never -0.
    case number(Double)
    /// The values of a parameter, which have the type of the field that they are compared with. One of them,
    /// except in the lists of IN, HAS ANY and HAS ALL.
    case parameter([String])
  }

  let value: Value
  let column: Int
  /// The literal as it was written.
  let spelling: String
}

/// The right side of LIKE.
struct TextPattern: Sendable {
  /// A text, or a parameter with one value.
  let literal: Literal
  /// What stands behind ESCAPE.
  let escape: Literal?
  let pattern: LikePattern
}
