import Faults
import Formats
import TestSupport
import Testing

@testable import Ingest
@testable import Storage

@Suite struct VectorImportTests {
  private func writeVectors(_ path: String, count: Int, dimension: Int) throws -> [Float] {
    let values = (0..<count * dimension).map { Float($0 % 97) / 7 }
    var writer = try NPYWriter(path: path, dimension: dimension)
    try writer.write(values)
    try writer.close()
    return values
  }

  /// How many vectors an import has added.
  private func run(
    _ vectors: String, metadata: String? = nil, space: String = "s", into writer: DatabaseWriter,
    stopsEarly: Bool = false
  ) throws -> Int {
    try outcome(vectors, metadata: metadata, space: space, into: writer, stopsEarly: stopsEarly).added
  }

  private func outcome(
    _ vectors: String, metadata: String? = nil, space: String = "s", into writer: DatabaseWriter,
    stopsEarly: Bool = false
  ) throws -> VectorImport.Outcome {
    let source = try VectorImport(vectors: vectors, metadata: metadata, types: [:], existing: [])
    var commits = 0
    return try source.run(
      into: space, of: writer, isCancelled: { stopsEarly && commits > 0 }, progress: { _ in commits += 1 })
  }

  @Test func theCellsOfAnArrayAreToldWheneverItIsImported() throws {
    try withTemporaryDirectory { directory in
      for (name, count) in [("a", 30), ("b", 20), ("c", 2)] {
        _ = try writeVectors("\(directory)/\(name).npy", count: count, dimension: 3)
      }
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      func cells(_ name: String, space: String = "s") throws -> ClosedRange<Row>? {
        try outcome("\(directory)/\(name).npy", space: space, into: writer).cells
      }
      #expect(try cells("a") == 0...29)
      #expect(try cells("b") == 30...49)
      // Again, and in another space, they are the same cells.
      #expect(try cells("a") == 0...29)
      #expect(try cells("b", space: "t") == 30...49)
      try writer.write { _ = try $0.deleteCells(RowSet([30, 35, 49])) }
      #expect(try cells("b") == 31...48)
      #expect(try cells("c") == 50...51)
      try writer.write { _ = try $0.deleteCells(RowSet([50, 51])) }
      #expect(try outcome("\(directory)/c.npy", into: writer) == .init(added: 0, cells: nil))
      // Those that come back are behind all others, but not the last of the array.
      try writer.write { try $0.forgetImages($0.deleteCells(RowSet([0, 1]))) }
      #expect(try outcome("\(directory)/a.npy", into: writer) == .init(added: 2, cells: 2...53))
      #expect(try outcome("\(directory)/a.npy", into: writer) == .init(added: 0, cells: 2...53))
    }
  }

  @Test func whatIsImportedIsExportedEqual() throws {
    try withTemporaryDirectory { directory in
      let values = try writeVectors("\(directory)/v.npy", count: 250, dimension: 7)
      let table = "gene,dose\n" + (0..<250).map { "g\($0 % 3),\($0)\n" }.joined()
      try writeText(table, to: "\(directory)/m.csv")
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/v.npy", metadata: "\(directory)/m.csv", into: writer) == 250)
      try writer.database.read { snapshot in
        let export = try VectorExport(space: snapshot.spaces[0], rows: snapshot.allRows(), of: snapshot)
        try #expect(export.writeVectors(to: "\(directory)/out.npy", of: snapshot) == 250)
        try export.writeMetadata(to: "\(directory)/out.csv", of: snapshot)
        #expect(snapshot.check() == [])
      }
      let out = try NPYMatrix(path: "\(directory)/out.npy")
      #expect(out.withUnsafeValues { Array($0) } == values)
      let exported = try CSVTable(path: "\(directory)/out.csv")
      #expect(exported.columns == ["cell", "gene", "dose"])
      #expect(exported.rows[249] == ["249", "g0", "249"])
    }
  }

