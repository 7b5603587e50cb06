import Faults
import Randomness
import Testing

@testable import Training

@Suite struct SplitTests {
  /// 50 groups of 1 to 6 samples, 4 classes from common to rare.
  private func subjects(grouped: Bool = true, isTest: [Bool]? = nil) throws -> SplitSubjects {
    var generator = SeededGenerator(seed: 5)
    var groups: [Int32] = []
    var labels: [[String]] = []
    for group in 0..<50 {
      var members = (0..<4).filter { generator.uniform() < 0.6 / Double($0 + 1) }.map { "class-\($0)" }
      if members.isEmpty || group % 10 == 0 { members.append("class-3") }
      for _ in 0...(generator.next() % 6) {
        groups.append(Int32(group))
        labels.append(members)
      }
    }
    return SplitSubjects(
      labels: try LabelTable(labels: labels), groups: grouped ? groups : nil,
      groupNames: (0..<50).map { "G\($0)" }, isTest: isTest)
  }

  /// As few fields of view as a plate may have: 3 of each of 5 classes, of 41 to 83 samples.
  private func fewGroups() throws -> SplitSubjects {
    let sizes = (0..<15).map { 41 + 3 * $0 }
    let groups = sizes.indices.flatMap { Array(repeating: Int32($0), count: sizes[$0]) }
    return SplitSubjects(
      labels: try LabelTable(labels: groups.map { ["class-\($0 % 5)"] }), groups: groups,
      groupNames: sizes.indices.map { "F\($0)" })
  }

  /// The folds that each repetition divides groups into, whatever their numbers.
  private func partitions(_ plan: SplitPlan) -> [Set<Set<Int>>] {
    plan.testFolds.map { folds in
      Set(Dictionary(grouping: folds.indices) { folds[$0] }.values.map { Set($0) })
    }
  }

  @Test(arguments: [2, 3, 5]) func repetitionsDivideFewGroupsInOtherWays(k: Int) throws {
    let plan = try SplitPlan(EvaluationDesign(folds: k, repeats: 8, seed: 3), of: try fewGroups())
    let partitions = partitions(plan)
    #expect(Set(partitions).count == 8)
    #expect(plan.warnings.allSatisfy { !$0.contains("repetitions") })
    for (first, second) in zip(partitions, partitions.dropFirst()) {
      // Of drawn folds some are those of the repetition before, and by far not all.
      #expect(first.intersection(second).count < k)
    }
  }

  @Test func tooFewGroupsForOtherFoldsAreTold() throws {
    let groups: [Int32] = [0, 0, 1, 1, 2, 2, 3, 3]
    let subjects = SplitSubjects(
      labels: try LabelTable(labels: groups.map { [$0 % 2 == 0 ? "a" : "b"] }), groups: groups,
      groupNames: (0..<4).map { "W\($0)" })
    let plan = try SplitPlan(EvaluationDesign(folds: 2, repeats: 5, seed: 3), of: subjects)
    #expect(Set(partitions(plan)).count == 2)
    #expect(plan.warnings.contains { $0.contains("5 repetitions divide the groups in only 2 ways") })
  }

  @Test(arguments: [true, false])
  func everySampleIsTestedOnceARepetitionAndGroupsStayTogether(grouped: Bool) throws {
    let subjects = try subjects(grouped: grouped)
    let plan = try SplitPlan(EvaluationDesign(repeats: 3, seed: 2), of: subjects)
    let splits = try #require(plan.splits.first)
    #expect(splits.count == 15)
    for repetition in 0..<3 {
      let own = splits.filter { $0.repetition == repetition }
      #expect(own.map(\.fold) == [0, 1, 2, 3, 4])
      #expect(own.flatMap(\.test).sorted() == Array(0..<Int32(subjects.labels.count)))
      for split in own {
        let all = split.train + split.validation + split.test
        #expect(all.sorted() == Array(0..<Int32(subjects.labels.count)))
        #expect(split.test.allSatisfy { plan.testFolds[repetition][Int($0)] == split.fold })
        let groups = [split.train, split.validation, split.test].map { side in
          Set(side.map { subjects.effectiveGroups[Int($0)] })
        }
        #expect(groups.reduce(0) { $0 + $1.count } == Set(subjects.effectiveGroups).count)
        let share = Double(split.validation.count) / Double(split.train.count + split.validation.count)
        // Groups of up to 6 samples of about 140 cannot be dealt more finely.
        #expect(abs(share - 0.2) < 0.08)
        #expect(subjects.labels.positives(among: split.validation).allSatisfy { $0 > 0 })
      }
    }
    #expect(plan.testFolds[0] != plan.testFolds[1])
    #expect(try SplitPlan(EvaluationDesign(repeats: 3, seed: 2), of: subjects).testFolds == plan.testFolds)
  }

  @Test func theFirstRepetitionHasTheFoldsOfTraining() throws {
    let subjects = try subjects()
    let plan = try SplitPlan(EvaluationDesign(seed: 7), of: subjects)
    let folds = try Folds.grouped(
      groups: subjects.effectiveGroups, labels: subjects.labels, k: 5, seed: 7)
    #expect(plan.testFolds == [folds.assignment.map(Int.init)])
    #expect(plan.warnings == FoldWarning.summary(of: folds.warnings, isGrouped: true))
  }

