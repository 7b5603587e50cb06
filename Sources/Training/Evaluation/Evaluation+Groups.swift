extension Evaluation {
  /// How many groups there are; nil where nothing keeps samples together.
  package var groupCount: Int? {
    groupField.map { _ in countOfGroups ?? Set(samples.compactMap(\.group)).count }
  }

  /// Of groups that may be learned from and tested on: how many are tested on, and how many of these are learned from.
  /// nil where they are kept apart.
  package var sharedGroups: (tested: Int, shared: Int)? {
    // Images are apart, whatever they are called.
    guard design.sharesGroups, let groupField, groupField != FoldGrouping.imageWord else { return nil }
    if let countOfTestedGroups, let countOfSharedGroups { return (countOfTestedGroups, countOfSharedGroups) }
    var (taught, tested): (Set<String>, Set<String>) = ([], [])
    for (sample, fold) in zip(samples, testFolds[0]) {
      guard let group = sample.group else { continue }
      if fold < 0 { taught.insert(group) } else { tested.insert(group) }
    }
    return (tested.count, taught.intersection(tested).count)
  }
}
