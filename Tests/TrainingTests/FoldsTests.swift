import Faults
import Randomness
import Testing

@testable import Training

@Suite struct FoldsTests {
  /// 60 genes of 1 to 8 cells, 6 classes from common to rare; all cells of a gene share its labels.
  private func genes(seed: UInt64) throws -> (groups: [Int32], labels: LabelTable) {
    var generator = SeededGenerator(seed: seed)
    var groups: [Int32] = []
    var labels: [[String]] = []
    for gene in 0..<60 {
      var members = (0..<6).filter { generator.uniform() < 0.5 / Double($0 + 1) }.map { "class-\($0)" }
      if gene % 12 == 0 { members.append("rare") }
      if members.isEmpty { members = ["class-0"] }
      for _ in 0...(generator.next() % 8) {
        groups.append(Int32(gene) * 1000 - 7)
        labels.append(members)
      }
    }
    return (groups, try LabelTable(labels: labels))
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func aGroupIsNeverSplitAndNoFoldIsEmpty(seed: UInt64) throws {
    let (groups, labels) = try genes(seed: seed)
    for (k, isVaried) in [(2, false), (5, false), (60, false), (2, true), (5, true), (59, true), (60, true)] {
      let folds = try Folds.grouped(groups: groups, labels: labels, k: k, isVaried: isVaried, seed: seed)
      #expect(folds.isGrouped)
      var foldOfGroup: [Int32: Int32] = [:]
      for (group, fold) in zip(groups, folds.assignment) {
        #expect(foldOfGroup.updateValue(fold, forKey: group) ?? fold == fold)
      }
      #expect(Set(folds.assignment) == Set(0..<Int32(k)))
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>, [false, true])
  func groupedFoldsHoldEqualSharesOfEachClass(seed: UInt64, isVaried: Bool) throws {
    let (groups, labels) = try genes(seed: seed)
    let folds = try Folds.grouped(groups: groups, labels: labels, k: 5, isVaried: isVaried, seed: seed)
    let rare = try #require(labels.classes.firstIndex(of: "rare"))
    for fold in 0..<5 {
      let test = folds.testSamples(of: fold)
      #expect(labels.positives(among: test)[rare] > 0, "five genes of a class go to five folds")
      let common = Double(labels.positives(among: test)[0]) / Double(labels.positives[0])
      #expect(abs(common - 0.2) < 0.08)
      #expect(abs(Double(test.count) / Double(labels.count) - 0.2) < 0.08)
      #expect(Set(test).union(folds.trainSamples(of: fold)).count == labels.count)
    }
  }

  @Test func singleSamplesAreSplitToWithinOneOfEachClass() throws {
    let cells = SyntheticCells(count: 1000, dimension: 1, classes: 6, signal: 1, seed: 3)
    let labels = try cells.table
    let folds = try Folds.ungrouped(labels: labels, k: 5, seed: 1)
    #expect(!folds.isGrouped)
    #expect(folds.warnings.isEmpty)
    for fold in 0..<5 {
      let counts = labels.positives(among: folds.testSamples(of: fold))
      for (count, all) in zip(counts, labels.positives) {
        #expect(abs(Double(count) - Double(all) / 5) <= 3)
      }
    }
  }

  @Test func theSeedDecidesTheFolds() throws {
    let (groups, labels) = try genes(seed: 1)
    let folds = try Folds.grouped(groups: groups, labels: labels, k: 5, seed: 1)
    #expect(try Folds.grouped(groups: groups, labels: labels, k: 5, seed: 1) == folds)
    #expect(try Folds.grouped(groups: groups, labels: labels, k: 5, seed: 2) != folds)
  }

  @Test func whatCannotBeMeasuredIsWarnedOf() throws {
    let labels = try LabelTable(labels: [["a", "x"], ["a", "x"], ["a", "y"], ["b", "y"], ["b"], ["a"]])
    let folds = try Folds.grouped(groups: [0, 0, 1, 2, 3, 4], labels: labels, k: 3, seed: 0)
    #expect(
      folds.warnings == [
        .classAbsentFromFolds("b", folds: 1, of: 3, groups: 2), .classInOneGroup("x"),
        .classAbsentFromFolds("y", folds: 1, of: 3, groups: 2),
      ])
  }

  @Test func warningsAreToldInAFewSentencesWithWhatToDo() {
    func absent(_ name: String, groups: Int) -> FoldWarning {
      .classAbsentFromFolds(name, folds: 2, of: 5, groups: groups)
    }
    func summary(_ warnings: FoldWarning...) -> [String] {
      FoldWarning.summary(of: warnings, isGrouped: true)
    }
    #expect(summary() == [])
    #expect(
      summary(absent("er", groups: 4), .classInOneGroup("golgi"), absent("nuc", groups: 3))
        == [
          "class golgi: all positives are in one group, so it cannot be both learned and tested",
          "class er: no positives in 2 of the 5 folds, whose macro F1 leaves it out",
          "class nuc: no positives in 2 of the 5 folds, whose macro F1 leaves it out",
          "only 3 groups have positives of some class: --folds 3, or a finer --group, can let each fold have every other class",
        ])
    let many = ["a", "b", "c", "d"].map { absent($0, groups: 3) }
    #expect(
      FoldWarning.summary(of: many, isGrouped: true) == [
        "4 classes, such as a, b, c: no positives in some of the folds, whose macro F1 leaves them out",
        "only 3 groups have positives of some class: --folds 3, or a finer --group, can let each fold have every class",
      ])
    // Fewer folds than there are need not help.
    #expect(summary(absent("er", groups: 5)).count == 1)
  }

  @Test func warningsOfSingleSamplesSayNothingOfGroups() throws {
    let names = ["a", "b", "c", "d"]
    func labels(_ name: String, _ count: Int) -> [[String]] { Array(repeating: [name], count: count) }
    func summary(_ samples: [[String]]) throws -> [String] {
      let folds = try Folds.ungrouped(labels: try LabelTable(labels: samples), k: 4, seed: 0)
      return FoldWarning.summary(of: folds.warnings, isGrouped: folds.isGrouped)
    }
    #expect(
      try summary(labels("common", 9) + labels("lone", 1) + labels("rare", 3)) == [
        "class lone: only one sample is a positive, so it cannot be both learned and tested",
        "class rare: no positives in 1 of the 4 folds, whose macro F1 leaves it out",
        "only 3 samples are positives of some class: --folds 3 can let each fold have every other class",
      ])
    #expect(
      try summary(labels("common", 8) + names.map { [$0] }) == [
        "4 classes, such as a, b, c: only one sample of each is a positive, so none can be both learned and tested"
      ])
    #expect(
      try summary(labels("common", 8) + names.flatMap { labels($0, 2) }).last
        == "only 2 samples are positives of some class: --folds 2 can let each fold have every class")
  }

  @Test func impossibleFoldsAreFaultsThatGiveBothNumbers() throws {
    let labels = try LabelTable(labels: [["a"], ["b"], ["a"]])
    func problem(_ make: () throws -> Folds) -> String? {
      #expect(throws: Fault.self) { try make() }?.problem
    }
    #expect(problem { try .ungrouped(labels: labels, k: 1, seed: 0) } == "expected at least 2, found 1")
    #expect(
      problem { try .ungrouped(labels: labels, k: 4, seed: 0) }
        == "expected at least 4 samples for 4 folds, found 3")
    #expect(
      problem { try .grouped(groups: [5, 5, 9], labels: labels, k: 3, seed: 0) }
        == "expected at least 3 groups for 3 folds, found 2")
    let single = #expect(throws: Fault.self) {
      try Folds.grouped(groups: [5, 5, 5], labels: labels, k: 3, seed: 0)
    }
    #expect(single?.remedy == "group by a finer field, or do not group")
    let absent = try LabelTable(labels: [["a"], ["b"]], classes: ["a", "b", "c"])
    #expect(problem { try .ungrouped(labels: absent, k: 2, seed: 0) } == "has no positive sample")
  }
}