  /// A class of one group is learned wherever it is not tested.
  @Test func aClassIsNeverHeldBackAsAWhole() throws {
    let groups = (0..<60).map { Int32($0 / 3) }
    let labels = try LabelTable(
      labels: groups.map { $0 < 4 ? ["alone-\($0)", "a"] : [$0 % 2 == 0 ? "a" : "b"] })
    let subjects = SplitSubjects(
      labels: labels, groups: groups, groupNames: (0..<20).map { "G\($0)" }, isTest: nil)
    for seed in 0..<10 {
      let plan = try SplitPlan(
        EvaluationDesign(validationShare: 0.5, seed: UInt64(seed)), of: subjects)
      for split in try #require(plan.splits.first) {
        let train = labels.positives(among: split.train)
        let rest = labels.positives(among: split.train + split.validation)
        #expect(zip(train, rest).allSatisfy { $0 > 0 || $1 == 0 }, "seed \(seed)")
      }
    }
  }

  @Test func withoutValidationAllTheRestTrains() throws {
    let subjects = try subjects()
    let plan = try SplitPlan(EvaluationDesign(validationShare: 0), of: subjects)
    for split in plan.splits[0] {
      #expect(split.validation.isEmpty)
      #expect(split.train.count + split.test.count == subjects.labels.count)
    }
  }

  @Test func aSmallerFractionOfGroupsLiesWithinALargerAndIsTestedOnTheSame() throws {
    let subjects = try subjects()
    let plan = try SplitPlan(EvaluationDesign(fractions: [0.1, 0.5, 1]), of: subjects)
    func groups(_ split: Split) -> Set<Int32> {
      Set((split.train + split.validation).map { subjects.effectiveGroups[Int($0)] })
    }
    for fold in 0..<5 {
      let splits = plan.splits.map { $0[fold] }
      #expect(splits.allSatisfy { $0.test == splits[0].test })
      #expect(groups(splits[0]).isSubset(of: groups(splits[1])))
      #expect(groups(splits[1]).isSubset(of: groups(splits[2])))
      let count = Double(groups(splits[2]).count)
      #expect(groups(splits[0]).count == Int((0.1 * count).rounded()))
      #expect(groups(splits[1]).count == Int((0.5 * count).rounded()))
    }
  }

  @Test func leavingOneGroupOutHasAFoldForEachGroup() throws {
    let subjects = try subjects()
    let plan = try SplitPlan(EvaluationDesign(scheme: .leaveOneGroupOut), of: subjects)
    #expect(plan.splits[0].count == 50)
    for split in plan.splits[0] {
      let tested = Set(split.test.map { subjects.effectiveGroups[Int($0)] })
      #expect(tested.count == 1)
      #expect(split.test.count == subjects.effectiveGroups.count { tested.contains($0) })
    }
    #expect(throws: Fault.self) {
      try SplitPlan(EvaluationDesign(scheme: .leaveOneGroupOut), of: self.subjects(grouped: false))
    }
  }

  @Test func aTransferTestsWhatItIsTold() throws {
    let groups = try subjects().effectiveGroups
    let subjects = try subjects(isTest: groups.map { $0 >= 30 })
    let plan = try SplitPlan(EvaluationDesign(scheme: .transfer), of: subjects)
    #expect(plan.splits[0].count == 1)
    let split = plan.splits[0][0]
    #expect(split.test.allSatisfy { groups[Int($0)] >= 30 })
    #expect((split.train + split.validation).allSatisfy { groups[Int($0)] < 30 })
    #expect(plan.testFolds == [groups.map { $0 >= 30 ? 0 : -1 }])
  }

  @Test func aGroupOnBothSidesOfATransferIsRefusedByName() throws {
    let groups = try subjects().effectiveGroups
    // The first sample of group 30 is not tested.
    let leak = try #require(groups.firstIndex(of: 30))
    let subjects = try subjects(isTest: groups.indices.map { groups[$0] >= 30 && $0 != leak })
    let fault = #expect(throws: Fault.self) {
      try SplitPlan(EvaluationDesign(scheme: .transfer), of: subjects)
    }
    #expect(fault?.subject == "group \"G30\"")
    #expect(fault?.kind == .badData)
  }

  @Test func classesOfOneSideAreWarnedOf() throws {
    let labels = try LabelTable(labels: [["a"], ["a", "b"], ["b", "c"], ["c"], ["c", "d"], ["d"]])
    let plan = try SplitPlan(
      EvaluationDesign(scheme: .transfer, validationShare: 0),
      of: SplitSubjects(labels: labels, groups: nil, isTest: [false, false, false, false, true, true]))
    #expect(
      plan.warnings == [
        "class a: nothing to test it on", "class b: nothing to test it on",
        "class d: nothing to learn it from, so it cannot be found",
      ])
  }

  @Test(arguments: [
    (EvaluationDesign(repeats: 0), "repeats"), (EvaluationDesign(validationShare: 0.6), "validation"),
    (EvaluationDesign(fractions: [0]), "fraction"),
    (EvaluationDesign(fractions: [0.01, 1]), "fraction 0.01"),
    (EvaluationDesign(resamplings: -1), "resamplings"), (EvaluationDesign(folds: 51), "folds"),
    (EvaluationDesign(scheme: .leaveOneGroupOut, repeats: 2), "repeats"),
  ])
  func impossibleDesignsAreFaultsThatNameTheOption(design: EvaluationDesign, subject: String) throws {
    let subjects = try subjects()
    let fault = #expect(throws: Fault.self) { try SplitPlan(design, of: subjects) }
    #expect(fault?.subject == subject)
    #expect(fault?.kind == .usage)
  }
}
