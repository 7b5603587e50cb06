import Faults
import Glibc
import Identity
import Query
import Storage
import TestSupport
import Testing

@testable import Training

/// Heads of neighbors that are kept in one database, and predict there or elsewhere.
@Suite struct NeighborPredictionTests {
  /// On a half circle, cell i at i · 4 degrees, in genes of two: labels "a" and "b" take turns, so that each cell's nearest
  /// others are of the other label. The last two have no label, and the vectors of cells 3 and 4.
  private static let count = 42

  private static func vector(_ cell: Int) -> [Float] {
    let place = cell < 40 ? cell : cell - 37
    // Steps that shrink: of two neighbors the later one is nearer.
    let angle = (0..<place).reduce(0.0) { $0 + 0.08 * (1 - Double($1) / 100) }
    return [Float(cos(angle)), Float(sin(angle))]
  }

  private func withDatabase(
    labelled: Bool = true, scalar: ScalarType = .float32, _ body: (DatabaseWriter, SpaceRecord) throws -> Void
  ) throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { transaction in
        let gene = try transaction.field(named: "gene", type: .string).id
        let label = try transaction.field(named: "l", type: .string).id
        let kind = try transaction.field(named: "kind", type: .string).id
        let space = try transaction.addSpace(name: "s", dimension: 2, scalar: scalar)
        let name = labelled ? "image" : "other"
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
        let cells = (0..<Self.count).map { index in
          var cell = CellRecord(image: image, object: .label(UInt32(index + 1)), geometry: nil)
          cell.values[gene] = .string("G\(index / 2)")
          if labelled, index < 40 {
            cell.values[label] = .string(index.isMultiple(of: 2) ? "a" : "b")
            cell.values[kind] = .string(index.isMultiple(of: 4) || index % 4 == 1 ? "x" : "y")
          }
          return cell
        }
        let rows = try transaction.addCells(cells, of: image)
        let vectors = rows.flatMap { Self.vector(Int($0)) }
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        return space
      }
      try body(writer, space)
    }
  }

  private func head(
    _ writer: DatabaseWriter, _ space: SpaceRecord, unit: SampleUnit = .cell
  ) throws -> HeadRecord {
    var plan = TrainingPlan(
      labelField: unit == .cell ? "l" : "kind", unit: unit, grouping: .none, folds: 2)
    plan.configuration.neighbors = NeighborConfiguration(counts: [1])
    return try writer.database.read {
      try #require(try plan.run(snapshot: $0, space: space, headName: "h", threads: 1).head)
    }
  }

  /// What a head predicts for each cell of a database.
  private func predictions(of record: HeadRecord, in writer: DatabaseWriter) throws -> [String?] {
    try writer.write { try $0.saveHead(record) }
    _ = try writer.database.read { try DatabasePrediction(headNamed: "h", threads: 2, snapshot: $0) }
      .write(to: writer)
    return try writer.database.read { snapshot in
      let field = try snapshot.requiredField(named: "predicted_l")
      return try (0..<Row(Self.count)).map { row in
        guard case .string(let label)? = try snapshot.listedCell(at: row).values[field.id] else { return nil }
        return label
      }
    }
  }

  @Test func noCellVotesOnItselfWhereTheHeadWasMade() throws {
    try withDatabase { writer, space in
      let found = try predictions(of: head(writer, space), in: writer)
      // A cell's nearest other voter is of the other label; cells without a label are the voter that has their vector.
      for cell in 0..<40 { #expect(found[cell] == (cell.isMultiple(of: 2) ? "b" : "a"), "\(cell)") }
      #expect(found[40] == "b" && found[41] == "a")
    }
  }

  @Test func elsewhereACellIsKnownByItsVector() throws {
    try withDatabase { writer, space in
      let record = try head(writer, space)
      try withDatabase(labelled: false) { other, _ in
        let found = try predictions(of: record, in: other)
        for cell in 0..<40 { #expect(found[cell] == (cell.isMultiple(of: 2) ? "b" : "a"), "\(cell)") }
        #expect(found[40] == "a" && found[41] == "b")
      }
    }
  }

  /// A vector of an image that is not in the database, which may be that of a voter before it was kept.
  @Test(arguments: ScalarType.allCases)
  func vectorsFromOutsideHaveNoVoteOnThemselves(scalar: ScalarType) throws {
    try withDatabase(scalar: scalar) { writer, space in
      let stored = try predictions(of: head(writer, space), in: writer)
      let found = try writer.database.read { snapshot in
        try DatabasePrediction(headNamed: "h", threads: 2, snapshot: snapshot)
          .predictions(for: (0..<40).flatMap(Self.vector))
      }
      #expect(found.count == 40)
      for (cell, found) in found.enumerated() {
        let expected = cell.isMultiple(of: 2) ? "b" : "a"
        #expect(found.labels == [expected] && stored[cell] == expected, "\(cell)")
      }
    }
  }

  @Test func vectorsFromOutsideThatASpaceCannotKeepAreFaults() throws {
    try withDatabase(scalar: .float16) { writer, space in
      let record = try head(writer, space)
      try writer.write { try $0.saveHead(record) }
      try writer.database.read { snapshot in
        let prediction = try DatabasePrediction(headNamed: "h", snapshot: snapshot)
        let fault = #expect(throws: Fault.self) { try prediction.predictions(for: [1, 0, 0, 70_000]) }
        #expect(fault?.kind == .badData && fault?.subject.contains("cell 2 of those given, column 1") == true)
        #expect(throws: Fault.self) { try prediction.predictions(for: [.nan, 0]) }
      }
    }
  }

  /// A gene's voter is the mean of its cells, whichever of them are predicted.
  @Test func samplesOfSeveralCellsLeaveOutTheirOwnVoter() throws {
    try withDatabase { writer, space in
      let record = try head(writer, space, unit: .field("gene"))
      let head = try Head(
        weights: record.weights, summary: HeadSummary(json: record.summary, name: "h"), name: "h")
      let neighbors = try #require(head.neighbors)
      // Samples are in the order of their names.
      let names = (0..<20).map { "G\($0)" }.sorted()
      let voterOfCell = (0..<40).map { Int32(names.firstIndex(of: "G\($0 / 2)") ?? -1) }
      #expect(neighbors.voters.count == 20 && neighbors.voters.voterOfCell == voterOfCell)
      let own = OwnVoters(of: neighbors.voters, rows: [[0, 40]])
      let groups = own.groups(
        of: [[0, 1], [41, 6], [40, 41]], in: InMemoryVectors([1, 0, 1, 0, 1, 0], dimension: 2))
      #expect(groups.ofQuery == [0, voterOfCell[6], -1] && groups.ofRow == (0..<20).map(Int32.init))
    }
  }

  @Test func equalVectorsElsewhereAreOneVoter() throws {
    let labels = try LabelTable(labels: [["a"], ["b"], ["a"]])
    let voters = try VoterTable(
      of: InMemoryVectors([1, 0, 0, 1, 1, 0], dimension: 2), samples: [0, 1, 2], labels: labels, targets: nil)
    let own = OwnVoters(of: voters, rows: nil)
    let groups = own.groups(of: [[7], [8]], in: InMemoryVectors([1, 0, 0, 2], dimension: 2))
    #expect(groups.ofRow == [0, 1, 0] && groups.ofQuery == [0, -1])
  }
}
