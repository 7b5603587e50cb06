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
  ///   - usual: the kind of these. Those that start beyond the limit go no less far for others' sake, and for more neighbors
  ///     than the others were measured for its reaches hold.
  static func steps(beyond usualLimit: Float, _ usual: Kind, _ kinds: [Kind]) -> [IndexRecord.WideReaches] {
    let kinds = kinds.filter { $0.starts.upperBound > usualLimit }
      .sorted { $0.starts.lowerBound < $1.starts.lowerBound }
    guard let first = kinds.first else { return [] }
    let others = (kinds.map(\.starts.lowerBound) + [usual.starts.upperBound]).filter { $0 > usualLimit }
    let bounds = [usualLimit] + Set(others).sorted()
    return bounds.enumerated().map { place, bound in
      let end = place + 1 < bounds.count ? bounds[place + 1] : .infinity
      let there = kinds.filter { $0.starts.lowerBound < end && $0.starts.upperBound > bound }
      let isOfUsual = usual.starts.upperBound > bound
      let reaches = longest(
        (there.isEmpty ? [first] : there).map(\.reaches) + (isOfUsual ? [usual.reaches] : []))
      let most = reaches.last?.neighbors ?? 0
      return .init(from2: bound, reaches: reaches + usual.reaches.filter { $0.neighbors > most })
    }
  }

  /// For each number of neighbors the greatest of the reaches for it.
  private static func longest(_ all: [[IndexRecord.Reach]]) -> [IndexRecord.Reach] {
    Set(all.joined().map(\.neighbors)).sorted().map { count in
      let some = all.map { $0.reach(neighbors: Float(count), far: -.infinity) }
      let far = some.map(\.far).max() ?? -.infinity
      return .init(
        neighbors: count, reach: some.map(\.near).max() ?? 0, range: some.map(\.range).max() ?? 0,
        farReach: far > -.infinity ? far : nil)
    }
  }
}
