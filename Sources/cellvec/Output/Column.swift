/// A column of a report. Its name is the same in every output format.
struct Column: Sendable, Equatable {
  let name: String
  /// Digits after the point in tables; nil for as many as the number has. Other formats always give all.
  let decimals: Int?

  init(_ name: String, decimals: Int? = nil) {
    self.name = name
    self.decimals = decimals
  }
}

extension Column: ExpressibleByStringLiteral {
  init(stringLiteral name: String) { self.init(name) }
}
