import Faults
import Filter
import Identity
import Query
import Randomness
import Storage
import TestSupport
import Testing

private let dimension = 24
private let genes = ["TP53", "SON", "ACTB"]
private let labels = ["cytosol", "nucleus", "nucleoli"]

/// A cell of the test's database, as the oracle knows it.
private struct KnownCell {
  let gene: String?
  let localization: [String]?
  let dose: Double?
  let vector: [Float]?

  init(using generator: inout SeededGenerator) {
    gene = generator.next() % 4 == 0 ? nil : genes.randomElement(using: &generator)
    let some = labels.filter { _ in generator.next() % 2 == 0 }
    localization = some.isEmpty ? nil : some
    dose = generator.next() % 4 == 0 ? nil : Double(generator.next() % 7) - 3
    vector =
      generator.next() % 5 == 0 ? nil : (0..<dimension).map { _ in Float(generator.normal()) }
  }
}

/// Fills a database in three transactions, so that blocks and indexes are extended.
private func fill(_ path: String, with cells: [KnownCell]) throws -> SpaceRecord {
  let writer = try DatabaseWriter(path: path, create: true)
  let space = try writer.write {
    try $0.addSpace(
      name: "test", dimension: dimension)
  }
  for part in 0..<3 {
    let range = cells.count * part / 3..<cells.count * (part + 1) / 3
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string).id
      let localization = try transaction.field(named: "localization", type: .list).id
      let dose = try transaction.field(named: "dose", type: .number).id
      let image = try transaction.addImage(
        ImageRecord(
          identity: ContentHash(high: 0, low: UInt64(part)), name: "part \(part)", files: [], width: 0,
          height: 0))
      let records = cells[range].enumerated().map { index, cell in
        var values: [UInt16: FieldValue] = [:]
        values[gene] = cell.gene.map { .string($0) }
        values[localization] = cell.localization.map { .list($0) }
        values[dose] = cell.dose.map { .number($0) }
        return CellRecord(image: image, object: .index(UInt32(index)), geometry: nil, values: values)
      }
      let rows = try transaction.addCells(records, of: image)
      #expect(rows == range.map { Row($0) })
      let embedded = range.filter { cells[$0].vector != nil }
      try embedded.flatMap { cells[$0].vector ?? [] }.withUnsafeBufferPointer {
        try transaction.setVectors($0, of: embedded.map { Row($0) }, in: space)
      }
    }
  }
  return space
}

@Suite struct DatabaseSearchTests {
  @Test func filteredSearchOfADatabaseEqualsBruteForce() throws {
    var generator = SeededGenerator(seed: 12)
    let cells = (0..<700).map { _ in KnownCell(using: &generator) }
    let filters: [(text: String, matches: (KnownCell) -> Bool)] = [
      ("gene IS NULL OR gene IS NOT NULL", { _ in true }),
      ("gene = 'TP53'", { $0.gene == "TP53" }),
      ("NOT gene = 'TP53'", { $0.gene.map { $0 != "TP53" } ?? false }),
      ("gene IN ('SON', 'nobody')", { $0.gene == "SON" }),
      (
        "localization HAS ALL ('cytosol', 'nucleus')",
        { $0.localization?.prefix(2) == ["cytosol", "nucleus"] }
      ),
      ("NOT localization HAS 'nucleoli'", { $0.localization.map { !$0.contains("nucleoli") } ?? false }),
      ("localization IS NULL", { $0.localization == nil }),
      ("dose = 0", { $0.dose == 0 }),
      ("dose != -1", { $0.dose.map { $0 != -1 } ?? false }),
      ("dose > -1 AND dose <= 2", { $0.dose.map { $0 > -1 && $0 <= 2 } ?? false }),
      ("dose NOT BETWEEN -2 AND 2", { $0.dose.map { abs($0) > 2 } ?? false }),
      ("gene = 'SON' AND dose >= 3", { $0.gene == "SON" && ($0.dose ?? 0) >= 3 }),
      ("gene = 'SON' AND gene = 'TP53'", { _ in false }),
    ]
    try withTemporaryDirectory { folder in
      let path = "\(folder)/test.cellvec"
      let space = try fill(path, with: cells)
      let oracle = MemoryVectors(cells.map(\.vector), dimension: dimension, rowsPerBlock: 50)
      let query = (0..<dimension).map { _ in Float(generator.normal()) }
      try Database(path: path).read { snapshot in
        for filter in filters {
          let rows = try Filter(filter.text).rows(in: snapshot)
          let expected = RowSet(cells.indices.filter { filter.matches(cells[$0]) }.map { Row($0) })
          #expect(rows == expected, "\(filter.text)")
          let found = try snapshot.nearest(
            to: query, count: 1, k: 12, in: space, among: rows, threads: 2)
          let nearest = oracle.bruteForce(query, k: 12, among: expected)
          #expect(found[0].map(\.row) == nearest.map(\.row), "\(filter.text)")
        }
      }
    }
  }

