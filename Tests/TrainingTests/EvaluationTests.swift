import Faults
import FoundationEssentials
import Identity
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Training

/// A database of 60 genes of 1 to 4 cells in two images each: the space "good" knows the labels, "noise" does not, and
/// "part" lacks the cells of the first ten genes. Cell 3 has the vectors of cell 100, and the last cell no label.
private struct LabelledDatabase {
  let writer: DatabaseWriter
  let cells = SyntheticCells(count: 150, dimension: 8, classes: 3, signal: 6, seed: 4)

  init(in directory: String) throws {
    writer = try DatabaseWriter(path: "\(directory)/db", create: true)
    try fill()
  }

  private func fill() throws {
    let cells = cells
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string)
      let source = try transaction.field(named: "source", type: .string)
      let labels = try transaction.field(named: "localization", type: .list)
      let spaces = try ["good", "noise", "part"].map {
        try transaction.addSpace(name: $0, dimension: 8)
      }
      var row = 0
      for number in 0..<50 {
        let name = "image\(number)"
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
        let records = (0..<3).map { index in
          var cell = CellRecord(image: image, object: .label(UInt32(index + 1)), geometry: nil)
          cell.values[gene.id] = .string("G\(number / 2)")
          cell.values[source.id] = .string(number < 30 ? "HPA" : "OpenCell")
          if row + index < 149 { cell.values[labels.id] = .list(cells.labels[row + index]) }
          return cell
        }
        let rows = try transaction.addCells(records, of: image)
        func vectors(from first: Int) -> [Float] {
          rows.flatMap {
            Array(cells.vectors[(Int($0) + first) % 150 * 8..<((Int($0) + first) % 150 + 1) * 8])
          }
        }
        var good = vectors(from: 0)
        if number == 1 { good.replaceSubrange(0..<8, with: cells.vectors[800..<808]) }
        try good.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: spaces[0]) }
        try vectors(from: 31).withUnsafeBufferPointer {
          try transaction.setVectors($0, of: rows, in: spaces[1])
        }
        if number >= 10 {
          try good.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: spaces[2]) }
        }
        row += 3
      }
    }
  }

  func outcome(
    _ plan: EvaluationPlan, spaces: [String] = ["good", "noise"], threads: Int = 2,
    transfer: (train: String, test: String)? = nil
  ) throws -> EvaluationOutcome {
    try writer.database.read { snapshot in
      let records = try spaces.map { name in
        try #require(snapshot.spaces.first { space in space.name == name })
      }
      var sides: EvaluationPlan.Transfer?
      if let transfer {
        let field = try snapshot.requiredField(named: "source")
        sides = EvaluationPlan.Transfer(
          train: try snapshot.rows(field, equals: transfer.train),
          test: try snapshot.rows(field, equals: transfer.test))
      }
      return try plan.run(
        snapshot: snapshot,
        spaces: records.map { ($0, Evaluation.Space(name: $0.name, dimension: $0.dimension)) },
        transfer: sides, threads: threads)
    }
  }
}

private func withDatabase(_ body: (LabelledDatabase) throws -> Void) throws {
  try withTemporaryDirectory { try body(LabelledDatabase(in: $0)) }
}

@Suite struct EvaluationTests {
  private let plan = EvaluationPlan(
    labelField: "localization", grouping: .field("gene"),
    design: EvaluationDesign(folds: 3, repeats: 2, resamplings: 50, seed: 1),
    configuration: TrainingConfiguration(epochs: 5, learningRate: 0.03, seed: 1))

  @Test func theSpaceThatKnowsTheLabelsWinsOnTheSameFolds() throws {
    try withDatabase { database in
      let outcome = try database.outcome(plan)
      let evaluation = outcome.evaluation
      #expect(outcome.leftOut.withoutLabel == 1)
      #expect(evaluation.samples.count == 149)
      #expect(evaluation.samples[4].image == "image1" && evaluation.samples[4].group == "G0")
      #expect(evaluation.runs.map(\.space.name) == ["good", "noise"])
      for run in evaluation.runs {
        #expect(run.folds.map(\.repetition) == [0, 0, 0, 1, 1, 1])
        #expect(run.folds.allSatisfy { $0.learningCurve.count == 5 && $0.validationCount > 0 })
        #expect(run.folds.map(\.testCount) == evaluation.runs[0].folds.map(\.testCount))
        #expect(run.summary[.macroF1]?.mean == Spread(run.folds.compactMap { $0.values[.macroF1] }).mean)
      }
      let (good, noise) = (evaluation.runs[0], evaluation.runs[1])
      #expect(try #require(good.summary[.macroF1]).mean > 0.8)
      #expect(try #require(noise.summary[.macroF1]).mean < 0.6)
      let interval = try #require(good.macroF1Interval)
      let pooled = good.pooledMacroF1(absent: .skip)
      #expect(interval.lower < pooled && pooled < interval.upper && interval.lower > 0.6)
      let comparison = try #require(evaluation.comparisons.first)
      #expect((comparison.first, comparison.second) == (0, 1))
      #expect(comparison.meanDifference > 0.2)
      #expect(try #require(comparison.correctedT) < 0.01)
      #expect(try #require(comparison.wilcoxon) == 2 / 64)
      #expect(try #require(comparison.interval).lower > 0)
    }
  }

