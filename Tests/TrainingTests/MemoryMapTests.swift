import Faults
import Identity
import Storage
import TestSupport
import Testing

@testable import Training

@Suite struct MemoryMapTests {
  @Test(arguments: ScalarType.allCases)
  func aHeadTrainedInTheMemoryMapEqualsOneTrainedInMemory(scalar: ScalarType) throws {
    let cells = SyntheticCells(count: 700, dimension: 12, classes: 3, signal: 5, seed: 6)
    let configuration = TrainingConfiguration(epochs: 2)
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: directory + "/lab.cellvec", create: true)
      let (rows, space) = try writer.write { transaction in
        let space = try transaction.addSpace(
          name: "s", dimension: 12, scalar: scalar)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(high: 1, low: 2), name: "import", files: [], width: 0, height: 0))
        let rows = try transaction.addCells(
          (0..<701).map { CellRecord(image: image, object: .index($0), geometry: nil) }, of: image)
        try cells.vectors.withUnsafeBufferPointer {
          try transaction.setVectors($0, of: Array(rows.prefix(700)), in: space)
        }
        return (rows, space)
      }
      // Every third cell, last first: samples need not be in the order of rows.
      let samples = Array(stride(from: 699, through: 0, by: -3))
      let labels = try LabelTable(labels: samples.map { cells.labels[$0] })
      let stored = try writer.database.read { snapshot in
        try samples.flatMap { try snapshot.vector(of: rows[$0], in: space) ?? [] }
      }
      if scalar == .float32 { #expect(stored == samples.flatMap { cells.vectors[$0 * 12..<($0 + 1) * 12] }) }
      let expected = try fitHead(
        source: InMemoryVectors(stored, dimension: 12), labels: labels, configuration: configuration)
      try writer.database.read { snapshot in
        let source = try BlockVectors(snapshot: snapshot, space: space, rows: samples.map { rows[$0] })
        #expect(try fitHead(source: source, labels: labels, configuration: configuration) == expected)
        do {
          _ = try BlockVectors(snapshot: snapshot, space: space, rows: [rows[0], rows[700]])
          Issue.record("a cell without a vector was accepted")
        } catch let fault as Fault {
          #expect(fault.problem == "has no vector in space s")
        }
      }
    }
  }
}
