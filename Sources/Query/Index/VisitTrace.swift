import Storage

/// What a search through lists met on its way. A search with a smaller reach meets the same as far as it goes, since lists
/// come in the same order and the neighbors so far are the same: one search tells of all of them.
struct VisitTrace {
  /// A list that takes a longer reach than those before it.
  private struct Step {
    /// The least reach, and the least far reach, with which it is visited.
    let near: Float
    let far: Float
    /// What was done before it.
    let work: SearchWork
  }

  private let radius: Float
  private var steps: [Step] = []
  /// Rows that were compared exactly, in this order.
  private var rows: [Row] = []
  /// What was done in all.
  private var work = SearchWork()

  /// - Parameter radius: of the calibration.
  init(radius: Float) { self.radius = radius }

  /// Takes note of a list that is visited next.
  /// - Parameter threshold: the similarity of the last neighbor so far.
  mutating func meet(score: Float, _ threshold: Float, _ work: SearchWork, since before: SearchWork) {
    let isFull = threshold > -1
    let near = isFull ? VisitLimit.nearReach(score: score, threshold) : -.infinity
    let far = isFull ? VisitLimit.farReach(score: score, threshold, radius: radius) : -.infinity
    if let last = steps.last, near <= last.near, far <= last.far { return }
    steps.append(
      Step(
        near: max(near, steps.last?.near ?? near), far: max(far, steps.last?.far ?? far),
        work: work.less(before)))
  }

  mutating func end(_ rows: [Row], _ work: SearchWork, since before: SearchWork) {
    self.rows = rows
    self.work = work.less(before)
  }

  /// The least reach with which each of some rows is found, by `near` or else by `far`; infinite where it was not.
  func reaches(_ wanted: Set<Row>, _ rule: VisitRule) -> [Float] {
    var reaches: [Float] = []
    var step = 0
    for (place, row) in rows.enumerated() where wanted.contains(row) {
      while step + 1 < steps.count, steps[step + 1].work.rows <= place { step += 1 }
      reaches.append(reach(of: steps[step], rule))
    }
    return reaches + Array(repeating: .infinity, count: wanted.count - reaches.count)
  }

  /// What a search does that goes so far.
  func work(within reach: Float, _ rule: VisitRule) -> SearchWork {
    steps.first { self.reach(of: $0, rule) > reach }?.work ?? work
  }

  private func reach(of step: Step, _ rule: VisitRule) -> Float { rule == .far ? step.far : step.near }
}

extension SearchWork {
  fileprivate func less(_ other: SearchWork) -> SearchWork {
    var work = self
    work.vertices -= other.vertices
    work.lists -= other.lists
    work.codes -= other.codes
    work.rows -= other.rows
    return work
  }
}
