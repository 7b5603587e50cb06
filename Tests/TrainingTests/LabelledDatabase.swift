import Identity
import Storage
import TestSupport
import Testing

@testable import Training

/// A database of 60 genes of 1 to 4 cells in two images each: the space "good" knows the labels, "noise" does not, and
/// "part" lacks the cells of the first ten genes. Cell 3 has the vectors of cell 100, and the last cell no label.
struct LabelledDatabase {
  /// Two repetitions of three folds of a few epochs.
  static let plan = EvaluationPlan(
    labelField: "localization", grouping: .field("gene"),
    design: EvaluationDesign(folds: 3, repeats: 2, resamplings: 50, seed: 1),
    configuration: TrainingConfiguration(epochs: 5, learningRate: 0.03, seed: 1))

  let writer: DatabaseWriter
  let cells = SyntheticCells(count: 150, dimension: 8, classes: 3, signal: 6, seed: 4)

  /// - Parameters:
  ///   - pixels: of images with other ones, another word.
  ///   - good: the name of the space "good".
  ///   - backbone: what made its vectors; nil where they are imported.
  init(
    in directory: String, pixels: String = "", good: String = "good", backbone: String? = nil
  ) throws {
    writer = try DatabaseWriter(path: "\(directory)/db", create: true)
    try fill(pixels: pixels, good: good, backbone: backbone)
  }

  private func fill(pixels: String, good: String, backbone: String?) throws {
    let cells = cells
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string)
      let source = try transaction.field(named: "source", type: .string)
      let labels = try transaction.field(named: "localization", type: .list)
      let recipe = backbone.map { _ in "{}" }
      let spaces = [
        try transaction.addSpace(name: good, dimension: 8, recipe: recipe, backboneHash: backbone),
        try transaction.addSpace(name: "noise", dimension: 8),
        try transaction.addSpace(name: "part", dimension: 8),
      ]
      var row = 0
      for number in 0..<50 {
        let name = "image\(number)"
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: name + pixels), name: name, files: [], width: 8, height: 8))
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
      var sides: EvaluationPlan.Transfer?
      if let transfer {
        let field = try snapshot.requiredField(named: "source")
        sides = EvaluationPlan.Transfer(
          train: try snapshot.rows(field, equals: transfer.train),
          test: try snapshot.rows(field, equals: transfer.test))
      }
      return try outcome(plan, spaces: spaces, threads: threads, transfer: sides, in: snapshot)
    }
  }

  /// Heads of the space "good" that learn from the cells below a row, and are tested on the others.
  func outcome(_ plan: EvaluationPlan, testedFrom row: Row) throws -> EvaluationOutcome {
    try writer.database.read { snapshot in
      let sides = EvaluationPlan.Transfer(train: RowSet(0..<row), test: RowSet(row..<150))
      return try outcome(plan, spaces: ["good"], threads: 2, transfer: sides, in: snapshot)
    }
  }

  private func outcome(
    _ plan: EvaluationPlan, spaces: [String], threads: Int, transfer: EvaluationPlan.Transfer?,
    in snapshot: borrowing Snapshot
  ) throws -> EvaluationOutcome {
    var records: [SpaceRecord] = []
    for name in spaces {
      records.append(try #require(snapshot.spaces.first { space in space.name == name }))
    }
    return try plan.run(
      snapshot: snapshot,
      spaces: records.map { ($0, Evaluation.Space(name: $0.name, dimension: $0.dimension)) },
      transfer: transfer, threads: threads)
  }
}

extension LabelledDatabase {
  /// Heads of the space "good" tested on the cells of another database; nil ranges are all cells.
  func outcome(
    _ plan: EvaluationPlan, teaching: Range<Row>? = nil, testedOn other: LabelledDatabase,
    _ tested: Range<Row>? = nil
  ) throws -> EvaluationOutcome {
    try writer.database.read { snapshot in
      try other.writer.database.read { otherSnapshot in
        let space = try #require(snapshot.spaces.first { space in space.name == "good" })
        return try plan.run(
          snapshot: snapshot,
          spaces: [(space, Evaluation.Space(name: space.name, dimension: space.dimension))],
          among: teaching.map { RowSet($0) }, testedOn: otherSnapshot,
          EvaluationPlan.OtherDatabase(name: "other", selection: tested.map { RowSet($0) }), threads: 2)
      }
    }
  }
}

extension LabelledDatabase {
  /// Deletes the first image with its cells, whose numbers are not given out again.
  func deleteFirstImage() throws {
    try writer.write { transaction in
      let images = try transaction.deleteCells(RowSet(0..<3))
      try transaction.forgetImages(images)
    }
  }
}

func withDatabase(
  pixels: String = "", good: String = "good", backbone: String? = nil,
  _ body: (LabelledDatabase) throws -> Void
) throws {
  try withTemporaryDirectory {
    try body(LabelledDatabase(in: $0, pixels: pixels, good: good, backbone: backbone))
  }
}
