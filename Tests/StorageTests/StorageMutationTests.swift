import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

/// Every decoder of stored bytes is total: whatever a byte says, reading ends in a result or a fault.
@Suite struct StorageMutationTests {
  @Test(arguments: Table.allCases)
  func damagedRecordsNeverTrap(table: Table) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try fillEveryTable(path)
      var generator = SeededGenerator(seed: 11, stream: UInt64(table.rawValue))
      var noticed = 0
      for _ in 0..<25 {
        let undo = try damage(table, of: path, &generator)
        if readEverything(of: path) { noticed += 1 }
        try undo()
      }
      #expect(noticed > 10, "\(noticed) of 25 changes to \(table.name) were noticed")
      try Database(path: path).read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  @Test func aBitmapThatUnderstatesItsRowsIsRefused() throws {
    var rows = RowSet()
    for row in stride(from: Row(0), to: 30_000, by: 3) { rows.insert(row) }
    var bytes = rows.encoded()
    bytes[10] = 0xFF
    bytes[11] = 0x10
    #expect(bytes.withUnsafeBytes { RowSet(decoding: $0, chunk: 0) } == nil)
  }

  @Test(arguments: [1, 5, 4096, 4097, 65536]) func rowSetsComeBackFromTheirBytes(count: Int) {
    let rows = RowSet(131_072..<131_072 + Row(count))
    #expect(rows.encoded().withUnsafeBytes { RowSet(decoding: $0, chunk: 2) } == rows)
    #expect(rows.encoded().withUnsafeBytes { RowSet(decoding: $0, chunk: 1) } == nil)
  }

  private func fillEveryTable(_ path: String) throws {
    let writer = try DatabaseWriter(path: path, create: true)
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string)
      let labels = try transaction.field(named: "labels", type: .list)
      let dose = try transaction.field(named: "dose", type: .number)
      let space = try transaction.addSpace(
        name: "s", dimension: 700, recipe: "{}")
      for name in ["a", "b"] {
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
        let cells = (0..<60).map { index -> CellRecord in
          let values: [UInt16: FieldValue] = [
            gene.id: .string("g\(index % 3)"), labels.id: .list(["x", "y\(index % 2)"]),
            dose.id: .number(Double(index)),
          ]
          return CellRecord(image: image, object: .label(UInt32(index)), geometry: nil, values: values)
        }
        let rows = try transaction.addCells(cells, of: image)
        try [Float](repeating: 1, count: 700 * rows.count).withUnsafeBufferPointer {
          try transaction.setVectors($0, of: rows, in: space)
        }
        try transaction.setOutcome(
          IngestOutcome(found: 60, kept: 60, dropped: [:]), image: image, space: space)
      }
      try transaction.saveHead(HeadRecord(name: "h", space: 0, summary: "{}", weights: [1, 2, 3]))
    }
    for space in try writer.database.read({ $0.spaces }) {
      try putSmallIndex(of: space, in: writer)
      try writer.makeCoarse(of: space)
    }
  }

  /// Changes one entry of a table at random; the closure brings it back.
  private func damage(
    _ table: Table, of path: String, _ generator: inout SeededGenerator
  ) throws -> () throws -> Void {
    let lease = try EnvironmentLease(path: path, isWritable: true)
    var entries: [(key: [UInt8], value: [UInt8])] = []
    let reading = try Transaction(lease.environment, isWriting: false)
    try reading.forEach(table) { entries.append((Array($0), Array($1))) }
    let entry = entries[Int(generator.next() % UInt64(entries.count))]
    var (key, value) = entry
    switch generator.next() % 4 {
    case 0: value.removeLast(min(value.count, 1 + Int(generator.next() % 16)))
    case 1: value.append(contentsOf: [0, 255])
    case 2 where key.count > 1:
      key[Int(generator.next() % UInt64(key.count))] = UInt8(truncatingIfNeeded: generator.next())
    default:
      // Headers carry the most meaning, so half of the changes fall there.
      let reach = generator.next() % 2 == 0 ? min(value.count, 48) : value.count
      for _ in 0..<3 {
        value[Int(generator.next() % UInt64(reach))] = UInt8(truncatingIfNeeded: generator.next())
      }
    }
    let (newKey, newValue) = (Key(bytes: key), value)
    let oldKey = Key(bytes: entry.key)
    try change(lease) { transaction in
      try transaction.delete(table, oldKey)
      try transaction.put(table, newKey, newValue)
    }
    return {
      try change(lease) { transaction in
        try transaction.delete(table, newKey)
        for (key, value) in entries { try transaction.put(table, Key(bytes: key), value) }
      }
    }
  }

  private func change(_ lease: EnvironmentLease, _ body: (borrowing Transaction) throws -> Void) throws {
    let transaction = try Transaction(lease.environment, isWriting: true)
    try body(transaction)
    try transaction.commit()
  }

  /// Uses every way to read; whether something was found to be wrong. Nothing but faults may be thrown.
  private func readEverything(of path: String) -> Bool {
    var isNoticed = false
    func attempt(_ body: () throws -> Void) {
      do {
        try body()
      } catch {
        #expect(error is Fault, "\(error)")
        if (error as? Fault)?.kind != .cancelled { isNoticed = true }
      }
    }
    attempt {
      try Database(path: path).read { snapshot in
        if !snapshot.check().isEmpty { isNoticed = true }
        attempt { for row in try snapshot.allRows().toArray().prefix(200) { _ = try snapshot.cell(at: row) } }
        for image in 0..<3 as Range<UInt32> { attempt { _ = try snapshot.image(image) } }
        for field in snapshot.fields {
          attempt { _ = try snapshot.distinctTexts(field) }
          attempt { _ = try snapshot.rows(field, equals: "g1").toArray() }
          attempt { _ = try snapshot.rows(field, among: ["g1", "g2", "none"]).toArray() }
          attempt { _ = try snapshot.rows(field) { $0.first == UInt8(ascii: "g") }.toArray() }
          attempt { _ = try snapshot.texts(of: field, atMost: 1000) }
          attempt { _ = try snapshot.rows(field, among: [1, 3]).toArray() }
          attempt { _ = try snapshot.rows(field, from: NumberBound(3, isInclusive: true), to: nil).toArray() }
          attempt { _ = try snapshot.rows(withValueIn: field).count }
        }
        for property in CellProperty.allCases {
          attempt { _ = try snapshot.rows(property) { $0 > 2 }.toArray() }
        }
        for space in snapshot.spaces {
          attempt {
            var sum: Float = 0
            try snapshot.forEachBlock(of: space, containing: snapshot.allRows()) { block in
              for row in block.rows { sum += block.vector(of: row)[0] }
            }
          }
          attempt { _ = try snapshot.outcome(image: 0, space: space) }
          attempt { _ = try snapshot.index(of: space)?.codedRows() }
        }
        attempt { _ = try snapshot.heads() }
      }
    }
    attempt {
      let writer = try DatabaseWriter(path: path, create: false)
      try writer.write { transaction in
        _ = try transaction.addCells([CellRecord(image: 0, object: .whole, geometry: nil)], of: 0)
        try transaction.setValues([0: .string("new")], of: 0)
        throw Fault(.cancelled, "", "the test takes the change back")
      }
    }
    return isNoticed
  }
}