  /// Cells, a database of them, and a query, for tests of what a search makes of fields.
  private func withCells(
    seed: UInt64,
    _ body: (
      [KnownCell], MemoryVectors, _ query: [Float], SpaceRecord, borrowing Snapshot
    ) throws -> Void
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let cells = (0..<700).map { _ in KnownCell(using: &generator) }
    let query = (0..<dimension).map { _ in Float(generator.normal()) }
    let oracle = MemoryVectors(cells.map(\.vector), dimension: dimension, rowsPerBlock: 50)
    try withTemporaryDirectory { folder in
      let path = "\(folder)/test.cellvec"
      let space = try fill(path, with: cells)
      try Database(path: path).read { try body(cells, oracle, query, space, $0) }
    }
  }

  @Test func theNearestOfEachValueAreThoseOfBruteForce() throws {
    try withCells(seed: 31) { cells, oracle, query, space, snapshot in
      let all = RowSet(0..<Row(cells.count))
      for (name, value) in [
        ("gene", { (cell: KnownCell) in cell.gene }), ("dose", { cell in cell.dose.map { "\($0)" } }),
      ] {
        var seen: Set<String> = []
        let expected = oracle.bruteForce(query, k: cells.count, among: all).map(\.row).filter { row in
          value(cells[Int(row)]).map { seen.insert($0).inserted } ?? false
        }
        let field = try snapshot.requiredField(named: name)
        for k in [1, 2, 5, .max] {
          let found = try snapshot.nearest(
            to: query + query, count: 2, k: k, in: space, distinct: field, threads: 2)
          #expect(found.map { $0.map(\.row) } == Array(repeating: Array(expected.prefix(k)), count: 2))
        }
        let some = RowSet((0..<Row(cells.count)).filter { $0 % 3 == 0 })
        let found = try snapshot.nearest(to: query, count: 1, k: 3, in: space, distinct: field, among: some)
        #expect(found[0].allSatisfy { $0.row % 3 == 0 } && found[0].count == min(3, seen.count))
      }
      let lists = try snapshot.requiredField(named: "localization")
      #expect(throws: Fault.self) {
        try snapshot.nearest(to: query, count: 1, k: 3, in: space, distinct: lists)
      }
    }
  }

  @Test func valuesAreComparedByTheMeansOfTheirCells() throws {
    try withCells(seed: 32) { cells, _, query, space, snapshot in
      func cosine(_ a: [Double], _ b: [Double]) -> Double {
        func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
      }
      func mean(of cells: [KnownCell]) -> [Double] {
        cells.reduce(into: Array(repeating: 0.0, count: dimension)) { sum, cell in
          let vector = (cell.vector ?? []).map { Double($0) }
          let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
          for i in vector.indices { sum[i] += vector[i] / norm }
        }
      }
      let embedded = cells.enumerated().filter { $0.element.vector != nil && $0.offset % 2 == 0 }.map(
        \.element)
      for (name, values) in [
        ("gene", { (cell: KnownCell) in cell.gene.map { [$0] } ?? [] }),
        ("localization", { cell in cell.localization ?? [] }),
      ] {
        let field = try snapshot.requiredField(named: name)
        let even = RowSet((0..<Row(cells.count)).filter { $0 % 2 == 0 })
        let found = try snapshot.nearestGroups(
          to: query, count: 1, k: .max, by: field, in: space, among: even)[0]
        let expected = Set(cells.flatMap(values)).map { value in
          let members = embedded.filter { values($0).contains(value) }
          return (value, members.count, cosine(query.map { Double($0) }, mean(of: members)))
        }.sorted { $0.2 > $1.2 }
        #expect(found.map(\.value) == expected.map(\.0))
        #expect(found.map(\.count) == expected.map(\.1))
        for (found, expected) in zip(found, expected) {
          #expect(abs(Double(found.similarity) - expected.2) < 1e-6)
        }
      }
      let dose = try snapshot.requiredField(named: "dose")
      #expect(throws: Fault.self) {
        try snapshot.nearestGroups(to: query, count: 1, k: 3, by: dose, in: space)
      }

      let some = RowSet((0..<Row(cells.count)).filter { $0 % 5 == 0 })
      let found = try #require(try snapshot.meanVector(of: some, in: space))
      let members = cells.enumerated().filter { $0.offset % 5 == 0 && $0.element.vector != nil }.map(
        \.element)
      #expect(cosine(found.map { Double($0) }, mean(of: members)) > 1 - 1e-12)
      #expect(try snapshot.meanVector(of: RowSet(), in: space) == nil)
    }
  }
}
