import Faults
import Filter
import Identity
import Randomness
import Storage
import TestSupport
import Testing

@Suite struct FilterPropertyTests {
  private static let expressionCount = 100

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func randomExpressionsOnADatabaseEqualBruteForce(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let cells = (0..<60).map { _ in RandomCell(using: &generator) }
    try withTemporaryDirectory { folder in
      let database = try makeDatabase("\(folder)/db", of: cells)
      try database.read { snapshot in
        for _ in 0..<Self.expressionCount {
          let expression = RandomExpression(depth: 4, using: &generator)
          let filter = try Filter(expression.text, parameters: expression.parameters)
          let expected = cells.indices.filter { expression.truth(cells[$0], Row($0)) == true }.map { Row($0) }
          let found = try filter.rows(in: snapshot)
          #expect(found.toArray() == expected, "\(expression.text)")

          // The text that a filter makes of itself means the same, and makes itself again.
          let again = try Filter(filter.description, parameters: expression.parameters)
          #expect(again.description == filter.description)
          try #expect(again.rows(in: snapshot) == found, "\(filter.description)")

          // So does the text of each part of an explanation.
          let parts = try filter.explanation(in: snapshot)
          #expect(parts[0].rows == found)
          for part in parts {
            let own = try expression.parameters.filter { name, _ in try uses(part.text, name) }
            try #expect(Filter(part.text, parameters: own).rows(in: snapshot) == part.rows, "\(part.text)")
          }
        }
      }
    }
  }

  @Test func mutatedFiltersAreReadOrRefusedButNeverCrash() {
    var generator = SeededGenerator(seed: 9)
    let index = MemoryIndex(
      ["gene": .string, "Cell \"Type\"": .string, "dose": .number, "not": .number, "label": .list],
      cells: [[:]])
    let pieces = Array("()'\",=<>!.:%_\\ -+e0xé\u{301}\0") + ["N", "O", "T"]
    for _ in 0..<2000 {
      let expression = RandomExpression(depth: 2, using: &generator)
      var text = Array(expression.text)
      for _ in 0..<Int.random(in: 1...3, using: &generator) where !text.isEmpty {
        let place = Int.random(in: 0..<text.count, using: &generator)
        if generator.next() % 2 == 0 {
          text.remove(at: place)
        } else {
          text.insert(pieces.randomElement(using: &generator)!, at: place)
        }
      }
      do {
        _ = try Filter(String(text), parameters: expression.parameters).rows(in: index)
      } catch {
        #expect((error as? Fault)?.kind == .usage)
      }
    }
  }

  /// Whether a filter reads a parameter: without it, it is a fault.
  private func uses(_ text: String, _ name: String) throws -> Bool {
    text.contains(":\(name) ") || text.contains(":\(name))") || text.contains(":\(name),")
      || text.hasSuffix(":\(name)")
  }

  private func makeDatabase(_ path: String, of cells: [RandomCell]) throws -> Database {
    let writer = try DatabaseWriter(path: path, create: true)
    try writer.write { transaction in
      let fields = try RandomCell.fields.map { try transaction.field(named: $0.key, type: $0.value) }
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 9, height: 9))
      let records = cells.map { cell in
        CellRecord(
          image: image, object: cell.object, geometry: cell.geometry,
          values: Dictionary(
            uniqueKeysWithValues: fields.compactMap { field in
              cell.values[field.name].map { (field.id, $0) }
            }))
      }
      _ = try transaction.appendCells(records, of: image)
    }
    return writer.database
  }
}
