import Faults
import FoundationEssentials
import TestSupport
import Testing

@testable import Training

@Suite struct EvaluationFileTests {
  private let plan = LabelledDatabase.plan

  @Test func resultsDoNotDependOnThreadsAndComeBackFromTheFile() throws {
    try withTemporaryDirectory { directory in
      let database = try LabelledDatabase(in: directory)
      let evaluation = try database.outcome(plan, threads: 1).evaluation
      #expect(try database.outcome(plan, threads: 3).evaluation == evaluation)
      let path = "\(directory)/evaluation.json"
      try evaluation.save(to: path)
      #expect(try Evaluation(path: path) == evaluation)
    }
  }

  /// Heads of neighbors are compared with trained ones on the same folds, by the tests that compare spaces.
  @Test func headsAreComparedOnTheSameFolds() throws {
    try withTemporaryDirectory { directory in
      let database = try LabelledDatabase(in: directory)
      var plan = plan
      var voting = TrainingConfiguration(seed: 1)
      voting.neighbors = NeighborConfiguration(counts: [5])
      plan.heads = [
        ComparedHead(name: "linear", configuration: plan.configuration),
        ComparedHead(name: "neighbors", configuration: voting),
      ]
      let evaluation = try database.outcome(plan, threads: 1).evaluation
      #expect(try database.outcome(plan, threads: 3).evaluation == evaluation)
      #expect(
        evaluation.runs.map(\.name) == [
          "good (linear)", "good (neighbors)", "noise (linear)", "noise (neighbors)",
        ])
      #expect(evaluation.comparisons.map { [$0.first, $0.second] }.count == 6 && evaluation.comparesHeads)
      for run in evaluation.runs {
        #expect(run.folds.map(\.testCount) == evaluation.runs[0].folds.map(\.testCount))
        #expect(run.folds.allSatisfy { $0.learningCurve.isEmpty } == (run.head == "neighbors"))
      }
      // Each by itself comes to the same.
      plan.heads = []
      #expect(try database.outcome(plan).evaluation.runs[0].predictions == evaluation.runs[0].predictions)
      plan.configuration = voting
      let alone = try database.outcome(plan).evaluation
      #expect(alone.runs[0].predictions == evaluation.runs[1].predictions && alone.runs[0].head == nil)
      for (index, evaluation) in [evaluation, alone].enumerated() {
        #expect(evaluation.version == 3)
        try evaluation.save(to: "\(directory)/\(index).json")
        #expect(try Evaluation(path: "\(directory)/\(index).json") == evaluation)
      }
    }
  }

  /// Files of version 1 know neither a task nor how many folds a mean is of.
  @Test func evaluationsOfTheFirstVersionAreRead() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      let evaluation = try LabelledDatabase(in: directory).outcome(plan).evaluation
      try evaluation.save(to: path)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      let first = text.replacing("\"version\":2", with: "\"version\":1")
        .replacing(/"groupCount":[0-9]+,/, with: "")
        .replacing("\"task\":\"multi\",", with: "").replacing(/"foldCount":[0-9]+,"mean"/, with: "\"mean\"")
      #expect(first.count < text.count - 20)
      try Data(first.utf8).write(to: URL(filePath: path))
      let read = try Evaluation(path: path)
      #expect(read.task == nil && read.runs[0].predictions == evaluation.runs[0].predictions)
      let predicted = read.samples.indices.map { read.predictedClasses(of: $0, in: read.runs[0]) }
      #expect(
        predicted
          == evaluation.samples.indices.map { evaluation.predictedClasses(of: $0, in: evaluation.runs[0]) })
      #expect(read.runs[0].summary[.macroF1]?.foldCount == nil)
      #expect(evaluation.groupCount == 25 && read.groupCount == 25, "counted by name")
    }
  }

  @Test func damagedAndOtherFilesAreFaults() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      let evaluation = try LabelledDatabase(in: directory).outcome(plan).evaluation
      try evaluation.save(to: path)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      func fault(_ text: String) throws -> Fault? {
        try Data(text.utf8).write(to: URL(filePath: path))
        return #expect(throws: Fault.self) { try Evaluation(path: path) }
      }
      #expect(try fault(String(text.prefix(text.count / 2)))?.kind == .badData)
      #expect(try fault("{}")?.kind == .badData)
      let version = try fault(text.replacing("\"version\":2", with: "\"version\":4"))
      #expect(version?.problem == "is an evaluation of another version of cellvec")
      let fewer = try fault(text.replacing("\"classes\":[\"class-0\",", with: "\"classes\":["))
      #expect(fewer?.problem == "is an evaluation whose parts do not fit")
      let missing = #expect(throws: Fault.self) { try Evaluation(path: "\(directory)/none.json") }
      #expect(missing?.kind == .missingInput)
    }
  }

  /// What shows cells would show those of another sample.
  @Test func cellsThatAreOfNoSampleAreFaults() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      var plan = plan
      plan.unit = .field("gene")
      plan.configuration.attention = AttentionConfiguration(width: 2)
      let evaluation = try LabelledDatabase(in: directory).outcome(plan, spaces: ["good"]).evaluation
      try evaluation.save(to: path)
      #expect(try Evaluation(path: path) == evaluation)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      let changed = [
        text.replacing(/"attended":\[{"row":[0-9]+/, with: "\"attended\":[{\"row\":3000000000"),
        text.replacing(/"attended":\[{"row":[0-9]+/, with: "\"attended\":[{\"row\":6"),
        text.replacing("\"sampleCells\":[[[0,6]]", with: "\"sampleCells\":[[[1,7]]"),
        text.replacing("\"sampleCells\":[[[0,6]]", with: "\"sampleCells\":[[[0,5]]"),
        text.replacing("\"sampleCells\":[[[0,6]]", with: "\"sampleCells\":[[[0,3],[0,3]]"),
        text.replacing("\"sampleCells\":[[[0,6]]", with: "\"sampleCells\":[[]"),
      ]
      for (number, other) in changed.enumerated() {
        #expect(other != text, "\(number)")
        try Data(other.utf8).write(to: URL(filePath: path))
        let fault = #expect(throws: Fault.self, "\(number)") { try Evaluation(path: path) }
        #expect(fault?.problem == "is an evaluation whose parts do not fit", "\(number)")
      }
    }
  }

  /// Older files do not say how many groups are shared: there they are counted by name.
  @Test func sharedGroupsAreThoseOfTheFile() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      var plan = plan
      plan.design = EvaluationDesign(scheme: .transfer, resamplings: 0)
      plan.design.sharesGroups = true
      let evaluation = try LabelledDatabase(in: directory).outcome(plan, testedFrom: 93).evaluation
      try evaluation.save(to: path)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      #expect(text.contains("\"testedGroupCount\":10") && text.contains("\"sharedGroupCount\":1,"))
      let other = text.replacing("\"sharedGroupCount\":1,", with: "\"sharedGroupCount\":7,")
      try Data(other.utf8).write(to: URL(filePath: path))
      let changed = try Evaluation(path: path)
      #expect(try #require(changed.sharedGroups) == (10, 7))
      let older = text.replacing("\"sharedGroupCount\":1,", with: "")
        .replacing(/"testedGroupCount":10,/, with: "")
      try Data(older.utf8).write(to: URL(filePath: path))
      let read = try Evaluation(path: path)
      #expect(try #require(read.sharedGroups) == (10, 1))
    }
  }

  /// JSON has numbers that no evaluation has, and that cannot be added up or drawn.
  @Test func numbersThatNoEvaluationHasAreFaults() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      let evaluation = try LabelledDatabase(in: directory).outcome(plan).evaluation
      try evaluation.save(to: path)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      let changed = [
        text.replacing(/"level":[0-9.]+/, with: "\"level\":1e308"),
        text.replacing(/"validationShare":[0-9.]+/, with: "\"validationShare\":1e307"),
        text.replacing(
          /"macroF1":{"foldCount":6,"mean":[0-9.e-]+/, with: "\"macroF1\":{\"foldCount\":6,\"mean\":1.5e308"),
        text.replacing(/"macroF1":{"foldCount":6/, with: "\"macroF1\":{\"foldCount\":\(Int.max)"),
        text.replacing(/"sampleSD":[0-9.e-]+/, with: "\"sampleSD\":1.5e308"),
        text.replacing(/"loss":[0-9.e-]+/, with: "\"loss\":1.5e308"),
        text.replacing(/"loss":[0-9.e-]+/, with: "\"loss\":-1e308"),
        text.replacing(/"fraction":[0-9.]+/, with: "\"fraction\":1e307"),
        text.replacing(/"brier":[0-9.e-]+/, with: "\"brier\":1e300"),
        text.replacing(/"meanDifference":[0-9.e-]+/, with: "\"meanDifference\":1e300"),
        text.replacing("\"cellCount\":1,", with: "\"cellCount\":\(Int.max),"),
        text.replacing(/"truePositives":[0-9]+/, with: "\"truePositives\":\(Int.max)"),
        text.replacing(/"trainCount":[0-9]+/, with: "\"trainCount\":-1"),
        text.replacing(/"groupCount":[0-9]+/, with: "\"groupCount\":-1"),
      ]
      for (number, other) in changed.enumerated() {
        #expect(other != text, "\(number)")
        try Data(other.utf8).write(to: URL(filePath: path))
        let fault = #expect(throws: Fault.self, "\(number)") { try Evaluation(path: path) }
        #expect(fault?.kind == .badData && fault?.subject.hasPrefix("\(path), ") == true, "\(number)")
      }
    }
  }
}
