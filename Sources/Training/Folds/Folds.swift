import Faults

/// A partition of samples into k test folds for cross-validation.
package struct Folds: Sendable, Equatable {
  /// How many folds there are, k.
  package let count: Int
  /// The fold that tests each sample; the other folds train on it.
  package let assignment: [Int32]
  /// Whether samples were kept together by group. To be printed beside every score: a head that has seen
  /// other cells of the same protein scores higher than one that has not.
  package let isGrouped: Bool
  /// What the labels do not allow these folds to measure.
  package let warnings: [FoldWarning]

  /// k folds in which all samples of a group share one fold, stratified over several labels.
  ///
  /// Iterative stratification, carried from samples to groups: the class with the fewest unassigned groups
  /// goes first, its groups from the one with the most samples of the class down; each goes to the fold that
  /// lacks most samples of the class, then to the one that lacks most samples of any kind, then to one drawn
  /// by the seed. An empty fold lacks most of everything, so every fold gets a group.
  ///
  /// - Parameters:
  ///   - groups: the group of each sample, any numbers.
  ///   - isVaried: whether folds that lack as much as the neediest to within the group are drawn from, too: folds are a
  ///     little less even, and other seeds have others. Without it, few groups of different sizes are always divided alike.
  /// - Throws: `usage` when the samples or groups are fewer than the folds; `badData` for a class without
  ///   positives.
  /// - Source: Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", 2011.
  package static func grouped(
    groups: [Int32], labels: LabelTable, k: Int, isVaried: Bool = false, seed: UInt64
  ) throws -> Folds {
    precondition(groups.count == labels.count)
    return try Folds(groups: groups, labels: labels, k: k, isVaried: isVaried, seed: seed)
  }

  /// k folds of single samples, stratified in the same way.
  package static func ungrouped(labels: LabelTable, k: Int, seed: UInt64) throws -> Folds {
    try Folds(groups: nil, labels: labels, k: k, isVaried: false, seed: seed)
  }

  /// A fold for each group, in order of the groups' first samples.
  /// - Throws: `usage` when there is one group; `badData` for a class without positives.
  package static func leaveOneGroupOut(groups: [Int32], labels: LabelTable) throws -> Folds {
    precondition(groups.count == labels.count)
    try requirePositives(labels)
    let table = try GroupTable(groups: groups, labels: labels)
    guard table.count >= 2 else {
      throw Fault(
        .usage, "folds", expected: "at least 2 groups, of which one is left out", found: "\(table.count)",
        remedy: "group by a finer field")
    }
    let foldOfGroup = (0..<Int32(table.count)).map { $0 }
    // That a class is absent from most folds goes without saying: only classes of one group are told of.
    let warnings = table.warnings(foldOfGroup: foldOfGroup, k: table.count, classes: labels.classes)
    return Folds(
      count: table.count, assignment: Array(table.groupOfSample), isGrouped: true,
      warnings: warnings.filter { if case .classInOneGroup = $0 { true } else { false } })
  }

  private init(count: Int, assignment: [Int32], isGrouped: Bool, warnings: [FoldWarning]) {
    self.count = count
    self.assignment = assignment
    self.isGrouped = isGrouped
    self.warnings = warnings
  }

  private static func requirePositives(_ labels: LabelTable) throws {
    if let absent = labels.positives.firstIndex(of: 0) {
      throw Fault(
        .badData, "class \(labels.classes[absent])", "has no positive sample", remedy: "leave the class out")
    }
  }

  private init(groups: [Int32]?, labels: LabelTable, k: Int, isVaried: Bool, seed: UInt64) throws {
    guard k >= 2 else {
      throw Fault(
        .usage, "folds", expected: "at least 2", found: "\(k)", remedy: "ask for 2 folds or more, such as 5")
    }
    guard labels.count >= k else {
      throw Fault(
        .usage, "folds", expected: "at least \(k) samples for \(k) folds", found: "\(labels.count)",
        remedy: "ask for fewer folds, or select more cells")
    }
    try Self.requirePositives(labels)
    let table = try GroupTable(groups: groups, labels: labels)
    guard table.count >= k else {
      throw Fault(
        .usage, "folds", expected: "at least \(k) groups for \(k) folds", found: "\(table.count)",
        remedy: (table.count < 2 ? "" : "ask for at most \(table.count) folds, ")
          + "group by a finer field, or do not group")
    }
    let foldOfGroup = table.stratified(into: k, isVaried: isVaried, seed: seed)
    count = k
    assignment = table.groupOfSample.map { foldOfGroup[Int($0)] }
    isGrouped = groups != nil
    warnings = table.warnings(foldOfGroup: foldOfGroup, k: k, classes: labels.classes)
  }

  /// The samples that `fold` is tested on.
  package func testSamples(of fold: Int) -> SampleSet {
    samples { $0 == fold }
  }

  /// The samples that the head tested on `fold` is trained on.
  package func trainSamples(of fold: Int) -> SampleSet {
    samples { $0 != fold }
  }

  private func samples(where isWanted: (Int32) -> Bool) -> SampleSet {
    SampleSet(below: assignment.count) { isWanted(assignment[Int($0)]) }
  }
}
