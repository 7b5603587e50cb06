import Formats

/// In which values two recipes differ. Storage keeps recipes as texts and knows nothing of their keys.
enum RecipeDifference {
  /// - Parameters:
  ///   - recipe: canonical JSON, as `SpaceRecord.recipe`; so is `other`.
  /// - Returns: the values of each that the other has otherwise, or has not, as "crop.cropSizePx 64"; the first few, by
  ///   their keys. Where no value differs, as where a text is no JSON object, the texts themselves: they are other recipes.
  static func between(_ recipe: String, and other: String) -> (own: [String], others: [String]) {
    let (own, others) = (values(of: recipe), values(of: other))
    let keys = Set(own.keys).union(others.keys).filter { own[$0] != others[$0] }.sorted().prefix(shown)
    if keys.isEmpty { return ([recipe], [other]) }
    return (keys.map { "\($0) \(own[$0] ?? "none")" }, keys.map { "\($0) \(others[$0] ?? "none")" })
  }

  private static let shown = 6

  private static func values(of recipe: String) -> [String: String] {
    guard let value = try? value(of: recipe) else { return [:] }
    var values: [String: String] = [:]
    value.collect(under: "", into: &values)
    return values
  }

  private static func value(of recipe: String) throws -> JSONValue {
    try Array(recipe.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes, subject: "a recipe", of: "a recipe")
      let value = try scanner.value()
      try scanner.end()
      return value
    }
  }
}

extension JSONValue {
  /// Takes down what lies below, each under the keys that lead there.
  fileprivate func collect(under key: String, into values: inout [String: String]) {
    guard case .object(let members) = self else {
      values[key] = text
      return
    }
    for (name, value) in members {
      value.collect(under: key.isEmpty ? name : "\(key).\(name)", into: &values)
    }
  }

  private var text: String {
    switch self {
    case .null: "null"
    case .bool(let isTrue): "\(isTrue)"
    case .number(let text): text
    case .string(let text): text.isEmpty ? "\"\"" : text
    case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.sorted { $0.name < $1.name }.map { "\($0.name) \($0.value.text)" }.joined(separator: ", ")
        + "}"
    }
  }
}