  @Test func aNewSpaceIsGivenAPlainName() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 2, dimension: 3)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let fault = #expect(throws: Fault.self) {
        try run("\(directory)/v.npy", space: "a\nb", into: writer)
      }
      #expect(fault?.kind == .usage)
      #expect(try writer.database.read { $0.spaces }.isEmpty)
      // One that has such a name since before takes vectors.
      try writer.write { _ = try $0.addSpace(name: "a\nb", dimension: 3) }
      #expect(try run("\(directory)/v.npy", space: "a\nb", into: writer) == 2)
    }
  }

  /// "007" is read as a number where it has to be one, but does not hide what is none.
  @Test func aTextAmongNumbersIsFoundBeforeAnythingIsWritten() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 3, dimension: 3)
      try writeText("dose\n007\n1\nabc\n", to: "\(directory)/m.csv")
      let fault = #expect(throws: Fault.self) {
        try VectorImport(
          vectors: "\(directory)/v.npy", metadata: "\(directory)/m.csv", types: ["dose": .number],
          existing: [])
      }
      #expect(fault?.description.contains("m.csv line 4: expected a number") == true)
    }
  }

  @Test func theSameArrayAgainChangesNothing() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 10, dimension: 3)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/v.npy", into: writer) == 10)
      #expect(try run("\(directory)/v.npy", into: writer) == 0)
      try writer.database.read { snapshot in try #expect(snapshot.rowLimit() == 10) }
    }
  }

  @Test func deletedCellsStayDeletedAndTheOthersKeepTheirPlace() throws {
    try withTemporaryDirectory { directory in
      let values = try writeVectors("\(directory)/v.npy", count: 10, dimension: 3)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try run("\(directory)/v.npy", into: writer)
      try writer.write { _ = try $0.deleteCells(RowSet([0, 4, 9])) }
      try writeText("gene\n" + (0..<10).map { "g\($0)\n" }.joined(), to: "\(directory)/m.csv")
      #expect(try run("\(directory)/v.npy", metadata: "\(directory)/m.csv", into: writer) == 0)
      // Another space takes all of the array: deleted cells come back there, as new ones.
      #expect(try run("\(directory)/v.npy", metadata: "\(directory)/m.csv", space: "t", into: writer) == 10)
      try writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.rows(in: snapshot.spaces[0]).toArray() == [1, 2, 3, 5, 6, 7, 8])
        try #expect(snapshot.rows(in: snapshot.spaces[1]).toArray() == [1, 2, 3, 5, 6, 7, 8, 10, 11, 12])
        for (row, position) in [(5, 5), (8, 8), (10, 0), (11, 4), (12, 9)] as [(Row, Int)] {
          try #expect(snapshot.cell(at: row)?.values[0] == .string("g\(position)"))
          try #expect(
            snapshot.vector(of: row, in: snapshot.spaces[1]) == Array(values[position * 3..<position * 3 + 3])
          )
        }
      }
      // Deleted with what became of the array, they come back in its place in the first space too.
      try writer.write { try $0.forgetImages($0.deleteCells(RowSet([1, 10]))) }
      #expect(try run("\(directory)/v.npy", into: writer) == 4)
      try writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.rows(in: snapshot.spaces[0]).count == 10)
      }
    }
  }

  @Test func anInterruptedImportContinues() throws {
    try withTemporaryDirectory { directory in
      let part = VectorImport.rowsPerCommit(dimension: 1)
      let count = part + 25_000
      _ = try writeVectors("\(directory)/v.npy", count: count, dimension: 1)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/v.npy", into: writer, stopsEarly: true) == part)
      #expect(try run("\(directory)/v.npy", into: writer) == 25_000)
      try writer.database.read { snapshot in
        try #expect(snapshot.rows(in: snapshot.spaces[0]) == RowSet(0..<Row(count)))
        try #expect(
          snapshot.vector(of: Row(count - 1), in: snapshot.spaces[0]) == [Float((count - 1) % 97) / 7])
      }
    }
  }

  @Test func anInterruptedImportContinuesWithItsTable() throws {
    try withTemporaryDirectory { directory in
      let part = VectorImport.rowsPerCommit(dimension: 1)
      let count = 2 * part + 100
      _ = try writeVectors("\(directory)/v.npy", count: count, dimension: 1)
      let lines = (0..<count).map { "g\($0 % 7),\($0 % 5 == 0 ? "" : "\($0)"),a;b\($0 % 3)\n" }
      try writeText("gene,dose,labels\n" + lines.joined(), to: "\(directory)/m.csv")
      let (npy, csv) = ("\(directory)/v.npy", "\(directory)/m.csv")
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run(npy, metadata: csv, into: writer, stopsEarly: true) == part)
      try writer.write { _ = try $0.deleteCells(RowSet([3])) }
      // The deleted cell belongs to an array that is not done.
      #expect(try run(npy, metadata: csv, into: writer) == part + 101)
      try writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        for (row, position) in [(2, 2), (part, 3), (part + 1, part), (count, count - 1)] {
          let found = try snapshot.cell(at: Row(row))
          let cell = try #require(found)
          #expect(cell.object == .index(UInt32(position)))
          #expect(
            cell.values
              == [
                0: .string("g\(position % 7)"), 1: position % 5 == 0 ? nil : .number(Double(position)),
                2: .list(["a", "b\(position % 3)"]),
              ].compactMapValues { $0 })
          try #expect(
            snapshot.vector(of: Row(row), in: snapshot.spaces[0]) == [Float(position % 97) / 7])
        }
      }
    }
  }

  @Test func aCommitHoldsWholeBlocksAndABoundedNumberOfBytes() {
    for dimension in [1, 2, 383, 384, 768, 1000, SpaceRecord.dimensionLimit] {
      let rows = VectorImport.rowsPerCommit(dimension: dimension)
      #expect(rows > 0 && rows <= 65_536 && rows * dimension * 4 <= VectorImport.bytesPerCommit)
      #expect(rows.isMultiple(of: SpaceRecord.rowsPerBlock(dimension: dimension)))
    }
  }

  @Test func anArrayHasTheSameCellsInEverySpace() throws {
    try withTemporaryDirectory { directory in
      let values = try writeVectors("\(directory)/v.npy", count: 10, dimension: 3)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/v.npy", space: "s", into: writer) == 10)
      #expect(try run("\(directory)/v.npy", space: "t", into: writer) == 10)
      try writer.database.read { snapshot in
        try #expect(snapshot.rowLimit() == 10)
        for space in snapshot.spaces {
          let stored = try (0..<10).flatMap { try snapshot.vector(of: $0, in: space) ?? [] }
          #expect(stored == values)
        }
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func anImportThatWasInterruptedInOneSpaceIsWholeInAnother() throws {
    try withTemporaryDirectory { directory in
      let part = VectorImport.rowsPerCommit(dimension: 1)
      let count = part + 25_000
      _ = try writeVectors("\(directory)/v.npy", count: count, dimension: 1)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/v.npy", space: "s", into: writer, stopsEarly: true) == part)
      #expect(try run("\(directory)/v.npy", space: "t", into: writer) == count)
      #expect(try run("\(directory)/v.npy", space: "s", into: writer) == 25_000)
      try writer.database.read { snapshot in
        for space in snapshot.spaces {
          try #expect(snapshot.rows(in: space) == RowSet(0..<Row(count)))
          try #expect(
            snapshot.vector(of: Row(part + 1), in: space) == [Float((part + 1) % 97) / 7])
        }
      }
    }
  }

  @Test func equalNumbersInAnotherShapeAreAnotherArray() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/a.npy", count: 40, dimension: 4)
      _ = try writeVectors("\(directory)/b.npy", count: 20, dimension: 8)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try run("\(directory)/a.npy", space: "s", into: writer) == 40)
      #expect(try run("\(directory)/b.npy", space: "t", into: writer) == 20)
      try writer.database.read { snapshot in try #expect(snapshot.rowLimit() == 60) }
    }
  }

  @Test func aTableUpdatesTheCellsOfAnArrayThatIsThere() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 2, dimension: 3)
      try writeText("gene,dose\nX,1\nY,2\n", to: "\(directory)/old.csv")
      try writeText("gene,dose\nZ,3\n,4\n", to: "\(directory)/new.csv")
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try run("\(directory)/v.npy", metadata: "\(directory)/old.csv", into: writer)
      #expect(try run("\(directory)/v.npy", metadata: "\(directory)/new.csv", into: writer) == 0)
      try writer.database.read { snapshot in
        let cells = try (0..<2).map { try snapshot.cell(at: $0)?.values }
        #expect(cells == [[0: .string("Z"), 1: .number(3)], [0: .string("Y"), 1: .number(4)]])
        try #expect(snapshot.rowLimit() == 2)
      }
    }
  }

  @Test func anExportComesBackWithoutItsColumnOfCells() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 2, dimension: 3)
      try writeText("cell,gene\n7,X\n9,Y\n", to: "\(directory)/m.csv")
      let source = try VectorImport(
        vectors: "\(directory)/v.npy", metadata: "\(directory)/m.csv", types: [:], existing: [])
      #expect(source.skippedColumns == ["cell"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try source.run(into: "s", of: writer, isCancelled: { false }, progress: { _ in })
      try writer.database.read { snapshot in #expect(snapshot.fields.map(\.name) == ["gene"]) }
    }
  }

  @Test func typesAndColumnsThatDoNotFitAreRefusedBeforeAnythingIsWritten() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 1, dimension: 3)
      func problem(_ table: String?, types: [String: FieldType]) throws -> String? {
        if let table { try writeText(table, to: "\(directory)/m.csv") }
        let fault = #expect(throws: Fault.self) {
          try VectorImport(
            vectors: "\(directory)/v.npy", metadata: table.map { _ in "\(directory)/m.csv" }, types: types,
            existing: [Field(id: 0, name: "gene", type: .string)])
        }
        return fault?.description
      }
      #expect(
        try problem("gene\nX\n", types: ["gene": .list])?.hasPrefix("--type gene=list: expected string")
          == true)
      #expect(
        try problem("gene\nX\n", types: ["gen": .list])?.hasPrefix("--type gen: names no column") == true)
      #expect(try problem(nil, types: ["gene": .list])?.hasPrefix("--type gene: names no column") == true)
      #expect(
        try problem("gene,Metadata_gene\nX,Y\n", types: [:])?.hasPrefix(
          "columns \"gene\" and \"Metadata_gene\"")
          == true)
    }
  }

  @Test func aTextInAColumnOfNumbersIsRefusedWithItsLineBeforeAnythingIsWritten() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 3, dimension: 2)
      try writeText("dose\n1\nNA\nmuch\n", to: "\(directory)/m.csv")
      let fault = #expect(throws: Fault.self) {
        try VectorImport(
          vectors: "\(directory)/v.npy", metadata: "\(directory)/m.csv", types: [:],
          existing: [Field(id: 0, name: "dose", type: .number)])
      }
      #expect(fault?.subject == "\(directory)/m.csv line 4")
      #expect(fault?.problem == "expected a number in column \"dose\", found \"much\"")
    }
  }

  @Test func vectorsLongerThanASpaceTakesAreRefusedBeforeAnythingIsWritten() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 1, dimension: SpaceRecord.dimensionLimit + 1)
      let fault = #expect(throws: Fault.self) {
        try VectorImport(vectors: "\(directory)/v.npy", metadata: nil, types: [:], existing: [])
      }
      #expect(fault?.problem == "expected vectors of 1 to 16384 numbers, found 16385")
    }
  }

  @Test func aTableOfAnotherLengthIsRefusedBeforeAnythingIsWritten() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/v.npy", count: 3, dimension: 2)
      try writeText("gene\nX\nY\n", to: "\(directory)/m.csv")
      let fault = #expect(throws: Fault.self) {
        try VectorImport(
          vectors: "\(directory)/v.npy", metadata: "\(directory)/m.csv", types: [:], existing: [])
      }
      #expect(fault?.problem.hasPrefix("expected 3 rows") == true)
    }
  }

  @Test func notANumberIsRefusedWithItsPlace() throws {
    try withTemporaryDirectory { directory in
      var writer = try NPYWriter(path: "\(directory)/v.npy", dimension: 2)
      try writer.write([1, 2, 3, .nan])
      try writer.close()
      let fault = #expect(throws: Fault.self) {
        try VectorImport(vectors: "\(directory)/v.npy", metadata: nil, types: [:], existing: [])
      }
      #expect(fault?.problem == "expected finite numbers, found NaN or infinity in row 1, column 1")
    }
  }

  @Test func aSpaceTakesVectorsOfItsDimensionOnly() throws {
    try withTemporaryDirectory { directory in
      _ = try writeVectors("\(directory)/a.npy", count: 3, dimension: 2)
      _ = try writeVectors("\(directory)/b.npy", count: 3, dimension: 4)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try run("\(directory)/a.npy", into: writer)
      let fault = #expect(throws: Fault.self) { try run("\(directory)/b.npy", into: writer) }
      #expect(fault?.problem == "expected vectors of dimension 2, as space \"s\" has, found 4")
    }
  }
}
