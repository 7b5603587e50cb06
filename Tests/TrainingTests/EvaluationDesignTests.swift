import Faults
import Storage
import Testing

@testable import Training

@Suite struct EvaluationDesignTests {
  private let plan = LabelledDatabase.plan

  @Test func groupsOfOneClassHaveNoRankingAndTheEvaluationSaysSo() throws {
    try withDatabase { database in
      var plan = plan
      plan.labelField = "source"
      plan.grouping = .image
      plan.design = EvaluationDesign(scheme: .leaveOneGroupOut, validationShare: 0, resamplings: 0)
      plan.configuration.epochs = 1
      let evaluation = try database.outcome(plan, spaces: ["good"]).evaluation
      let summary = evaluation.runs[0].summary
      #expect(summary[.macroAUROC] == nil && summary[.macroAveragePrecision] == nil)
      #expect(summary[.accuracy]?.foldCount == 50)
      #expect(
        evaluation.partialMetrics.contains(
          "AUROC and average precision are undefined: all 50 folds have no class with positives and negatives"
        ))
    }
  }

  @Test func aTransferScoresTheCellsOfTheOtherSource() throws {
    try withDatabase { database in
      var plan = plan
      plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
      let evaluation = try database.outcome(plan, transfer: ("HPA", "OpenCell")).evaluation
      #expect(evaluation.runs.map(\.folds.count) == [1, 1])
      #expect(evaluation.testFolds[0].count { $0 == 0 } == 59)
      #expect(evaluation.probability(of: 0, sample: 0, in: evaluation.runs[0]) == nil)
      #expect(evaluation.predictedClasses(of: 0, in: evaluation.runs[0]) == nil)
      #expect(evaluation.predictedClasses(of: 148, in: evaluation.runs[0]) != nil)
      #expect(evaluation.runs[0].summary[.macroF1]?.sampleSD == nil)
      #expect(evaluation.comparisons[0].correctedT == nil && evaluation.comparisons[0].interval != nil)
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, transfer: ("HPA", "HPA")) }
      #expect(fault?.problem == "90 of those to learn from are to be tested on, too")
    }
  }

  /// Both databases have the same vectors, under the same names of images, which are apart, and of genes, which are not.
  @Test(arguments: [SampleUnit.cell, .image])
  func anotherDatabaseIsTestedOn(unit: SampleUnit) throws {
    try withDatabase { database in
      try withDatabase(pixels: "other") { other in
        var plan = plan
        plan.unit = unit
        plan.grouping = .image
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        let outcome = try database.outcome(plan, testedOn: other)
        let evaluation = outcome.evaluation
        let count = unit == .cell ? 149 : 50
        #expect(evaluation.testDatabase == "other" && evaluation.samples.count == 2 * count)
        #expect(
          evaluation.testFolds == [Array(repeating: -1, count: count) + Array(repeating: 0, count: count)])
        #expect(evaluation.samples.suffix(count).map(\.row) == evaluation.samples.prefix(count).map(\.row))
        #expect(
          evaluation.samples.suffix(count).map(\.labels) == evaluation.samples.prefix(count).map(\.labels))
        #expect(outcome.leftOut.withoutLabel == 2)
        let run = evaluation.runs[0]
        #expect(run.folds.count == 1 && run.folds[0].testCount == count)
        #expect(try #require(run.summary[.macroF1]).mean > 0.8)
        #expect(evaluation.groupCount == 100, "images of one name are two")
        #expect(
          evaluation.warnings.contains {
            $0.contains("298 cells have the vector")
              && $0.contains("cell 0 and cell 0 of other; a copy may be")
          })

        plan.unit = .cell
        plan.grouping = .field("gene")
        let fault = #expect(throws: Fault.self) { try database.outcome(plan, testedOn: other) }
        #expect(fault?.subject == "group \"G0\"" && fault?.remedy.contains("--shared-groups") == true)
      }
    }
  }

  /// The same proteins under another microscope.
  @Test func groupsMayBeSharedWhereThatIsAskedFor() throws {
    try withDatabase { database in
      try withDatabase(pixels: "other") { other in
        var plan = plan
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        plan.design.sharesGroups = true
        let evaluation = try database.outcome(plan, testedOn: other).evaluation
        #expect(evaluation.groupCount == 25)
        #expect(try #require(evaluation.sharedGroups) == (25, 25))
        #expect(
          evaluation.warnings.contains {
            $0.hasPrefix("25 of the 25 groups that are tested, such as group \"G0\", are learned from, too")
          })
        // Copies are looked for on both sides of a group, too.
        #expect(evaluation.warnings.contains { $0.contains("298 cells have the vector") })
      }
      var folds = plan
      folds.design.sharesGroups = true
      let fault = #expect(throws: Fault.self) { try database.outcome(folds) }
      #expect(fault?.kind == .usage && fault?.subject == "shared groups")
    }
  }

  @Test(arguments: [SampleUnit.cell, .field("gene")])
  func anImageThatIsLearnedFromIsNotTestedOn(unit: SampleUnit) throws {
    try withDatabase { database in
      try withDatabase { other in
        var plan = plan
        plan.unit = unit
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        plan.design.sharesGroups = true
        let fault = #expect(throws: Fault.self) { try database.outcome(plan, testedOn: other) }
        #expect(fault?.kind == .badData && fault?.subject == "database \"other\"")
        #expect(
          fault?.problem.hasPrefix("has 50 images that are learned from, too, such as \"image0\"") == true)
        // Of an image on both sides, it is cells that matter.
        let halves = try database.outcome(plan, teaching: 0..<90, testedOn: other, 90..<150)
        #expect(halves.evaluation.testFolds[0].contains(0))
        let border = #expect(throws: Fault.self) {
          try database.outcome(plan, teaching: 0..<91, testedOn: other, 91..<150)
        }
        #expect(border?.problem == "has an image that is learned from, too: \"image30\"")
      }
    }
  }

  /// Numbers of images have gaps where images were deleted.
  @Test func theLastImageIsLookedAtThoughTheFirstIsDeleted() throws {
    try withDatabase { database in
      try withDatabase { other in
        try other.deleteFirstImage()
        var plan = plan
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        plan.design.sharesGroups = true
        let fault = #expect(throws: Fault.self) {
          try database.outcome(plan, testedOn: other, 147..<150)
        }
        #expect(fault?.problem == "has an image that is learned from, too: \"image49\"")
        #expect(
          fault?.remedy
            == "leave them out on one side, as with --test-where \"cell NOT BETWEEN 147 AND 148\"")
        try other.writer.database.read { snapshot in
          let images = try snapshot.rowsByImage(among: RowSet(0..<150))
          #expect(images.count == 49 && images.reduce(0) { $0 + $1.rows.count } == 147)
        }
        plan.design = EvaluationDesign(folds: 3, resamplings: 0)
        plan.grouping = .image
        #expect(try other.outcome(plan, spaces: ["good"]).leftOut.withoutGroup == 0)
      }
    }
  }

  /// Image 30 has the cells 90 to 92, and is of the gene G15 as image 31 is.
  @Test func groupsOfOneDatabaseAreSharedButNoImages() throws {
    try withDatabase { database in
      var plan = plan
      plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
      let apart = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 93) }
      #expect(apart?.subject == "group \"G15\"" && apart?.remedy.contains("--shared-groups") == true)
      plan.design.sharesGroups = true
      let shared = try database.outcome(plan, testedFrom: 93).evaluation
      #expect(try #require(shared.sharedGroups) == (10, 1))
      let divided = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 92) }
      #expect(divided?.kind == .badData)
      #expect(divided?.problem == "has an image that is learned from, too: \"image30\"")
      #expect(divided?.remedy.contains("cell NOT BETWEEN 92 AND 92") == true)

      plan.grouping = .image
      let images = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 93) }
      #expect(images?.kind == .usage && images?.subject == "shared groups")
      plan.design.sharesGroups = false
      let image = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 92) }
      #expect(image?.subject == "group \"image30\"")
      #expect(image?.remedy == "choose cells whose images are apart, or group by a field")
    }
  }

  @Test func aSampleOnBothSidesIsTwoWhereGroupsAreShared() throws {
    try withDatabase { database in
      var plan = plan
      plan.unit = .field("gene")
      plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 93) }
      #expect(
        fault?.description.hasPrefix("sample \"G15\": has cells to learn from and cells to test on;") == true)
      #expect(fault?.remedy.contains("--shared-groups") == true)
      plan.design.sharesGroups = true
      let evaluation = try database.outcome(plan, testedFrom: 93).evaluation
      #expect(evaluation.samples.count == 26 && evaluation.groupCount == 25)
      let halves = evaluation.samples.indices.filter { evaluation.samples[$0].name == "G15" }
      #expect(halves.map { evaluation.testFolds[0][$0] } == [-1, 0])
      #expect(halves.map { evaluation.sampleCells?[$0] } == [[[90, 93]], [[93, 96]]])
      #expect(try #require(evaluation.sharedGroups) == (10, 1))
      plan.unit = .image
      plan.design.sharesGroups = false
      let image = #expect(throws: Fault.self) { try database.outcome(plan, testedFrom: 92) }
      #expect(
        image?.subject == "sample \"image30\"" && image?.remedy == "choose cells whose images are apart")
    }
  }

  @Test func theTestDatabaseMayCallASpaceOtherwise() throws {
    try withDatabase(backbone: "vit") { database in
      try withDatabase(pixels: "other", good: "widefield", backbone: "vit") { other in
        var plan = plan
        plan.grouping = .image
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        let space = try database.outcome(plan, testedOn: other).evaluation.runs[0].space
        #expect(space.name == "good" && space.testName == "widefield" && space.nameWhereTested == "widefield")
      }
      try withDatabase(pixels: "other", backbone: "vit") { other in
        var plan = plan
        plan.grouping = .image
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        let space = try database.outcome(plan, testedOn: other).evaluation.runs[0].space
        #expect(space.testName == nil)
      }
    }
  }

  @Test func imagesOfOneNameStayGroupsOfTheirOwn() throws {
    let labels = try LabelTable(labels: [["a"], ["b"]])
    let subjects = SplitSubjects(
      labels: labels, groups: [0, 1], groupNames: ["vectors.npy", "vectors.npy"], isTest: nil)
    let joined = try #require(EvaluationSamples.groups(subjects, subjects, areApart: true))
    #expect(joined.numbers == [0, 1, 2, 3])
    #expect(joined.names == Array(repeating: "vectors.npy", count: 4))
  }

  @Test func aDatabaseWithoutTheSpaceCannotBeTestedOn() throws {
    try withDatabase { database in
      try withDatabase { other in
        let good = try other.writer.database.read { snapshot in
          try #require(snapshot.spaces.first { space in space.name == "good" })
        }
        try other.writer.write { try $0.rename(good, to: "else") }
        var plan = plan
        plan.design = EvaluationDesign(scheme: .transfer, resamplings: 20)
        let fault = #expect(throws: Fault.self) { try database.outcome(plan, testedOn: other) }
        #expect(fault?.kind == .usage && fault?.subject == "database \"other\"")
      }
    }
  }

  @Test func moreGroupsTeachMore() throws {
    try withDatabase { database in
      var plan = plan
      plan.design.fractions = [0.2, 1]
      plan.design.validationShare = 0
      let evaluation = try database.outcome(plan, spaces: ["good"]).evaluation
      #expect(evaluation.runs.map(\.fraction) == [0.2, 1])
      let means = evaluation.runs.compactMap { $0.summary[.macroF1]?.mean }
      #expect(means[0] < means[1])
      #expect(evaluation.comparisons.isEmpty, "fractions of one space are not compared")
    }
  }

  @Test func leavingOneImageOutScoresEverySampleOnce() throws {
    try withDatabase { database in
      var plan = plan
      plan.grouping = .image
      plan.design = EvaluationDesign(scheme: .leaveOneGroupOut, validationShare: 0, resamplings: 0)
      plan.configuration.epochs = 2
      let evaluation = try database.outcome(plan, spaces: ["good"]).evaluation
      let run = evaluation.runs[0]
      #expect(run.folds.map(\.testCount) == Array(repeating: 3, count: 49) + [2])
      #expect(run.folds.allSatisfy { $0.trainCount + $0.testCount == 149 && $0.validationCount == 0 })
      #expect(evaluation.samples.indices.allSatisfy { evaluation.predictedClasses(of: $0, in: run) != nil })
      #expect(run.macroF1Interval == nil)
    }
  }
}
