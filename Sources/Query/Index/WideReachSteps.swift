import Storage

/// Puts together what was measured of several kinds of queries to reaches by the distance of the nearest centre.
enum WideReachSteps {
  struct Kind {
    /// Within which the nearest centres of nearly all of its queries lie, by the squares of their distances.
    let starts: ClosedRange<Float>
    let reaches: [IndexRecord.Reach]
  }

  /// Steps in which each kind that has queries there finds enough.
  /// - Parameters:
  ///   - usualLimit: the square of the distance up to which queries are like the vectors, which go no farther for others' sake.
  ///   - kinds: those without reaches, for which none is enough, do not count.
  static func steps(beyond usualLimit: Float, _ kinds: [Kind]) -> [IndexRecord.WideReaches] {
    let kinds = kinds.filter { !$0.reaches.isEmpty && $0.starts.upperBound > usualLimit }
      .sorted { $0.starts.lowerBound < $1.starts.lowerBound }
    guard let first = kinds.first else { return [] }
    let bounds = [usualLimit] + kinds.map(\.starts.lowerBound).filter { $0 > usualLimit }
    return bounds.enumerated().map { place, bound in
      let end = place + 1 < bounds.count ? bounds[place + 1] : .infinity
      let there = kinds.filter { $0.starts.lowerBound < end && $0.starts.upperBound > bound }
      return .init(from2: bound, reaches: longest((there.isEmpty ? [first] : there).map(\.reaches)))
    }
  }

  /// For each number of neighbors the greatest of its reaches.
  private static func longest(_ all: [[IndexRecord.Reach]]) -> [IndexRecord.Reach] {
    Set(all.joined().map(\.neighbors)).sorted().map { count in
      let some = all.joined().filter { $0.neighbors == count }
      return .init(
        neighbors: count, reach: some.map(\.reach).max() ?? 0, range: some.map(\.range).max() ?? 0,
        farReach: some.compactMap(\.farReach).max())
    }
  }
}
