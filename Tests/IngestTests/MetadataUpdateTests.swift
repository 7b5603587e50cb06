import Faults
import Identity
import TestSupport
import Testing

@testable import Ingest
@testable import Storage

/// Two images of three cells each in wells A01 and A02, and an import of two.
private func makeDatabase(_ path: String) throws -> DatabaseWriter {
  let writer = try DatabaseWriter(path: path, create: true)
  try writer.write { transaction in
    let image = try transaction.field(named: "image", type: .string).id
    let well = try transaction.field(named: "well", type: .string).id
    let dose = try transaction.field(named: "dose", type: .number).id
    for name in ["A01", "A02"] {
      let number = try transaction.addImage(
        ImageRecord(
          identity: ContentHash(of: name), name: "p1_\(name)",
          files: [ChannelFile(role: "dna", path: "in/p1_\(name)_dna.png", plane: 0)], width: 4, height: 4))
      let cells = (1...3 as ClosedRange<UInt32>).map { label in
        CellRecord(
          image: number, object: .label(label), geometry: nil,
          values: [image: .string("p1_\(name)"), well: .string(name), dose: .number(1)])
      }
      _ = try transaction.addCells(cells, of: number)
    }
    let vectors = try transaction.addImage(
      ImageRecord(
        identity: ContentHash(of: "v"), name: "v.npy",
        files: [ChannelFile(role: "vectors", path: "v.npy", plane: 0)], width: 0, height: 0))
    _ = try transaction.addCells(
      [0, 1].map { CellRecord(image: vectors, object: .index($0), geometry: nil) }, of: vectors)
  }
  return writer
}

@Suite struct MetadataUpdateTests {
  private func withDatabase(_ body: (DatabaseWriter, _ directory: String) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let writer = try makeDatabase("\(directory)/db")
      try body(writer, directory)
      try writer.database.read { #expect($0.check() == []) }
    }
  }

  private func update(
    _ writer: DatabaseWriter, _ directory: String, table: String, join: String? = nil,
    types: [String: FieldType] = [:], clearsEmpty: Bool = false, among rows: RowSet? = nil
  ) throws -> (update: MetadataUpdate, changed: Int) {
    try writeText(table, to: "\(directory)/t.csv")
    let update = try writer.database.read {
      try MetadataUpdate(
        table: "\(directory)/t.csv", join: join, types: types, clearsEmpty: clearsEmpty, among: rows, in: $0)
    }
    return (update, try update.run(on: writer))
  }

  private func column(_ name: String, of writer: DatabaseWriter) throws -> [String?] {
    let field = try #require(writer.database.read { $0.fields }.first { $0.name == name })
    return try writer.database.read { snapshot in
      try snapshot.allRows().toArray().map { try snapshot.cell(at: $0)?.values[field.id]?.description }
    }
  }

  @Test func linesFindCellsByTheirNumber() throws {
    try withDatabase { writer, directory in
      let (update, changed) = try update(
        writer, directory, table: "cell,image,dose,gene\n1,x,2,BAG6\n7,y,,TP53\n99,z,4,\n")
      #expect(changed == 2)
      #expect(update.unmatchedLines == [4])
      #expect(update.columns.map(\.set) == [1, 2])
      try #expect(column("dose", of: writer) == ["1", "2", "1", "1", "1", "1", nil, nil])
      try #expect(column("gene", of: writer) == [nil, "BAG6", nil, nil, nil, nil, nil, "TP53"])
      try #expect(column("image", of: writer)[1] == "p1_A01")
    }
  }

  @Test func theSameTableAgainChangesNothing() throws {
    try withDatabase { writer, directory in
      let table = "cell,gene\n0,a\n1,b\n"
      try #expect(update(writer, directory, table: table).changed == 2)
      try #expect(update(writer, directory, table: table).changed == 0)
    }
  }

  @Test(arguments: ["name,grade\np1_A02,high\n", "file,grade\np1_A02_dna.png,high\n", "w,grade\nA02,high\n"])
  func linesFindImagesAsIngestDoes(table: String) throws {
    try withDatabase { writer, directory in
      try #expect(update(writer, directory, table: table).changed == 3)
      try #expect(column("grade", of: writer) == [nil, nil, nil, "high", "high", "high", nil, nil])
    }
  }

