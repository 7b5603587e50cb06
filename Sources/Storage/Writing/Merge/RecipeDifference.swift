import FoundationEssentials

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
    guard let value = try? JSONDecoder().decode(RecipeValue.self, from: Data(recipe.utf8)) else { return [:] }
    var values: [String: String] = [:]
    value.collect(under: "", into: &values)
    return values
  }
}

private enum RecipeValue: Decodable {
  case object([String: RecipeValue])
  case list([RecipeValue])
  case word(String)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let members = try? container.decode([String: RecipeValue].self) {
      self = .object(members)
    } else if let values = try? container.decode([RecipeValue].self) {
      self = .list(values)
    } else if let text = try? container.decode(String.self) {
      self = .word(text)
    } else if let truth = try? container.decode(Bool.self) {
      self = .word("\(truth)")
    } else if let number = try? container.decode(Int.self) {
      self = .word("\(number)")
    } else if let number = try? container.decode(Double.self) {
      self = .word("\(number)")
    } else {
      self = .word("null")
    }
  }

  /// Takes down what lies below, each under the keys that lead there.
  func collect(under key: String, into values: inout [String: String]) {
    switch self {
    case .object(let members):
      for (name, value) in members {
        value.collect(under: key.isEmpty ? name : "\(key).\(name)", into: &values)
      }
    case .list, .word: values[key] = text
    }
  }

  private var text: String {
    switch self {
    case .object(let members):
      "{" + members.sorted { $0.key < $1.key }.map { "\($0) \($1.text)" }.joined(separator: ", ") + "}"
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .word(let word): word.isEmpty ? "\"\"" : word
    }
  }
}
