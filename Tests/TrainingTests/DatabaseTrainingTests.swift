import Faults
import Identity
import Storage
import TestSupport
import Testing

@testable import Training

/// A database of six images of four cells: vectors of two clear classes by turns of images, genes of two images
/// each. The last cell of every image has no label, the first cell of image 0 no gene.
private func fill(_ writer: DatabaseWriter) throws -> SpaceRecord {
  try writer.write { transaction in
    let gene = try transaction.field(named: "gene", type: .string)
    let plate = try transaction.field(named: "plate", type: .number)
    let labels = try transaction.field(named: "localization", type: .list)
    let space = try transaction.addSpace(
      name: "s", dimension: 2)
    for number in 0..<6 {
      let name = "image\(number)"
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
      let cells = (0..<4).map { index in
        var cell = CellRecord(image: image, object: .label(UInt32(index + 1)), geometry: nil)
        if number + index > 0 { cell.values[gene.id] = .string("G\(number / 2)") }
        cell.values[plate.id] = .number(Double(number % 3))
        if index < 3 { cell.values[labels.id] = .list(number.isMultiple(of: 2) ? ["er"] : ["golgi", "er2"]) }
        return cell
      }
      let rows = try transaction.addCells(cells, of: image)
      let sign: Float = number.isMultiple(of: 2) ? 1 : -1
      let vectors = rows.flatMap { [sign, Float($0 % 4) / 10] }
      try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
    }
    return space
  }
}

private func withFilledDatabase(_ body: (DatabaseWriter, SpaceRecord) throws -> Void) throws {
  try withTemporaryDirectory { directory in
    let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
    try body(writer, try fill(writer))
  }
}

extension DatabaseWriter {
  /// Trains a head "h" and keeps it.
  fileprivate func save(_ plan: TrainingPlan, in space: SpaceRecord) throws {
    let outcome = try database.read { snapshot in
      try plan.run(snapshot: snapshot, space: space, headName: "h", threads: 1)
    }
    let head = try #require(outcome.head)
    try write { try $0.saveHead(head) }
  }
}

