import Faults
import Glibc
import Identity
import TestSupport
import Testing

@testable import Storage

@Suite struct RepairTests {
  /// A database of three images with 200 cells each, texts, lists, numbers and vectors.
  private func makeDatabase(_ path: String) throws {
    let writer = try DatabaseWriter(path: path, create: true)
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string)
      let labels = try transaction.field(named: "labels", type: .list)
      let dose = try transaction.field(named: "dose", type: .number)
      let space = try transaction.addSpace(name: "s", dimension: 600)
      for name in ["a", "b", "c"] {
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 8, height: 8))
        let cells = (0..<200).map { index -> CellRecord in
          let values: [UInt16: FieldValue] = [
            gene.id: .string("g\(index % 5)"), labels.id: .list(["x", "y\(index % 2)"]),
            dose.id: .number(Double(index) + 0.5),
          ]
          return CellRecord(image: image, object: .label(UInt32(index)), geometry: nil, values: values)
        }
        let rows = try transaction.addCells(cells, of: image)
        let vectors = rows.flatMap { row in [Float](repeating: Float(row) + 1, count: 600) }
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
      }
      try transaction.saveHead(HeadRecord(name: "h", space: 0, summary: "{}", weights: [1, 2, 3]))
    }
  }

  private func change(_ path: String, _ body: (borrowing Transaction) throws -> Void) throws {
    let lease = try EnvironmentLease(path: path, isWritable: true)
    let transaction = try Transaction(lease.environment, isWriting: true)
    try body(transaction)
    try transaction.commit()
  }

  /// Changes one byte of the data file, the first after the last place where `pattern` stands.
  private func flipByte(behind pattern: [UInt8], of path: String) throws {
    let content = try #require(bytes(ofFile: "\(path)/data.mdb"))
    let start = try #require(
      (0..<content.count - pattern.count).last { content[$0..<$0 + pattern.count].elementsEqual(pattern) })
    let file = open("\(path)/data.mdb", O_WRONLY)
    defer { close(file) }
    let offset = start + pattern.count
    #expect(pwrite(file, [content[offset] ^ 4], 1, off_t(offset)) == 1)
  }

  private func report(_ path: String) throws -> CheckReport {
    try Database(path: path).read { $0.checkReport() }
  }
  private func contents(_ path: String) throws -> DatabaseContents {
    try Database(path: path).read { try DatabaseContents(of: $0) }
  }

  @Test(arguments: [Table.textIDs, .imageIDs, .sets, .numbers])
  func derivedRecordsComeBackWhateverHappenedToThem(table: Table) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let truth = try contents(path)
      var entries: [(key: Key, value: [UInt8])] = []
      try Database(path: path).read { snapshot in
        try snapshot.transaction.forEach(table) { entries.append((Key(bytes: Array($0)), Array($1))) }
      }
      // What cannot be made again is left alone.
      entries = entries.filter { table != .sets || $0.key.bytes[0] != 2 }
      try change(path) { transaction in
        for (number, entry) in entries.enumerated() {
          var key = entry.key.bytes
          switch number % 4 {
          case 0: try transaction.delete(table, entry.key)
          case 1: try transaction.put(table, entry.key, [1, 2, 3])
          case 2: try transaction.put(table, entry.key, entry.value.reversed())
          default:
            key[key.count - 1] ^= 0x5A
            try transaction.put(table, Key(bytes: key), entry.value)
          }
        }
      }
      let damaged = try report(path)
      #expect(damaged.primary == [])
      #expect(!damaged.derived.isEmpty)
      do {
        let writer = try DatabaseWriter(path: path, create: false)
        #expect(try writer.repair() > 0)
        #expect(try writer.repair() == 0)
      }
      #expect(try report(path).faults == [])
      #expect(try contents(path) == truth)
    }
  }

  /// More rows than two chunks of a row set have.
  @Test func theRowSetsThatDifferAreNamedInWhateverChunk() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let writer = try DatabaseWriter(path: path, create: true)
        try writer.write { transaction in
          let gene = try transaction.field(named: "gene", type: .string)
          let image = try transaction.addImage(
            ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 0, height: 0))
          let cells = (0..<140_000).map { row in
            let values: [UInt16: FieldValue] = row % 11 == 0 ? [:] : [gene.id: .string("g\(row % 5)")]
            return CellRecord(image: image, object: .index(UInt32(row)), geometry: nil, values: values)
          }
          _ = try transaction.appendCells(cells, of: image)
        }
        #expect(try writer.database.check() == CheckReport())
      }
      let (lacking, wrong) = (RowSetName.text(field: 0, id: 1), RowSetName.text(field: 0, id: 3))
      let astray = RowSetName.text(field: 0, id: 99)
      try change(path) { transaction in
        try transaction.delete(.sets, SetChunk(name: lacking, chunk: 2).key)
        try transaction.put(.sets, SetChunk(name: wrong, chunk: 2).key, RowSet([131_073]).encoded())
        try transaction.put(.sets, SetChunk(name: astray, chunk: 1).key, RowSet([65_540]).encoded())
      }
      let report = try report(path)
      #expect(report.primary == [] && report.pages == [])
      #expect(report.derived.map(\.subject) == [lacking, wrong, astray].map { "row set \($0)" })
      let writer = try DatabaseWriter(path: path, create: false)
      #expect(try writer.repair() == 3)
      #expect(try writer.database.check() == CheckReport())
    }
  }

  @Test func aFlippedByteOfAnIndexIsRepaired() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let truth = try contents(path)
      // The number column of rows 100 and 101, which only there lie side by side.
      let column = [100.5, 101.5].flatMap { number in withUnsafeBytes(of: number.bitPattern) { Array($0) } }
      try flipByte(behind: column, of: path)
      #expect(throws: Fault.self) { try contents(path) }
      #expect(try report(path).primary == [])
      let writer = try DatabaseWriter(path: path, create: false)
      #expect(try writer.repair() == 1)
      #expect(try writer.database.read { try DatabaseContents(of: $0) } == truth)
    }
  }

  @Test func noWriterGivesDamagedVectorsANewChecksum() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let number = withUnsafeBytes(of: Float(251).bitPattern) { Array($0) }
      try flipByte(behind: number + number, of: path)
      let faults = try report(path).faults
      let writer = try DatabaseWriter(path: path, create: false)
      // Block 2 has the cells 218 to 326.
      #expect(throws: Fault.self) { try writer.write { _ = try $0.deleteCells(RowSet([300])) } }
      #expect(try writer.database.check().faults == faults)
      try writer.write { _ = try $0.deleteCells(RowSet([200])) }
      let target = try DatabaseWriter(path: "\(directory)/target", create: true)
      #expect(throws: Fault.self) { try target.merge(writer.database) }
      #expect(try target.database.check().faults == [])
    }
  }

  @Test func aCompactionKeepsTextsWhoseRowSetIsMissing() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let truth = try contents(path)
      try change(path) { try $0.deleteAll(.sets, prefix: RowSetName.text(field: 0, id: 3).prefix) }
      #expect(try DatabaseWriter.compact(path: path).unusedTexts == 0)
      do { #expect(try DatabaseWriter(path: path, create: false).repair() == 1) }
      #expect(try contents(path) == truth)
    }
  }

  @Test func cellsThatWereDeletedAreNotLostWithTheirRowSets() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      do {
        let writer = try DatabaseWriter(path: path, create: false)
        try writer.write { _ = try $0.deleteCells(RowSet(190..<230)) }
      }
      let truth = try contents(path)
      try change(path) { try $0.put(.sets, SetChunk(name: .cells, chunk: 0).key, [1, 2, 3]) }
      #expect(try report(path).primary == [])
      do { #expect(try DatabaseWriter(path: path, create: false).repair() == 1) }
      #expect(try contents(path) == truth)
      try damageRoot(of: path) { try TableTrees($0, path: path)[.sets] }
      #expect(try report(path).primary == [])
      _ = try Database.rebuild(path: path)
      #expect(try contents(path) == truth)
    }
  }

  @Test func aBlockWithDamageIsNotWrittenAgainWithARightChecksum() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      // The last vector stands behind that of row 598, and their block has room.
      let vector = [Float](repeating: 599, count: 600)
      try flipByte(behind: vector.withUnsafeBytes { Array($0) }, of: path)
      let writer = try DatabaseWriter(path: path, create: false)
      let fault = #expect(throws: Fault.self) {
        try writer.write { transaction in
          let rows = try transaction.addCells([CellRecord(image: 0, object: .whole, geometry: nil)], of: 0)
          guard let space = transaction.space(named: "s") else { return }
          try vector.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        }
      }
      #expect(fault?.subject.hasSuffix("of space \"s\"") == true)
      #expect(fault?.problem == "does not match its checksum")
    }
  }

  @Test func aDamagedCellIsNamedWithItsImageAndTheRestIsSalvaged() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      // Cell 207 is label 7 of the second image.
      try flipByte(behind: [1, 0, 0, 0, 1, 0, 3, 0, 7, 0, 0, 0], of: path)
      let report = try report(path)
      #expect(report.primary.contains { $0.subject == "cell 207" && $0.problem.contains("checksum") })
      #expect(report.primary.contains { $0.subject == "image \"b\"" && $0.problem == "has lost cell 207" })
      let writer = try DatabaseWriter(path: path, create: false)
      #expect(throws: Fault.self) { try writer.repair() }
      try writer.database.read { snapshot in
        let salvage = try snapshot.salvage(snapshot.spaces[0])
        #expect(salvage.rows.count == 599 && !salvage.rows.contains(207))
        #expect(salvage.recordless == RowSet([207]) && salvage.all.count == 600)
        #expect(salvage.faults.contains { $0.subject == "cell 207" && $0.problem.contains("record") })
      }
    }
  }

  @Test func aDamagedBlockIsNamedWithItsCellsAndTheRestIsSalvaged() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let number = withUnsafeBytes(of: Float(251).bitPattern) { Array($0) }
      try flipByte(behind: number + number, of: path)
      let report = try report(path)
      // 109 vectors of dimension 600 fill a block.
      #expect(report.primary.map(\.subject) == ["block 2 of space \"s\"", "space \"s\""])
      #expect(report.primary.last?.problem.contains("cells 218 to 326; images: \"b\"") == true)
      try Database(path: path).read { snapshot in
        let space = snapshot.spaces[0]
        #expect(throws: Fault.self) {
          try snapshot.forEachVerifiedBlock(of: space, with: snapshot.allRows()) { _ in }
        }
        let salvage = try snapshot.salvage(space, of: RowSet(200..<400))
        #expect(salvage.rows == RowSet(Array(200..<218) + Array(327..<400)))
        // Nothing is known of the one that was changed, nor of those beside it.
        #expect(salvage.unverified == RowSet(218..<327) && salvage.vectorless.isEmpty)
        #expect(salvage.all == RowSet(200..<400))
        var left: [Row] = []
        try snapshot.forEachVector(of: space, left: salvage) { row, vector in
          if row != 251 { #expect(vector == [Float](repeating: Float(row) + 1, count: 600)) }
          left.append(row)
        }
        #expect(left == salvage.all.toArray())
        var rows: [Row] = []
        try snapshot.forEachVerifiedBlock(of: space, with: salvage.rows) { block in
          for row in block.rows {
            #expect(block.vector(of: row)[0] == Float(row) + 1)
            rows.append(row)
          }
        }
        #expect(rows == salvage.rows.toArray())
      }
    }
  }

  @Test func cellsWhoseVectorsCannotBeReadAreKeptWithZeros() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      try change(path) { transaction in
        try transaction.delete(.vectors, Key().appending(UInt16(0)).appending(UInt32(1)))
        try transaction.delete(.cells, Key().appending(Row(109)))
      }
      try Database(path: path).read { snapshot in
        let space = snapshot.spaces[0]
        let salvage = try snapshot.salvage(space)
        #expect(salvage.vectorless == RowSet(110..<218) && salvage.unverified.isEmpty)
        // Of cell 109, neither is left.
        let fault = #expect(throws: Fault.self) { try snapshot.listedCell(at: 109) }
        #expect(fault?.kind == .badData)
        #expect(salvage.recordless.isEmpty && salvage.all.count == 599)
        try snapshot.forEachVector(of: space, left: salvage) { row, vector in
          #expect(vector.allSatisfy { $0 == (salvage.vectorless.contains(row) ? 0 : Float(row) + 1) })
        }
      }
    }
  }

  @Test func whatIsLeftOfASpaceIsFoundWithoutItsRowSet() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      try change(path) { transaction in
        for row in RowSet(0..<600).toArray() where row % 3 == 0 {
          try transaction.delete(.cells, Key().appending(row))
        }
        try transaction.put(.sets, SetChunk(name: .space(0), chunk: 0).key, [1, 2, 3])
      }
      try Database(path: path).read { snapshot in
        let salvage = try snapshot.salvage(snapshot.spaces[0])
        #expect(salvage.rows == RowSet((0..<600).filter { $0 % 3 != 0 }))
        #expect(!salvage.faults.isEmpty)
      }
    }
  }

  @Test func damagedFieldsAndSpacesAreNamedAndTheRestIsRead() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      try change(path) { transaction in
        try transaction.put(.fields, Key().appending(UInt16(0)), [9])
        try transaction.put(.spaces, Key().appending(UInt16(1)), [UInt8]("{}".utf8))
      }
      let database = try Database(path: path)
      #expect(throws: Fault.self) { try database.read { _ in } }
      try database.readRest { snapshot, faults in
        #expect(faults.count == 2)
        #expect(snapshot.fields.map(\.name) == ["labels", "dose"])
        let salvage = try snapshot.salvage(snapshot.spaces[0])
        #expect(salvage.rows.count == 600 && salvage.faults.isEmpty)
      }
      let subjects = try database.check().primary.map(\.subject)
      #expect(subjects.contains("table \"fields\"") && subjects.contains("a record of table \"spaces\""))
    }
  }

  /// Makes the first page of a tree one of no kind.
  private func damageRoot(of path: String, _ tree: (PageSnapshot) throws -> TreeRecord) throws {
    let found = try Database(path: path).read { snapshot in
      let pages = snapshot.transaction.pages
      return try pages.flatMap { try tree($0).root }
    }
    let root = try #require(found)
    let file = open("\(path)/data.mdb", O_WRONLY)
    defer { close(file) }
    #expect(pwrite(file, [0x40], 1, off_t(root) * 4096 + 10) == 1)
  }

  @Test(arguments: [Table.textIDs, .imageIDs, .sets, .numbers, nil])
  func aFileWithDamagedPagesOfDerivedRecordsIsMadeAnew(table: Table?) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      let truth = try contents(path)
      try damageRoot(of: path) { pages in
        try table.map { try TableTrees(pages, path: path)[$0] } ?? pages.freeTree()
      }
      let damaged = try report(path)
      #expect(damaged.primary == [] && damaged.pages.count >= 1)
      #expect(throws: Fault.self) { try DatabaseWriter(path: path, create: false) }
      let kept = try Database.rebuild(path: path)
      #expect(access(kept, R_OK) == 0)
      #expect(access("\(path)/rebuilt", F_OK) != 0)
      #expect(try report(path).faults == [])
      #expect(try contents(path) == truth)
      _ = try DatabaseWriter(path: path, create: false)
    }
  }

  @Test(arguments: [Table.cells, .vectors, .images, .header])
  func aFileWithDamagedPagesOfOtherRecordsIsLeftAsItIs(table: Table) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeDatabase(path)
      try damageRoot(of: path) { try TableTrees($0, path: path)[table] }
      let before = bytes(ofFile: "\(path)/data.mdb")
      #expect(throws: Fault.self) { try Database.rebuild(path: path) }
      #expect(bytes(ofFile: "\(path)/data.mdb") == before)
      #expect(access("\(path)/rebuilt", F_OK) != 0)
    }
  }

  @Test func damagedNamesAreShownInOneLine() throws {
    let name = Array("im\nge\u{1}".utf8)
    name.withUnsafeBytes { key in
      #expect(Table.heads.subject(of: key) == "head \"im?ge?\"")
      #expect(Table.header.subject(of: key) == "\"im?ge?\" of table \"header\"")
    }
  }
}