  @Test func linesFindCellsByFieldsAndLabels() throws {
    try withDatabase { writer, directory in
      let (update, changed) = try update(
        writer, directory, table: "Metadata_well,label,grade\nA01,2,x\nA02,3,y\nA02,9,z\nB01,1,z\n",
        join: "well, label")
      #expect(changed == 2)
      #expect(update.unmatchedLines == [4, 5])
      try #expect(column("grade", of: writer) == [nil, "x", nil, nil, nil, "y", nil, nil])
      try #expect(self.update(writer, directory, table: "dose,n\n1,5\n", join: "dose").changed == 6)
      // Numbers are read as those of a table's values are.
      try #expect(self.update(writer, directory, table: "dose,n\n 1 ,6\n0x1,7\n", join: "dose").changed == 6)
    }
  }

  @Test func emptyEntriesClearOnlyWhenAskedTo() throws {
    try withDatabase { writer, directory in
      let table = "cell,dose\n0,\n1,3\n"
      try #expect(update(writer, directory, table: table).changed == 1)
      let cleared = try update(writer, directory, table: table, clearsEmpty: true)
      #expect(cleared.update.columns[0].cleared == 1)
      try #expect(column("dose", of: writer) == [nil, "3", "1", "1", "1", "1", nil, nil])
    }
  }

  @Test func linesThatContradictOneAnotherChangeNothing() throws {
    try withDatabase { writer, directory in
      let (update, changed) = try update(
        writer, directory, table: "well,gene,grade\nA01,a,1\nA01,b,1\n", join: "well")
      #expect(changed == 3)
      #expect(update.columns.map(\.contradictory) == [3, 0])
      try #expect(column("grade", of: writer)[0] == "1")
    }
  }

  @Test func aSelectionBoundsWhatChanges() throws {
    try withDatabase { writer, directory in
      let result = try update(
        writer, directory, table: "well,gene\nA01,a\nA02,b\n", join: "well", among: RowSet([0, 5, 7]))
      #expect(result.changed == 2)
      try #expect(column("gene", of: writer) == ["a", nil, nil, nil, nil, "b", nil, nil])
    }
  }

  @Test func valuesAreSetAndCleared() throws {
    try withDatabase { writer, _ in
      let update = try writer.database.read {
        try MetadataUpdate(
          setting: [("gene", "a;b"), ("dose", "7")], clearing: ["well"], types: [:], of: RowSet([0, 1]),
          in: $0)
      }
      try #expect(update.run(on: writer) == 2)
      #expect(update.columns.map(\.isNew) == [true, false, false])
      try #expect(column("gene", of: writer)[0] == "a;b")
      try writer.database.read { #expect($0.field(named: "gene")?.type == .list) }
      try #expect(column("dose", of: writer).prefix(3) == ["7", "7", "1"])
      try #expect(column("well", of: writer).prefix(3) == [nil, nil, "A01"])
    }
  }

  @Test func whatCannotBeUsedIsRefused() throws {
    try withDatabase { writer, directory in
      for (table, join, kind) in [
        ("cell,gene\n99,x\n", nil, Fault.Kind.badData), ("cell,dose\n1,x\n", nil, .badData),
        ("cell\n1\n", nil, .badData),
        ("a,b\nq,r\n", nil, .badData), ("well,g\nA01,1\n", "plate", .usage),
        ("plate,g\nA01,1\n", "plate", .usage),
      ] as [(String, String?, Fault.Kind)] {
        let fault = #expect(throws: Fault.self, "\(table)") {
          try update(writer, directory, table: table, join: join)
        }
        #expect(fault?.kind == kind, "\(fault as Any)")
      }
      func refused(_ set: [(field: String, text: String)], _ clear: [String] = []) -> Fault.Kind? {
        #expect(throws: Fault.self) {
          try writer.database.read {
            try MetadataUpdate(setting: set, clearing: clear, types: [:], of: RowSet([0]), in: $0)
          }
        }?.kind
      }
      #expect(refused([("dose", "high")]) == .badData)
      #expect(refused([("dose", "")]) == .usage)
      #expect(refused([("image", "x")]) == .usage)
      #expect(refused([("rank", "x")]) == .usage)
      #expect(refused([("Metadata_cell", "1")]) == .usage)
      #expect(refused([("Metadata_image", "x")]) == .usage)
      #expect(refused([("object", "x")]) == .usage)
      #expect(refused([("dose", "1")], ["dose"]) == .usage)
      #expect(refused([], ["dos"]) == .missingInput)
    }
  }
}