  @Test func pooledScoresAreThoseOfTheSavedPredictionsAndThresholds() throws {
    try withDatabase { database in
      let evaluation = try database.outcome(plan).evaluation
      let run = evaluation.runs[0]
      let classCount = evaluation.classes.count
      for (repetition, predictions) in run.predictions.enumerated() {
        var exact = 0
        var hits = [Int](repeating: 0, count: classCount)
        for (index, sample) in evaluation.samples.enumerated() {
          let predicted = try #require(
            evaluation.predictedClasses(of: index, in: run, repetition: repetition))
          if predicted == sample.labels { exact += 1 }
          for place in predicted where sample.labels.contains(place) { hits[place] += 1 }
        }
        #expect(predictions.pooled.exactMatches == exact)
        #expect(predictions.pooled.perClass.map(\.truePositives) == hits)
      }
    }
  }

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

  /// Files of version 1 know neither a task nor how many folds a mean is of.
  @Test func evaluationsOfTheFirstVersionAreRead() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/evaluation.json"
      let evaluation = try LabelledDatabase(in: directory).outcome(plan).evaluation
      try evaluation.save(to: path)
      let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
      let first = text.replacing("\"version\":2", with: "\"version\":1")
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
    }
  }

  /// A field of one value a cell: the source, which vectors do not know.
  @Test func aFieldOfOneValueIsOfOneLabel() throws {
    try withDatabase { database in
      var plan = plan
      plan.labelField = "source"
      plan.configuration.calibration = .temperature
      let evaluation = try database.outcome(plan, spaces: ["good"]).evaluation
      let run = evaluation.runs[0]
      #expect(
        evaluation.task == .single && run.configuration.loss == .softmax(isBalanced: false, smoothing: 0))
      #expect(Set(run.summary.keys) == Set(Metric.all(of: .single)))
      var hits = 0
      for (index, sample) in evaluation.samples.enumerated() {
        let predicted = try #require(evaluation.predictedClasses(of: index, in: run))
        #expect(predicted.count == 1)
        let sum = evaluation.classes.indices.reduce(Float(0)) {
          $0 + (evaluation.probability(of: $1, sample: index, in: run) ?? 0)
        }
        #expect(abs(sum - 1) < 1e-5)
        hits += predicted == sample.labels ? 1 : 0
      }
      #expect(run.predictions[0].pooled.exactMatches == hits)
      #expect(run.predictions[0].pooled.value(of: .accuracy) == Double(hits) / 150)

      plan.task = .multi
      plan.configuration.calibration = .isotonic
      #expect(try database.outcome(plan, spaces: ["good"]).evaluation.task == .multi)
      plan.task = .single
      plan.labelField = "localization"
      plan.configuration.calibration = .none
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, spaces: ["good"]) }
      #expect(fault?.kind == .badData && fault?.subject.hasPrefix("cell ") == true)
    }
  }

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
      let version = try fault(text.replacing("\"version\":2", with: "\"version\":3"))
      #expect(version?.problem == "is an evaluation of another version of cellvec")
      let fewer = try fault(text.replacing("\"classes\":[\"class-0\",", with: "\"classes\":["))
      #expect(fewer?.problem == "is an evaluation whose parts do not fit")
      let missing = #expect(throws: Fault.self) { try Evaluation(path: "\(directory)/none.json") }
      #expect(missing?.kind == .missingInput)
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
      ]
      for (number, other) in changed.enumerated() {
        #expect(other != text, "\(number)")
        try Data(other.utf8).write(to: URL(filePath: path))
        let fault = #expect(throws: Fault.self, "\(number)") { try Evaluation(path: path) }
        #expect(fault?.kind == .badData && fault?.subject.hasPrefix("\(path), ") == true, "\(number)")
      }
    }
  }

  @Test func progressCountsEveryHeadOfAnEnsemble() throws {
    try withDatabase { database in
      var plan = plan
      plan.configuration.ensembleCount = 2
      let seen = Mutex<[(trained: Int, all: Int)]>([])
      _ = try database.writer.database.read { snapshot in
        try plan.run(
          snapshot: snapshot,
          spaces: snapshot.spaces.prefix(2).map {
            ($0, Evaluation.Space(name: $0.name, dimension: $0.dimension))
          }, threads: 1
        ) { trained, all in seen.withLock { $0.append((trained, all)) } }
      }
      let counts = seen.withLock { $0 }
      // Two spaces, two repetitions of three folds, two heads each.
      #expect(counts.allSatisfy { $0.all == 24 })
      #expect(counts.map(\.trained) == counts.map(\.trained).sorted() && counts.last?.trained == 24)
    }
  }

  @Test func samplesOfAFieldAreMeansOfTheirCells() throws {
    try withDatabase { database in
      var plan = plan
      plan.unit = .field("gene")
      let evaluation = try database.outcome(plan).evaluation
      #expect(evaluation.sampleUnit == "gene")
      #expect(evaluation.samples.count == 25)
      #expect(evaluation.samples.allSatisfy { $0.cellCount == ($0.name == "G24" ? 5 : 6) })
      #expect(evaluation.samples.first { $0.name == "G3" }?.row == 18)
      let labels = try #require(evaluation.samples.first { $0.name == "G3" }?.labels)
      #expect(
        Set(labels.map { evaluation.classes[$0] }) == Set((18..<24).flatMap { database.cells.labels[$0] }))

      let samples = try database.writer.database.read { snapshot in
        let space = snapshot.spaces[0]
        let samples = try EvaluationSamples(
          of: snapshot, spaces: [space], plan: plan, among: nil, transfer: nil)
        let source = try samples.vectors(in: space, of: snapshot)
        let mean = FloatBuffer(count: 8)
        let sample = try #require(samples.samples.firstIndex { $0.name == "G3" })
        source.gather([Int32(sample)], into: mean.values)
        return Array(mean.values)
      }
      for index in 0..<8 {
        let expected = (18..<24).reduce(0.0) { $0 + Double(database.cells.vectors[$1 * 8 + index]) } / 6
        #expect(abs(Double(samples[index]) - expected) < 1e-5)
      }
    }
  }

  @Test func aSampleWhoseCellsAreOfTwoGroupsIsRefused() throws {
    try withDatabase { database in
      var plan = plan
      plan.unit = .field("gene")
      plan.grouping = .image
      let fault = #expect(throws: Fault.self) { try database.outcome(plan) }
      #expect(fault?.subject == "sample \"G0\"")
      plan.grouping = .none
      #expect(throws: Never.self) { try database.outcome(plan) }
    }
  }

  @Test func onlyCellsOfEverySpaceTakePart() throws {
    try withDatabase { database in
      let outcome = try database.outcome(plan, spaces: ["good", "part"])
      #expect(outcome.leftOut.withoutVector == 30)
      #expect(outcome.evaluation.samples.map(\.row).min() == 30)
      let fingerprint = outcome.evaluation.fingerprint
      #expect(try database.outcome(plan, spaces: ["part"]).evaluation.fingerprint == fingerprint)
      #expect(try database.outcome(plan, spaces: ["good"]).evaluation.fingerprint != fingerprint)
    }
  }

  @Test func spacesWithoutACommonCellAreRefused() throws {
    try withDatabase { database in
      try database.writer.write { _ = try $0.addSpace(name: "empty", dimension: 8) }
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, spaces: ["good", "empty"]) }
      #expect(
        fault?.description == "spaces good, empty: have no cell in common; compare spaces of the same cells")
    }
  }

  @Test func identicalVectorsOfTwoGroupsAreWarnedOf() throws {
    try withDatabase { database in
      let warnings = try database.outcome(plan).evaluation.warnings
      #expect(
        warnings.contains {
          $0.hasPrefix("space good: ") && $0.contains("of another group, such as cell 3 and cell 100")
        })
    }
  }

  @Test func doublesWithinAGroupAreNone() throws {
    let vectors = InMemoryVectors([1, 2, 3, 4, 1, 2, 3, 4, 3, 4], dimension: 2)
    let apart = try IdenticalVectors(in: vectors, groups: [0, 1, 0, 1, 2])
    #expect(apart.count == 3)
    #expect(apart.example?.0 == 1 && apart.example?.1 == 4)
    #expect(try IdenticalVectors(in: vectors, groups: [0, 1, 0, 1, 1]).example == nil)
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

  @Test func labelsAreMappedOrRefused() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/map.csv"
      try Data("label,class\nclass-0,x\nclass-1,x\nclass-2,y\n".utf8).write(to: URL(filePath: path))
      let database = try LabelledDatabase(in: directory)
      var plan = plan
      plan.labelMap = try LabelMap(named: path)
      let evaluation = try database.outcome(plan).evaluation
      #expect(evaluation.classes == ["x", "y"] && evaluation.labelMap == path)
      try Data("label,class\nclass-0,x\nclass-1,y\n".utf8).write(to: URL(filePath: path))
      plan.labelMap = try LabelMap(named: path)
      let fault = #expect(throws: Fault.self) { try database.outcome(plan) }
      #expect(fault?.subject == "label \"class-2\"")
    }
  }
}
