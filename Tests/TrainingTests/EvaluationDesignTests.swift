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
          "AUROC is undefined: all 50 folds have no class with positives and negatives"))
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

  /// Both databases have the same cells, under the same names of images, which are apart, and of genes, which are not.
  @Test(arguments: [SampleUnit.cell, .image])
  func anotherDatabaseIsTestedOn(unit: SampleUnit) throws {
    try withDatabase { database in
      try withDatabase { other in
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
        #expect(
          evaluation.warnings.contains {
            $0.contains("\(2 * count) samples have the vector") && $0.contains(" of other; a copy may be")
          })

        plan.unit = .cell
        plan.grouping = .field("gene")
        let fault = #expect(throws: Fault.self) { try database.outcome(plan, testedOn: other) }
        #expect(fault?.subject == "group \"G0\"")
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
