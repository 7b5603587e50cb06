import Faults

/// The text of a filter, and where it came from: what faults about a place of it need.
struct FilterSource: Sendable {
  let text: String
  /// What faults call the text: the option that it came from.
  let origin: String

  /// A `usage` fault about one place of the text: "--where: column 12: ...", with the place marked below.
  ///
  /// - Parameter column: from 1, in Unicode scalars.
  func fault(at column: Int, _ problem: String, remedy: String = "") -> Fault {
    Fault(
      .usage, "\(origin): column \(column)", problem, remedy: remedy, excerpt: excerpt(around: column - 1))
  }

  /// Two lines: the text, or the part of it around a scalar, and a caret under that scalar.
  private func excerpt(around position: Int) -> String {
    let scalars = text.unicodeScalars
    let (before, after) = (40, 36)
    let skipped = max(0, position - before)
    let shown = scalars.dropFirst(skipped).prefix(position - skipped + after)
    let isCut = scalars.count > skipped + shown.count
    // Marks that stand on the letter before them take no column of their own.
    let lead = shown.prefix(position - skipped).count { !$0.properties.isGraphemeExtend }
    let dots = skipped > 0 ? "…" : ""
    let line = shown.reduce(into: "") { line, scalar in
      let isBreak = scalar.properties.generalCategory == .control || scalar.properties.isWhitespace
      line.unicodeScalars.append(isBreak ? " " : scalar)
    }
    return "  \(dots)\(line)\(isCut ? "…" : "")\n" + String(repeating: " ", count: 2 + dots.count + lead)
      + "^"
  }
}
