import Faults
import Randomness

/// The samples that teach, tune and test one head; each increasing, none in two of them.
package struct Split: Sendable, Equatable {
  package let repetition: Int
  package let fold: Int
  package let trainSet: SampleSet
  /// What thresholds are fitted on, and by which training is stopped; empty where nothing is tuned.
  package let validation: [Int32]
  package let testSet: SampleSet

  package var train: [Int32] { Array(trainSet) }
  package var test: [Int32] { Array(testSet) }

  /// - Parameters:
  ///   - groups: the effective ones of the subjects.
  ///   - sharesGroups: whether groups that are tested on may be learned from.
  /// - Throws: `badData` where a group has samples on two sides: then the head knows what it is tested on.
  func requireApart(groups: [Int32], of subjects: SplitSubjects, sharesGroups: Bool) throws {
    func side(_ samples: some Sequence<Int32>) -> Set<Int32> {
      samples.reduce(into: []) { $0.insert(groups[Int($1)]) }
    }
    let (taught, watched) = (side(trainSet), side(validation))
    let sides = [taught.union(watched), side(testSet), taught, watched]
    for side in sharesGroups ? [2] : [0, 2] {
      guard let shared = sides[side].intersection(sides[side + 1]).min() else { continue }
      throw Fault(
        .badData, subjects.name(ofGroup: shared),
        "has cells among those that are learned from and among those that are tested on",
        remedy: subjects.groupsAreImages
          ? "choose cells whose images are apart, or group by a field"
          : "choose cells whose groups are apart, group by another field, or, to ask how heads do on other cells of "
            + "groups that they know, test with --shared-groups")
    }
  }
}

/// The samples of an evaluation, as far as splits look at them.
package struct SplitSubjects: Sendable {
  package let labels: LabelTable
  /// The group of each sample; nil when nothing keeps samples together.
  package let groups: [Int32]?
  /// Names of the groups, by their numbers.
  package let groupNames: [String]
  /// Whether groups are images, which are never learned from and tested on.
  package let groupsAreImages: Bool
  /// Whether each sample teaches or tests, of the scheme `transfer`; nil of the others.
  package let isTest: [Bool]?

  package init(
    labels: LabelTable, groups: [Int32]?, groupNames: [String] = [], groupsAreImages: Bool = false,
    isTest: [Bool]? = nil
  ) {
    self.labels = labels
    self.groups = groups
    self.groupNames = groupNames
    self.groupsAreImages = groupsAreImages
    self.isTest = isTest
  }

  /// The group of each sample, or each sample as a group of its own.
  var effectiveGroups: [Int32] { groups ?? Array(0..<Int32(labels.count)) }

  func name(ofGroup group: Int32) -> String {
    groupNames.indices.contains(Int(group)) ? "group \"\(groupNames[Int(group)])\"" : "group \(group)"
  }
}

extension SplitSubjects {
  /// The groups that are tested on, and those of them that are learned from, too; nil where there are no groups, and
  /// where folds decide.
  var testedGroups: (all: Set<Int32>, shared: Set<Int32>)? {
    guard let groups, let isTest else { return nil }
    let taught = Set(groups.indices.lazy.filter { !isTest[$0] }.map { groups[$0] })
    let tested = Set(groups.indices.lazy.filter { isTest[$0] }.map { groups[$0] })
    return (tested, taught.intersection(tested))
  }

  /// What it means that groups are learned from and tested on, in a sentence; empty where none is.
  fileprivate var sharedGroups: [String] {
    guard let tested = testedGroups, let example = tested.shared.min() else { return [] }
    return [
      "\(tested.shared.count) of the \(tested.all.count) groups that are tested, such as "
        + "\(name(ofGroup: example)), are learned from, too: scores tell how heads do on other cells of groups that they "
        + "know, not on new groups"
    ]
  }
}

