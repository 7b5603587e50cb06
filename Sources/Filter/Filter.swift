import Faults
package import Storage

/// A condition on the metadata of cells, such as `cell_line = 'U2OS' AND NOT localization HAS 'cytosol'`.
///
/// The grammar and the treatment of missing values are described in schema/filter.md. A filter knows no
/// database: names and types of fields are checked when its rows are asked for.
package struct Filter: Sendable {
  private let root: Condition
  private let source: FilterSource

  /// Reads a filter.
  ///
  /// - Parameters:
  ///   - parameters: the values of each parameter by its name, without the colon. They are never read as parts of
  ///     the filter, only as texts or, where they are compared with numbers, as numbers.
  ///   - origin: what faults call the text, usually the option that it came from.
  /// - Throws: `usage`, with the column at which the text stops being a filter, or for a parameter that it does
  ///   not use.
  package init(_ text: String, parameters: [String: [String]] = [:], origin: String = "--where") throws {
    source = FilterSource(text: text, origin: origin)
    var parser = try FilterParser(source, parameters: parameters)
    root = try parser.parse()
    if let idle = parameters.keys.sorted().first(where: { !parser.usedParameters.contains($0) }) {
      throw Fault(.usage, "parameter \(idle)", "is not used in \(origin)", remedy: "write :\(idle) there")
    }
  }

  /// The rows for which the condition is true; those for which it is unknown are left out.
  ///
  /// - Throws: `usage` for fields that do not exist or whose type does not fit, with the column.
  package func rows(in index: borrowing some FilterIndex & ~Copyable) throws -> RowSet {
    var evaluation = FilterEvaluation(source: source, isExplained: false)
    return try evaluation.rows(for: root, in: index)
  }

  /// The filter's parts with the rows and the time of each: the filter itself, then what it is made of.
  ///
  /// - Throws: as `rows(in:)`.
  package func explanation(in index: borrowing some FilterIndex & ~Copyable) throws -> [FilterPart] {
    var evaluation = FilterEvaluation(source: source, isExplained: true)
    _ = try evaluation.rows(for: root, in: index)
    return evaluation.parts ?? []
  }

  /// Texts of the filter that no cell has in their field, three at most, in order; what to say when it selects
  /// nothing. Patterns without `%` and `_` are such texts, too. Of a long list only the first thousand are looked up.
  ///
  /// - Throws: as `rows(in:)`.
  package func unknownTexts(in index: borrowing some FilterIndex & ~Copyable) throws -> [UnknownText] {
    var unknown: [UnknownText] = []
    let binding = FieldBinding(source: source)
    for predicate in root.predicates {
      switch try binding.bind(predicate, in: index) {
      case .anyText(let field, let texts), .allTexts(let field, let texts):
        for text in texts.prefix(1000) {
          if unknown.count == 3 { return unknown }
          guard try index.rows(field, equals: text).isEmpty else { continue }
          unknown.append(try UnknownText(text, in: field, of: index))
        }
      case .like(let field, let pattern):
        if unknown.count == 3 { return unknown }
        guard let text = pattern.onlyText, try index.rows(field, equals: text).isEmpty else { continue }
        unknown.append(try UnknownText(text, isPattern: true, in: field, of: index))
      default: continue
      }
    }
    return unknown
  }
}

extension Filter: CustomStringConvertible {
  /// The filter in the grammar of schema/filter.md, with the spacing and the parentheses of this program.
  package var description: String { root.text }
}

/// A text that a filter looks for in vain.
package struct UnknownText: Sendable, Equatable {
  /// As many texts as are looked through for one that is near.
  private static let searchLimit = 20_000

  package let field: String
  package let text: String
  /// Whether it is a pattern of LIKE, in which nothing stands for something else.
  package let isPattern: Bool
  /// The text of a cell that was probably meant.
  package let suggestion: String?

  fileprivate init(
    _ text: String, isPattern: Bool = false, in field: Field,
    of index: borrowing some FilterIndex & ~Copyable
  ) throws {
    self.field = field.name
    self.text = text
    self.isPattern = isPattern
    let known = try index.texts(of: field, atMost: Self.searchLimit) ?? []
    let nearest = closestMatch(to: text, among: known)
    suggestion = try nearest.flatMap { try index.rows(field, equals: $0).isEmpty ? nil : $0 }
  }
}

extension UnknownText: CustomStringConvertible {
  package var description: String {
    "no cell has \(spelledText(text)) in \"\(field)\""
      + (isPattern && !text.isEmpty
        ? "; LIKE compares whole texts: write \(spelledText("%\(text)%")) for a part of them" : "")
      + (suggestion.map { "; did you mean \(spelledText($0))?" } ?? "")
  }
}

extension Condition {
  /// The tests in the order in which they were written.
  fileprivate var predicates: [Predicate] {
    switch self {
    case .predicate(let predicate): [predicate]
    case .not(let inner): inner.predicates
    case .all(let conditions), .any(let conditions): conditions.flatMap(\.predicates)
    }
  }
}
