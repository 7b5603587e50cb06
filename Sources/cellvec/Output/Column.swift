/// A column of a report. Its name is the same in every output format.
struct Column: Sendable, Equatable {
  let name: String
  /// Digits after the point in tables; other formats always give all.
  let decimals: Decimals

  enum Decimals: Sendable, Equatable {
    /// As many as the number has.
    case all
    case exactly(Int)
    /// No more than these, and none that are zero at the end.
    case atMost(Int)
  }

  init(_ name: String, _ decimals: Decimals = .all) {
    self.name = name
    self.decimals = decimals
  }

  init(_ name: String, decimals: Int) { self.init(name, .exactly(decimals)) }
}

extension Column: ExpressibleByStringLiteral {
  init(stringLiteral name: String) { self.init(name) }
}