/// All splits of a design.
package struct SplitPlan: Sendable {
  /// Fraction by fraction as in the design, then repetition by repetition, then fold by fold.
  package let splits: [[Split]]
  /// The fold that tests each sample, [repeats][samples]; -1 for those that only teach.
  package let testFolds: [[Int]]
  package let warnings: [String]

  /// - Throws: `usage` or `badData` for a design that the samples do not allow.
  package init(_ design: EvaluationDesign, of subjects: SplitSubjects) throws {
    try design.validate()
    let groups = subjects.effectiveGroups
    var warnings: [String] = []
    var testFolds: [[Int]] = []
    var partitions: Set<[Int32]> = []
    for repetition in 0..<design.repeats {
      let folds = try design.folds(of: subjects, repetition: repetition, unlike: partitions)
      partitions.insert(partition(folds.assignment))
      testFolds.append(folds.assignment.map(Int.init))
      if repetition == 0 { warnings = folds.warnings }
    }
    if design.scheme == .folds, partitions.count < design.repeats {
      warnings.append(
        "the \(design.repeats) repetitions divide the groups in only \(partitions.count) ways, as there are so few of "
          + "them: what is tested of differences takes repetitions of the same folds for news")
    }
    splits = try design.fractions.map { fraction in
      try testFolds.enumerated().flatMap { repetition, assignment in
        try (0...(assignment.max() ?? 0)).map { fold in
          let test = SampleSet(below: assignment.count) { assignment[Int($0)] == fold }
          let rest = Array(SampleSet(below: assignment.count) { assignment[Int($0)] != fold })
          let seed = SeededGenerator.seed(design.seed, repetition: repetition, fold: fold)
          let known = try design.subset(rest, fraction: fraction, groups: groups, seed: seed)
          let (train, validation) = try design.divided(
            known, groups: groups, labels: subjects.labels, seed: seed)
          let split = Split(
            repetition: repetition, fold: fold, trainSet: SampleSet(train), validation: validation,
            testSet: test)
          try split.requireApart(groups: groups, of: subjects, sharesGroups: design.sharesGroups)
          return split
        }
      }
    }
    self.testFolds = testFolds
    self.warnings = warnings
  }
}

extension SeededGenerator {
  /// A seed for what is drawn of one fold, independent of the draws of others.
  fileprivate static func seed(_ seed: UInt64, repetition: Int, fold: Int) -> UInt64 {
    var generator = SeededGenerator(seed: seed, stream: UInt64(repetition) << 32 | UInt64(fold) &+ 1)
    return generator.next()
  }
}

/// What folds divide samples into, whatever the folds' numbers.
private func partition(_ assignment: [Int32]) -> [Int32] {
  var names: [Int32: Int32] = [:]
  return assignment.map { fold in
    if let name = names[fold] { return name }
    names[fold] = Int32(names.count)
    return Int32(names.count - 1)
  }
}

extension EvaluationDesign {
  /// How often folds are drawn that divide samples as those of another repetition do.
  private static let draws = 32

  /// The folds of one repetition; those of the first are the folds that `cellvec train` has with the same seed.
  /// - Parameter partitions: those of the repetitions before; one of them is there again only where no other was drawn.
  fileprivate func folds(
    of subjects: SplitSubjects, repetition: Int, unlike partitions: Set<[Int32]>
  ) throws -> (assignment: [Int32], warnings: [String]) {
    if repetition == 0 { return try folds(of: subjects, isVaried: false, seed: seed) }
    var generator = SeededGenerator(seed: seed, stream: UInt64(repetition))
    var drawn = try folds(of: subjects, isVaried: true, seed: generator.next())
    for _ in 1..<Self.draws where partitions.contains(partition(drawn.assignment)) {
      drawn = try folds(of: subjects, isVaried: true, seed: generator.next())
    }
    return drawn
  }

