import Faults
import Formats
import FoundationEssentials
import Identity
import Storage
import TestSupport
import Testing

@testable import Training

/// Heads as databases keep them, and as files that lead from one to another.
@Suite struct HeadRecordTests {
  private let cells = SyntheticCells(count: 60, dimension: 5, classes: 3, signal: 5, seed: 4)

  /// A database of the cells, with their grades where `grades` says so, in images of six.
  private func withDatabase(
    backbone: String? = nil, spaceName: String = "s", grades: (Int) -> [String]? = { _ in nil },
    _ body: (DatabaseWriter, SpaceRecord) throws -> Void
  ) throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { transaction in
        let labels = try transaction.field(named: "localization", type: .list)
        let graded = try transaction.field(named: "grades", type: .list)
        let space = try transaction.addSpace(
          name: spaceName, dimension: 5, recipe: backbone.map { _ in "{}" }, backboneHash: backbone)
        for number in 0..<10 {
          let name = "image\(number)"
          let image = try transaction.addImage(
            ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
          let records = (0..<6).map { index in
            var cell = CellRecord(image: image, object: .label(UInt32(index + 1)), geometry: nil)
            cell.values[labels.id] = .list(cells.labels[number * 6 + index])
            if let grades = grades(number * 6 + index) { cell.values[graded.id] = .list(grades) }
            return cell
          }
          let rows = try transaction.addCells(records, of: image)
          let vectors = Array(cells.vectors[number * 30..<(number + 1) * 30])
          try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        }
        return space
      }
      try body(writer, space)
    }
  }

  private var plan: TrainingPlan {
    var plan = TrainingPlan(labelField: "localization", grouping: .image, folds: 3)
    plan.configuration.epochs = 3
    return plan
  }

  private func train(_ plan: TrainingPlan, _ writer: DatabaseWriter, _ space: SpaceRecord) throws
    -> HeadRecord
  {
    let outcome = try writer.database.read {
      try plan.run(snapshot: $0, space: space, headName: "h", threads: 1)
    }
    let head = try #require(outcome.head)
    try writer.write { try $0.saveHead(head) }
    return head
  }

  @Test func aHeadRemembersItsCells() throws {
    try withDatabase { writer, space in
      var plan = plan
      plan.configuration.thresholds = .fitted
      let record = try train(plan, writer, space)
      let data = try #require(HeadSummary(json: record.summary, name: "h").data)
      #expect(data.trainCells == 42 && data.validationCells == 18)
      #expect(data.rows == [[0, 60]])
      let rows = try writer.database.read { try data.rows(in: $0) }
      #expect(rows == RowSet(0..<60))

      // The same cells with another label are other data; a deleted cell leaves the others known.
      let again = try train(plan, writer, space)
      #expect(try HeadSummary(json: again.summary, name: "h").data == data)
      _ = try writer.write { try $0.deleteCells(RowSet([0])) }
      let left = try writer.database.read { try data.rows(in: $0) }
      #expect(left == RowSet(0..<60))
      let counts = try writer.database.read { try DatabasePrediction(headNamed: "h", snapshot: $0) }.write(
        to: writer)
      #expect(counts.cells == 59 && counts.trained == 59)
      let fewer = try train(plan, writer, space)
      #expect(try HeadSummary(json: fewer.summary, name: "h").data?.fingerprint != data.fingerprint)
    }
  }

  @Test func rowsOfAnotherDatabaseAreNotTakenForItsOwn() throws {
    try withDatabase(backbone: "abc") { writer, space in
      let record = try train(plan, writer, space)
      let data = try #require(HeadSummary(json: record.summary, name: "h").data)
      try withTemporaryDirectory { directory in
        let other = try DatabaseWriter(path: "\(directory)/db", create: true)
        try other.write { transaction in
          let image = try transaction.addImage(
            ImageRecord(identity: ContentHash(of: "x"), name: "x", files: [], width: 8, height: 8))
          _ = try transaction.addCells(
            (0..<60).map { CellRecord(image: image, object: .label($0), geometry: nil) }, of: image)
        }
        let rows = try other.database.read { try data.rows(in: $0) }
        #expect(rows == nil)
      }
    }
  }

  /// Wherever a cell was deleted, cells that are numbered anew are not taken for those of the training.
  @Test(arguments: [0, 1, 30, 57, 58, 59]) func rowsThatWereNumberedAnewAreNotKnown(deleted: Row) throws {
    try withDatabase { writer, space in
      let record = try train(plan, writer, space)
      let data = try #require(HeadSummary(json: record.summary, name: "h").data)
      #expect(data.witnesses.first?.row == 0 && data.witnesses.last?.row == 59)
      // The database as a renumbering leaves it, and with cells that came afterwards.
      try withTemporaryDirectory { directory in
        let other = try DatabaseWriter(path: "\(directory)/db", create: true)
        try other.write { transaction in
          for number in 0..<10 {
            let name = "image\(number)"
            let image = try transaction.addImage(
              ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
            let cells = (0..<6).filter { number * 6 + $0 != Int(deleted) }.map {
              CellRecord(image: image, object: .label(UInt32($0 + 1)), geometry: nil)
            }
            _ = try transaction.addCells(cells, of: image)
          }
        }
        #expect(try other.database.read { try data.rows(in: $0) } == nil)
        try other.write { transaction in
          _ = try transaction.addCells(
            [CellRecord(image: 9, object: .label(7), geometry: nil)], of: 9)
        }
        #expect(try other.database.read { try data.rows(in: $0) } == nil)
      }
    }
  }

  @Test func rangesJoinNeighboringRows() {
    #expect(HeadData.ranges(of: []) == [])
    #expect(HeadData.ranges(of: [0, 1, 2, 5, 7, 8]) == [[0, 3], [5, 6], [7, 9]])
  }

  @Test func aFileLeadsAHeadToASpaceOfTheSameBackbone() throws {
    try withDatabase(backbone: "abc") { writer, space in
      let record = try train(plan, writer, space)
      try withTemporaryDirectory { directory in
        let path = "\(directory)/h.safetensors"
        try HeadFile(record).write(to: path, space: space)
        let file = try HeadFile(path: path)
        #expect(try file.head == Head(weights: record.weights, summary: file.summary, name: "h"))
        #expect(try file.summary.json() == record.summary)
        try withDatabase(backbone: "abc", spaceName: "t") { other, _ in
          let taken = try other.database.read { try file.record(named: "g", in: nil, snapshot: $0) }
          #expect(taken.name == "g" && taken.weights == record.weights && taken.summary == record.summary)
        }
        for (backbone, name) in [("abd", "s"), (nil, "s")] {
          try withDatabase(backbone: backbone, spaceName: name) { other, space in
            for space in [nil, space] {
              let fault = #expect(throws: Fault.self) {
                _ = try other.database.read { try file.record(named: "g", in: space, snapshot: $0) }
              }
              #expect(fault?.kind == .usage && fault?.problem.contains("backbone abc") == true)
            }
          }
        }
      }
    }
  }

  @Test func headsOfImportedVectorsGoByTheNameOfTheirSpace() throws {
    try withDatabase { writer, space in
      let record = try train(plan, writer, space)
      let origin = try #require(HeadSummary(json: record.summary, name: "h").space)
      #expect(origin.isSame(as: space))
      #expect(!origin.isSame(as: SpaceRecord(id: 3, name: "t", dimension: 5)))
      #expect(!origin.isSame(as: SpaceRecord(id: 3, name: "s", dimension: 6)))
      #expect(origin.isSame(as: SpaceRecord(id: 3, name: "s", dimension: 5)))
    }
  }

  @Test func filesWithoutAHeadAndNewerOnesAreFaults() throws {
    let fit = try fitHead(
      source: cells.source, labels: try cells.table, configuration: TrainingConfiguration(epochs: 1))
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x.safetensors"
      var file = try AtomicFile(path: path)
      try file.write(fit.head.encodedWeights())
      try file.commit()
      #expect(throws: Fault.self) { try HeadFile(path: path) }
    }
    let json = try HeadSummary(of: fit.head).json()
    let newer = json.replacing("\"version\":2", with: "\"version\":6")
    #expect(newer != json)
    let fault = #expect(throws: Fault.self) { try HeadSummary(json: newer, name: "h") }
    #expect(fault?.kind == .unavailable && fault?.remedy == "use a newer cellvec")
  }

  @Test func aHeadOfOneLabelReadsBackAsItWas() throws {
    let labels = try LabelTable(labels: cells.labels.map { Array($0.prefix(1)) })
    var configuration = TrainingConfiguration(epochs: 3).adapted(to: .single)
    configuration.calibration = .temperature
    configuration.abstainBelow = 0.4
    let fit = try fitHead(
      source: cells.source, labels: labels, validation: Array(40..<60), configuration: configuration)
    let summary = HeadSummary(of: fit.head, training: configuration, course: HeadCourse(of: fit))
    let json = try summary.json()
    #expect(json.contains("\"version\":3") && json.contains("\"task\":\"single\""))
    let read = try HeadSummary(json: json, name: "h")
    #expect(read == summary && read.training?.task == .single && read.thresholds == [0.4, 0.4, 0.4])
    let head = try Head(weights: fit.head.encodedWeights(), summary: read, name: "h")
    #expect(head == fit.head)
    let probabilities = head.probabilities(of: Array(0..<60), in: cells.source)
    for start in stride(from: 0, to: 180, by: 3) {
      #expect(abs(probabilities[start..<start + 3].reduce(0, +) - 1) < 1e-5)
    }
    let curves = json.replacing(
      /"calibration":{"kind":"temperature","temperature":[0-9.e-]+}/,
      with:
        #""calibration":{"kind":"isotonic","curves":[{"x":[0],"y":[0]},{"x":[0],"y":[0]},{"x":[0],"y":[0]}]}"#
    )
    #expect(curves != json)
    #expect(throws: Fault.self) { try HeadSummary(json: curves, name: "h") }
  }

  @Test func whatDoesNotGoWithATaskIsRefused() throws {
    func fault(_ task: ClassificationTask, _ change: (inout TrainingConfiguration) -> Void) -> Fault? {
      var configuration = TrainingConfiguration().adapted(to: task)
      change(&configuration)
      return #expect(throws: Fault.self) { try configuration.validate() }
    }
    #expect(fault(.single) { $0.thresholds = .fitted }?.subject == "fitted thresholds")
    #expect(fault(.single) { $0.calibration = .isotonic }?.subject == "isotonic calibration")
    #expect(fault(.single) { $0.abstainBelow = 1.5 }?.subject == "abstain below")
    #expect(fault(.multi) { $0.abstainBelow = 0.5 }?.subject == "--abstain-below")
    #expect(fault(.single) { $0.loss = .softmax(isBalanced: true, smoothing: 1) }?.subject == "loss")
    #expect(throws: Fault.self) { try TrainingConfiguration().checked(for: .single, hasGrades: true) }
    // A preset's loss gives way to that of the task.
    #expect(
      HeadPreset.subCell.configuration.adapted(to: .single).loss == .softmax(isBalanced: false, smoothing: 0))
    #expect(HeadPreset.subCell.configuration.adapted(to: .multi) == HeadPreset.subCell.configuration)
  }

  @Test func aSummaryOfTheFirstVersionStillLoads() throws {
    let json =
      #"{"architecture":{"dropout":0,"hidden":[]},"classes":["a","b"],"dimension":4,"labelField":"l","#
      + #""thresholds":[0.5,0.5],"training":{"architecture":{"dropout":0,"hidden":[]},"epochs":30,"seed":7,"#
      + #""weightDecay":0.04}}"#
    let summary = try HeadSummary(json: json, name: "h")
    #expect(summary.training == TrainingConfiguration(seed: 7))
    #expect(summary.memberCount == 1 && summary.calibration == nil && summary.data == nil)
  }

  /// They know no mean without deviations, and list no head at all where one has such a mean.
  @Test func earlierProgramsReadAHeadOfWhichOneFoldHasAScore() throws {
    // Of three plates the first has both classes, the others one each.
    let labels = try LabelTable(
      labels: (0..<60).map { (sample: Int) in [["a", "b"][sample < 20 ? sample % 2 : sample / 20 - 1]] })
    let configuration = TrainingConfiguration(epochs: 1).adapted(to: .single)
    let folds = try Folds.grouped(groups: (0..<60).map { $0 / 20 }, labels: labels, k: 3, seed: 0)
    let validation = try crossValidate(
      source: cells.source, labels: labels, folds: folds, configuration: configuration)
    let evaluation = HeadEvaluation(validation, groupField: "plate", foldSeed: 0)
    #expect(evaluation.oneClassFoldCount == 2)
    let kappa = try #require(evaluation.cohenKappa)
    #expect(kappa.sampleSD == nil && evaluation.matthews != nil && evaluation.accuracy?.sampleSD != nil)

    func earlier(_ json: String) throws -> EarlierSummary {
      try JSONDecoder().decode(EarlierSummary.self, from: Data(json.utf8))
    }
    let unchanged = try canonicalJSON(["evaluation": evaluation])
    #expect(throws: DecodingError.self) { try earlier(unchanged) }
    let fit = try fitHead(source: cells.source, labels: labels, configuration: configuration)
    let json = try HeadSummary(of: fit.head, training: configuration, evaluation: evaluation).json()
    let read = try #require(try earlier(json).evaluation)
    #expect(read.folds == 3 && read.oneClassFoldCount == 2)
    #expect(read.accuracy?.sampleSD == evaluation.accuracy?.sampleSD)
    #expect(read.cohenKappa == nil && read.matthews == nil)

    // A record with such a mean is read as well, and written without it.
    let bare = json.replacing("\"evaluation\":{", with: "\"evaluation\":{\"cohenKappa\":{\"mean\":0.25},")
    #expect(bare != json)
    let summary = try HeadSummary(json: bare, name: "h")
    #expect(summary.evaluation?.cohenKappa == Spread([0.25]))
    #expect(try summary.json() == json)
  }

  @Test func everyConfigurationReadsBackAsItWas() throws {
    for preset in HeadPreset.all {
      let head = try fitHead(
        source: cells.source, labels: try cells.table, configuration: TrainingConfiguration(epochs: 1)
      ).head
      let summary = HeadSummary(of: head, training: preset.configuration)
      #expect(try HeadSummary(json: summary.json(), name: "h") == summary)
      #expect(throws: Never.self) { try preset.configuration.validate() }
    }
    #expect(HeadPreset.cellDINO.configuration.trials.count == 48)
    #expect(HeadPreset.subCell.configuration.loss == HeadLoss.Defaults.focal)
  }

  @Test func gradesAreLearnedAsTheirTargets() throws {
    let grades: (Int) -> [String]? = { sample in
      sample == 0 ? nil : cells.labels[sample].map { "\($0):\(1 + sample % 3)" }
    }
    try withDatabase(grades: grades) { writer, space in
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "localization", grouping: .image)
        let soft = try samples.softTargets(field: "grades", targets: .openCell, snapshot: snapshot)
        for sample in 0..<60 {
          for place in samples.labels.classes(of: Int32(sample)).indices {
            let expected: Float = sample == 0 ? 1 : [0.25, 0.5, 1][sample % 3]
            #expect(soft.values[place] == expected)
          }
        }
      }
      var plan = plan
      plan.grades = ("grades", .openCell)
      let graded = try train(plan, writer, space)
      #expect(try train(self.plan, writer, space).weights != graded.weights)
    }
  }

  @Test(arguments: ["nan", "class-0:nan", "class-0:4", "unknown:3"])
  func gradesThatMakeNoSenseAreFaults(entry: String) throws {
    let grades: (Int) -> [String]? = { $0 == 7 ? [entry] : nil }
    try withDatabase(grades: grades) { writer, space in
      let fault = #expect(throws: Fault.self) {
        try writer.database.read { snapshot in
          let samples = try DatabaseSamples(
            snapshot: snapshot, space: space, labelField: "localization", grouping: .image)
          _ = try samples.softTargets(field: "grades", targets: .openCell, snapshot: snapshot)
        }
      }
      #expect(fault?.subject.contains("grades") == true)
      #expect(fault?.kind == .badData)
    }
  }

  @Test(arguments: ["", "3", "3=0", "3=2", "3=nan", "3=1,3=0.5", "=="])
  func gradeTargetsThatMakeNoSenseAreFaults(text: String) {
    #expect(throws: Fault.self) { try GradeTargets(text) }
  }

  @Test func cellsWithoutAClassGetWhatIsAskedFor() throws {
    try withDatabase { writer, space in
      _ = try train(plan, writer, space)
      for (empty, expected) in [
        (EmptyPrediction.keep, 0), (.unknown, 60), (.top1, 60),
      ] {
        let prediction = try writer.database.read {
          try DatabasePrediction(headNamed: "h", threshold: 0.9999, empty: empty, snapshot: $0)
        }
        let counts = try prediction.write(to: writer)
        #expect(counts.empty == 60)
        try writer.database.read { snapshot in
          let found = snapshot.field(named: "predicted_localization")
          let field = try #require(found)
          #expect(try snapshot.rows(withValueIn: field).count == expected)
          let unknown = try snapshot.rows(field, equals: DatabasePrediction.unknownLabel).count
          #expect(unknown == (empty == .unknown ? 60 : 0))
        }
      }
    }
  }
}

/// What programs before single folds had scores read of a head's scores.
private struct EarlierSummary: Decodable {
  struct Spread: Decodable {
    let mean: Double
    let sampleSD: Double
    let populationSD: Double
  }

  struct Evaluation: Decodable {
    let folds: Int
    let foldSeed: UInt64
    let groupField: String?
    let macroF1: Spread
    let microF1: Spread
    let accuracy: Spread?
    let balancedAccuracy: Spread?
    let cohenKappa: Spread?
    let matthews: Spread?
    let oneClassFoldCount: Int?
    let undecidedFoldCount: Int?
    let coverage: Spread?
    let decidedAccuracy: Spread?
    let decidedMacroF1: Spread?
  }

  let evaluation: Evaluation?
}
