extension String {
  /// Without white space before and behind. Texts that begin and end beyond ASCII are left as they are.
  package var trimmingSpaces: String {
    guard let first = utf8.first, let last = utf8.last else { return self }
    if first > 32, last > 32 { return self }
    let start = drop { $0.isWhitespace }
    return String(
      start[..<(start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.startIndex)])
  }
}