  private func folds(
    of subjects: SplitSubjects, isVaried: Bool, seed: UInt64
  ) throws -> (assignment: [Int32], warnings: [String]) {
    let labels = subjects.labels
    let made: Folds
    switch (scheme, subjects.groups) {
    case (.transfer, _):
      return try transferFolds(of: subjects)
    case (.folds, nil):
      made = try Folds.ungrouped(labels: labels, k: folds, seed: seed)
    case (.folds, let groups?):
      made = try Folds.grouped(groups: groups, labels: labels, k: folds, isVaried: isVaried, seed: seed)
    case (.leaveOneGroupOut, let groups?):
      made = try Folds.leaveOneGroupOut(groups: groups, labels: labels)
    case (.leaveOneGroupOut, nil):
      throw Fault(
        .usage, "leave one group out", "needs groups", remedy: "name a field to group by, or ask for folds")
    }
    return (made.assignment, FoldWarning.summary(of: made.warnings, isGrouped: made.isGrouped))
  }

  /// One fold: it tests what is for testing, and -1 teaches.
  private func transferFolds(of subjects: SplitSubjects) throws -> (assignment: [Int32], warnings: [String]) {
    guard let isTest = subjects.isTest, isTest.contains(true), isTest.contains(false) else {
      throw Fault(
        .missingInput, "the cells", "are not of both kinds: to learn from and to test on",
        remedy: "look at each selection with cellvec count")
    }
    let labels = subjects.labels
    let samples = isTest.indices.map(Int32.init)
    let taught = labels.positives(among: samples.filter { !isTest[Int($0)] })
    let tested = labels.positives(among: samples.filter { isTest[Int($0)] })
    let warnings = labels.classes.indices.compactMap { index -> String? in
      let name = labels.classes[index]
      if taught[index] == 0 { return "class \(name): nothing to learn it from, so it cannot be found" }
      return tested[index] == 0 ? "class \(name): nothing to test it on" : nil
    }
    return (isTest.map { $0 ? 0 : -1 }, warnings + subjects.sharedGroups)
  }

  /// The samples of a part of the groups. Groups come in an order that the seed draws, so the smaller part of two is
  /// within the larger.
  fileprivate func subset(
    _ samples: [Int32], fraction: Double, groups: [Int32], seed: UInt64
  ) throws -> [Int32] {
    if fraction == 1 { return samples }
    var generator = SeededGenerator(seed: seed, stream: 1)
    let all = Set(samples.map { groups[Int($0)] }).sorted()
    let count = Int((fraction * Double(all.count)).rounded())
    let least = validationShare > 0 ? 2 : 1
    guard count >= least else {
      throw Fault(
        .usage, "fraction \(fraction)",
        expected: "at least \(least) groups\(least > 1 ? ", one of them to validate on" : "")",
        found: "\(count) of \(all.count)", remedy: "ask for a larger fraction")
    }
    let kept = Set(generator.permutation(of: all.count).prefix(count).map { all[Int($0)] })
    return samples.filter { kept.contains(groups[Int($0)]) }
  }

  /// Divides samples into those that train and those that validate, stratified, groups kept together. The first group of
  /// a class trains where all of its groups would validate, though none may be left for that.
  fileprivate func divided(
    _ samples: [Int32], groups: [Int32], labels: LabelTable, seed: UInt64
  ) throws -> (train: [Int32], validation: [Int32]) {
    if validationShare == 0 { return (samples, []) }
    let table = try GroupTable(groups: groups, labels: labels, samples: samples)
    guard table.count >= 2 else {
      throw Fault(
        .usage, "validation", expected: "at least 2 groups to learn from, one of them to validate on",
        found: "\(table.count)", remedy: "group by a finer field, or validate on nothing with --validation 0")
    }
    let validates = table.validationGroups(share: validationShare, seed: seed)
    let isTrain = table.groupOfSample.map { !validates[Int($0)] }
    return (
      zip(samples, isTrain).compactMap { $1 ? $0 : nil }, zip(samples, isTrain).compactMap { $1 ? nil : $0 }
    )
  }
}
