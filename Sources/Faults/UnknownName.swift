extension Fault {
  /// The fault of a name that stands for nothing: says what exists, and which of it was probably meant.
  ///
  ///     field "locolization": does not exist; did you mean "localization"? fields: gene, localization
  ///
  /// - Parameter noun: what the name should have named, such as "field", in the singular.
  package static func unknownName(
    _ kind: Kind, _ noun: String, _ name: String, among names: [String]
  ) -> Fault {
    Fault(
      kind, "\(noun) \"\(name)\"", "does not exist", remedy: adviceOnUnknownName(noun, name, among: names))
  }
}

/// What to say of a name that stands for nothing: the name that was probably meant, and those that exist.
package func adviceOnUnknownName(_ noun: String, _ name: String, among names: [String]) -> String {
  let nouns =
    noun.hasSuffix("ch") ? "\(noun)es" : noun.hasSuffix("gy") ? "\(noun.dropLast())ies" : "\(noun)s"
  if names.isEmpty { return "there are no \(nouns)" }
  let suggestion = closestMatch(to: name, among: names).map { "did you mean \"\($0)\"? " } ?? ""
  let shown = 20
  let more = names.count > shown ? ", and \(names.count - shown) more" : ""
  return "\(suggestion)\(nouns): " + names.sorted().prefix(shown).joined(separator: ", ") + more
}

/// The name that was probably meant; nil when none is near enough to be worth a guess.
package func closestMatch(to name: String, among names: [String]) -> String? {
  let nearest = names.map { (name: $0, distance: editDistance(name, $0)) }
    .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
  guard let nearest, nearest.distance <= max(1, name.count / 3) else { return nil }
  return nearest.name
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one name into the other, letter case
/// aside.
///
/// - Complexity: O(left.count * right.count).
package func editDistance(_ left: String, _ right: String) -> Int {
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
