/// A file name pattern: `*` stands for any run of characters within one path component, `?` for one character,
/// every other character for itself. Case matters.
struct Wildcard: Sendable, Equatable {
  /// The pattern's path components.
  private let components: [[Character]]
  /// How much the pattern says: the number of its characters that stand for themselves.
  let literalCount: Int

  init(_ pattern: String) {
    components = pattern.split(separator: "/", omittingEmptySubsequences: false).map(Array.init)
    literalCount = pattern.count { $0 != "*" && $0 != "?" }
  }

  var isPath: Bool { components.count > 1 }

  /// What each run of wildcards matched, path component by path component; nil when the text is not of this
  /// pattern. Where there is a choice, earlier stars match as little as possible.
  func match(_ text: String) -> [[String]]? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == components.count else { return nil }
    var matched: [[String]] = []
    for (pattern, part) in zip(components, parts) {
      guard let runs = Self.match(Array(part), pattern) else { return nil }
      matched.append(runs)
    }
    return matched
  }

  /// One path component. On a mismatch only the last star is stretched: a match that exists is found so, in
  /// time [text, pattern].
  private static func match(_ text: [Character], _ pattern: [Character]) -> [String]? {
    // Where in the text the pattern's character i begins to match; one more for the end.
    var starts = [Int](repeating: 0, count: pattern.count + 1)
    var at = 0
    var next = 0
    var lastStar: (next: Int, at: Int)?
    while at < text.count || next < pattern.count {
      if next < pattern.count {
        starts[next] = at
        if pattern[next] == "*" {
          lastStar = (next, at)
          next += 1
          continue
        }
        if at < text.count, pattern[next] == "?" || pattern[next] == text[at] {
          next += 1
          at += 1
          continue
        }
      }
      guard let star = lastStar, star.at < text.count else { return nil }
      lastStar = (star.next, star.at + 1)
      at = star.at + 1
      next = star.next + 1
    }
    starts[pattern.count] = text.count
    return runs(of: pattern).map { String(text[starts[$0.lowerBound]..<starts[$0.upperBound]]) }
  }

  /// The runs of neighbouring wildcards in the pattern.
  private static func runs(of pattern: [Character]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (index, character) in pattern.enumerated() where character == "*" || character == "?" {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }
}