@Suite struct DatabaseTrainingTests {
  @Test func cellsWithoutLabelOrGroupAreLeftOutAndCounted() throws {
    try withFilledDatabase { writer, space in
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "localization", grouping: .field("gene"))
        #expect(samples.unlabeledCount == 6)
        #expect(samples.ungroupedCount == 1)
        #expect(samples.rows == (0..<24).filter { $0 % 4 < 3 && $0 > 0 })
        #expect(samples.labels.classes == ["er", "er2", "golgi"])
        #expect(samples.labels.positives == [8, 9, 9])
        #expect(samples.groupCount == 3)
        let groups = try #require(samples.groups)
        for (sample, row) in samples.rows.enumerated() { #expect(groups[sample] == Int32(row / 8)) }
      }
    }
  }

  @Test(arguments: [(FoldGrouping.image, Optional(6)), (.field("plate"), 3), (.none, nil)])
  func cellsAreGroupedByImageFieldOrNothing(grouping: FoldGrouping, count: Int?) throws {
    try withFilledDatabase { writer, space in
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "localization", grouping: grouping)
        #expect(samples.groupCount == count)
        #expect(samples.rows.count == 18)
      }
    }
  }

  @Test func importedCellsAreGroupedByTheImageThatTheyName() throws {
    try withFilledDatabase { writer, space in
      // Six cells of one import, two of which name no image.
      let imported = try writer.write { transaction in
        let labels = try transaction.field(named: "localization", type: .list)
        let source = try transaction.field(named: "image", type: .string)
        let image = try transaction.addImage(
          ImageRecord(
            identity: ContentHash(of: "import"), name: "v.npy",
            files: [ChannelFile(role: "vectors", path: "v.npy", plane: 0)], width: 0, height: 0))
        let cells = (0..<6).map { index in
          var cell = CellRecord(image: image, object: .index(UInt32(index)), geometry: nil)
          cell.values[labels.id] = .list(["er"])
          if index > 1 { cell.values[source.id] = .string("field\(index % 2)") }
          return cell
        }
        let rows = try transaction.addCells(cells, of: image)
        let vectors = [Float](repeating: 1, count: rows.count * 2)
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        return rows
      }
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "localization", grouping: .image,
          among: RowSet([0, 4] + imported))
        let groups = try #require(samples.groups)
        #expect(samples.groupCount == 5)
        let ofImport = groups.suffix(6).map { $0 - groups[2] }
        #expect(ofImport[1] == 0 && Set(ofImport).count == 3)
        #expect(ofImport[2] == ofImport[4] && ofImport[3] == ofImport[5])
      }
    }
  }

  @Test func onlySelectedCellsAreLearnedFrom() throws {
    try withFilledDatabase { writer, space in
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "localization", grouping: .none,
          among: RowSet([0, 3, 4, 999]))
        #expect(samples.rows == [0, 4])
        #expect(samples.unlabeledCount == 1)
      }
    }
  }

  @Test(arguments: [
    ("localisation", FoldGrouping.none, Fault.Kind.missingInput, "did you mean \"localization\"?"),
    ("plate", .none, .usage, "--type plate=string"),
    ("localization", .field("gen"), .missingInput, "\"gene\""),
    ("localization", .field("localization"), .usage, "type string or number"),
  ])
  func fieldsThatCannotServeAreFaults(
    labels: String, grouping: FoldGrouping, kind: Fault.Kind, advice: String
  ) throws {
    try withFilledDatabase { writer, space in
      let fault = #expect(throws: Fault.self) {
        try writer.database.read { snapshot in
          _ = try DatabaseSamples(
            snapshot: snapshot, space: space, labelField: labels, grouping: grouping)
        }
      }
      #expect(fault?.kind == kind)
      #expect(fault?.remedy.contains(advice) == true)
    }
  }

  @Test func aSavedHeadPredictsMetadataThatCanBeAskedFor() throws {
    try withFilledDatabase { writer, space in
      let plan = TrainingPlan(labelField: "localization", grouping: .image, folds: 3)
      let outcome = try writer.database.read { snapshot in
        try plan.run(snapshot: snapshot, space: space, headName: "h", threads: 1)
      }
      #expect(outcome.evaluation.macroF1.mean == 1)
      #expect(outcome.evaluation.groupField == "image")
      let head = try #require(outcome.head)
      try writer.write { try $0.saveHead(head) }

      let prediction = try writer.database.read { try DatabasePrediction(headNamed: "h", snapshot: $0) }
      let counts = try prediction.write(to: writer)
      #expect(counts.cells == 24 && counts.empty == 0)
      #expect(counts.perClass.map(\.name) == ["er", "er2", "golgi"])
      #expect(counts.perClass.map(\.cells) == [12, 12, 12])
      try writer.database.read { snapshot in
        let predicted = snapshot.field(named: "predicted_localization")
        let field = try #require(predicted)
        let golgi = try snapshot.rows(field, equals: "golgi")
        #expect(golgi == RowSet((0..<24).filter { $0 / 4 % 2 == 1 }))
        let probabilities = snapshot.field(named: "probability_localization_golgi")
        let probability = try #require(probabilities)
        let likely = try snapshot.rows(probability, from: NumberBound(0.5, isInclusive: false), to: nil)
        #expect(likely == golgi)
        #expect(snapshot.check() == [])
      }
    }
  }

  /// Samples are genes, groups their plates: the cell without a gene is of plate 0, and has no part in either.
  @Test func samplesOfSeveralCellsAreCountedByThemselves() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { transaction in
        let gene = try transaction.field(named: "gene", type: .string)
        let plate = try transaction.field(named: "plate", type: .string)
        let kind = try transaction.field(named: "kind", type: .string)
        let space = try transaction.addSpace(name: "s", dimension: 2)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "i"), name: "i", files: [], width: 8, height: 8))
        let cells = (0..<26).map { number in
          var cell = CellRecord(image: image, object: .label(UInt32(number + 1)), geometry: nil)
          if number < 24 { cell.values[gene.id] = .string("G\(number / 2)") }
          cell.values[plate.id] = .string(number < 24 ? "P\(number / 4)" : "other")
          cell.values[kind.id] = .string(number < 24 ? ["a", "b"][number / 2 % 2] : "c")
          return cell
        }
        let rows = try transaction.addCells(cells, of: image)
        let vectors = rows.flatMap { [Float($0 / 2 % 2), Float($0 % 5) / 10] }
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        return space
      }
      let plan = TrainingPlan(labelField: "kind", unit: .field("gene"), grouping: .field("plate"), folds: 3)
      let outcome = try writer.database.read { try plan.run(snapshot: $0, space: space, threads: 1) }
      #expect(outcome.samples.groupCount == 7 && outcome.samples.labels.classes.count == 3)
      #expect(outcome.sampleCount == 12 && outcome.classCount == 2 && outcome.groupCount == 6)
      #expect(outcome.cellCount == 24 && outcome.withoutSampleCount == 2)
      var ungrouped = plan
      ungrouped.grouping = .none
      #expect(
        try writer.database.read { try ungrouped.run(snapshot: $0, space: space, threads: 1) }.groupCount
          == nil)
    }
  }

  @Test func aThresholdReplacesThoseOfTheHead() throws {
    try withFilledDatabase { writer, space in
      let plan = TrainingPlan(labelField: "localization", grouping: .image, folds: 3)
      try writer.save(plan, in: space)
      let all = try writer.database.read {
        try DatabasePrediction(headNamed: "h", threshold: 0, snapshot: $0)
      }
      try #expect(all.write(to: writer, among: RowSet([5])).perClass.map(\.cells) == [1, 1, 1])
      let fault = #expect(throws: Fault.self) {
        _ = try writer.database.read { try DatabasePrediction(headNamed: "h", threshold: 1, snapshot: $0) }
      }
      #expect(fault?.kind == .usage)
    }
  }

  @Test func whatKeepsAllCellsFromBeingSamplesIsNamed() throws {
    try withFilledDatabase { writer, space in
      func fault(labels: String, grouping: FoldGrouping) throws -> Fault? {
        try writer.database.read { snapshot in
          #expect(throws: Fault.self) {
            try DatabaseSamples(snapshot: snapshot, space: space, labelField: labels, grouping: grouping)
          }
        }
      }
      try writer.write { transaction in
        _ = try transaction.field(named: "empty", type: .string)
        let name = try transaction.field(named: "name", type: .string)
        for row in 0..<24 as Range<Row> {
          try transaction.setValues([name.id: .string(row % 2 == 0 ? "caf\u{E9}" : "cafe\u{301}")], of: row)
        }
      }
      #expect(
        try fault(labels: "empty", grouping: .none)?.description.contains("has a label to learn") == true)
      #expect(
        try fault(labels: "name", grouping: .field("empty"))?.description.hasPrefix(
          "field \"empty\": none of the 24 cells with a label has a value to be grouped by; ") == true)
      #expect(
        try fault(labels: "name", grouping: .none)?.problem
          == "expected one spelling of \"cafe\u{301}\", found \"caf\\u{00E9}\" and \"cafe\\u{0301}\"")
    }
  }

  /// The first cell, spelled in another way than the others, has no gene.
  @Test func onlyLabelsThatAreLearnedNeedOneSpelling() throws {
    try withFilledDatabase { writer, space in
      try writer.write { transaction in
        let name = try transaction.field(named: "name", type: .string)
        for row in 0..<24 as Range<Row> {
          let label = row == 0 ? "cafe\u{301}" : row % 2 == 0 ? "caf\u{E9}" : "tea"
          try transaction.setValues([name.id: .string(label)], of: row)
        }
      }
      try writer.database.read { snapshot in
        let samples = try DatabaseSamples(
          snapshot: snapshot, space: space, labelField: "name", grouping: .field("gene"))
        #expect(samples.ungroupedCount == 1)
        #expect(samples.labels.classes == ["caf\u{E9}", "tea"])
        #expect(samples.labels.positives == [11, 12])
      }
      #expect(throws: Fault.self) {
        try writer.database.read { snapshot in
          _ = try DatabaseSamples(snapshot: snapshot, space: space, labelField: "name", grouping: .none)
        }
      }
    }
  }

  /// Genes are one value a cell: two images of four cells each, the first cell without one.
  @Test func aHeadOfOneLabelPredictsOneWithItsProbability() throws {
    try withFilledDatabase { writer, space in
      let plan = TrainingPlan(labelField: "gene", grouping: .none, folds: 3)
      let outcome = try writer.database.read { snapshot in
        try plan.run(snapshot: snapshot, space: space, headName: "h", threads: 1)
      }
      #expect(outcome.configuration.task == .single)
      let accuracy = try #require(outcome.evaluation.accuracy)
      #expect(accuracy == outcome.evaluation.microF1)
      #expect(outcome.evaluation.cohenKappa != nil && outcome.evaluation.matthews != nil)
      let head = try #require(outcome.head)
      try writer.write { try $0.saveHead(head) }
      let prediction = try writer.database.read { try DatabasePrediction(headNamed: "h", snapshot: $0) }
      let counts = try prediction.write(to: writer)
      #expect(counts.cells == 24 && counts.empty == 0 && counts.perClass.reduce(0) { $0 + $1.cells } == 24)
      try writer.database.read { snapshot in
        let field = try snapshot.requiredField(named: "predicted_gene")
        #expect(field.type == .string && prediction.probabilityField == "probability_gene")
        let probability = try snapshot.requiredField(named: "probability_gene")
        for row in 0..<24 as Range<Row> {
          guard case .number(let value) = try snapshot.listedCell(at: row).values[probability.id] else {
            Issue.record("cell \(row) has no probability")
            continue
          }
          #expect(value >= 1.0 / 3 - 1e-6 && value <= 1)
        }
        #expect(snapshot.fields.count { $0.name.hasPrefix("probability_") } == 1)
      }
      // Two genes have the same vectors, so none is sure.
      let careful = try writer.database.read {
        try DatabasePrediction(headNamed: "h", abstainBelow: 0.9999, snapshot: $0)
      }
      #expect(try careful.write(to: writer).empty == 24)
      let fault = #expect(throws: Fault.self) {
        _ = try writer.database.read { try DatabasePrediction(headNamed: "h", threshold: 0.5, snapshot: $0) }
      }
      #expect(fault?.subject == "--threshold" && fault?.remedy == "use --abstain-below")

      // The same field as one of several labels writes another type, which is refused before the work.
      var several = plan
      several.task = .multi
      try writer.save(several, in: space)
      let type = #expect(throws: Fault.self) {
        _ = try writer.database.read { try DatabasePrediction(headNamed: "h", snapshot: $0) }
      }
      #expect(type?.kind == .usage && type?.subject == "field \"predicted_gene\"")
      let option = #expect(throws: Fault.self) {
        _ = try writer.database.read {
          try DatabasePrediction(headNamed: "h", abstainBelow: 0.5, snapshot: $0)
        }
      }
      #expect(option?.subject == "--abstain-below")
    }
  }

  @Test func headsAreKnownByNameAndSpace() throws {
    try withFilledDatabase { writer, space in
      let fault = #expect(throws: Fault.self) {
        _ = try writer.database.read { try DatabasePrediction(headNamed: "loc", snapshot: $0) }
      }
      #expect(fault?.kind == .missingInput && fault?.remedy == "there are no heads")
      let plan = TrainingPlan(labelField: "localization", grouping: .image, folds: 3)
      try writer.save(plan, in: space)
      let other = try writer.write {
        try $0.addSpace(name: "t", dimension: 2)
      }
      let prediction = try writer.database.read { try DatabasePrediction(headNamed: "h", snapshot: $0) }
      try prediction.require(space)
      #expect(throws: Fault.self) { try prediction.require(other) }
    }
  }
}
