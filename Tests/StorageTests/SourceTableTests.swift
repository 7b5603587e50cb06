import Faults
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite struct SourceTableTests {
  /// The table that a file is, as it is now.
  private func sourceTable(at path: String) throws -> SourceTable? {
    try #require(bytes(ofFile: path)).withUnsafeBytes { SourceTable(at: path, of: $0) }
  }

  @Test func aTableIsKnownByItsPlaceAndByItsBytes() throws {
    try withTemporaryDirectory { folder in
      for name in ["plate", "moved"] { #expect(mkdir("\(folder)/\(name)", 0o755) == 0) }
      let path = "\(folder)/plate/metadata.csv"
      try write(Array("image,gene\na,TP53\n".utf8), to: path)
      #expect(symlink("plate", "\(folder)/way") == 0)
      let table = try #require(try sourceTable(at: "\(folder)/way/./metadata.csv"))
      #expect(table.path.hasSuffix("/plate/metadata.csv") && table.path.hasPrefix("/"))
      #expect(table.isFile(at: path) && table.isFile(at: "\(folder)/way/metadata.csv"))
      // Corrected where it lies, it is the same table; elsewhere, its bytes tell.
      try write(Array("image,gene\na,TP53\n".utf8), to: "\(folder)/moved/metadata.csv")
      #expect(table.isFile(at: "\(folder)/moved/metadata.csv"))
      try write(Array("image,gene\na,BRAF\n".utf8), to: "\(folder)/moved/metadata.csv")
      #expect(!table.isFile(at: "\(folder)/moved/metadata.csv"))
      try write([1], to: path)
      #expect(table.isFile(at: path) && !table.isFile(at: "\(folder)/none"))
    }
  }

  @Test func whatIsNoFileIsNoTable() throws {
    try withTemporaryDirectory { folder in
      for path in [folder, "\(folder)/none", "-", "/dev/null"] {
        #expect(SourceTable(at: path, of: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
      }
      try write([], to: "\(folder)/empty")
      #expect(try sourceTable(at: "\(folder)/empty")?.byteCount == 0)
    }
  }

  @Test func aSpaceHasEachTableOnceInItsLatestState() throws {
    try withTemporaryDirectory { folder in
      let (a, b) = ("\(folder)/a.csv", "\(folder)/b.csv")
      let backbone = BackboneReference(path: "model")
      let writer = try DatabaseWriter(path: "\(folder)/db", create: true)
      func note(_ path: String) throws {
        try write([UInt8](path.utf8), to: path)
        let table = try sourceTable(at: path)
        _ = try writer.write {
          let space =
            try $0.space(named: "s") ?? $0.addSpace(name: "s", dimension: 2, recipe: "{}", backboneHash: "x")
          return try $0.noteRun(of: backbone, precision: "float32", table: table, in: space)
        }
      }
      for path in [b, a] { try note(path) }
      let first = try writer.database.read { $0.spaces[0].tables ?? [] }
      #expect(first.map { $0.path.hasSuffix("a.csv") } == [true, false])
      try write([7], to: a)
      let changed = try #require(try sourceTable(at: a))
      _ = try writer.write {
        try $0.noteRun(of: backbone, precision: "float32", table: changed, in: $0.space(named: "s")!)
      }
      try writer.database.read { #expect($0.spaces[0].tables == [changed, first[1]]) }

      // A merge brings them along.
      let target = try DatabaseWriter(path: "\(folder)/target", create: true)
      _ = try target.merge(writer.database)
      try target.database.read { #expect($0.spaces[0].tables == [changed, first[1]]) }
    }
  }

  @Test func aMergeKeepsBothTablesOfOnePath() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/metadata.csv"
      func database(_ number: UInt8) throws -> (DatabaseWriter, SourceTable) {
        try write([number], to: path)
        let table = try #require(try sourceTable(at: path))
        let writer = try DatabaseWriter(path: "\(folder)/\(number)", create: true)
        _ = try writer.write {
          let space = try $0.addSpace(name: "s", dimension: 2, recipe: "{}", backboneHash: "x")
          return try $0.noteRun(
            of: BackboneReference(path: "model"), precision: "float32", table: table, in: space)
        }
        return (writer, table)
      }
      let (target, own) = try database(1)
      let (source, other) = try database(2)
      let both = [own, other].sorted { $0.digest < $1.digest }
      // The second time there is nothing new.
      for _ in 0..<2 {
        _ = try target.merge(source.database)
        try target.database.read { #expect($0.spaces[0].tables == both) }
      }
      // Moved elsewhere, the table of either is known by its bytes.
      for number in [1, 2] as [UInt8] {
        try write([number], to: "\(folder)/moved.csv")
        #expect(both.contains { $0.isFile(at: "\(folder)/moved.csv") })
      }
    }
  }

  @Test func aPathHasAtMostSoManyTablesAndOneAfterTheNextRun() throws {
    try withTemporaryDirectory { folder in
      var space = SpaceRecord(id: 0, name: "s", dimension: 2)
      var tables: [SourceTable] = []
      for number in 0..<UInt8(SpaceRecord.tablesPerPath + 9) {
        try write([number], to: "\(folder)/metadata.csv")
        tables.append(try #require(try sourceTable(at: "\(folder)/metadata.csv")))
      }
      for table in tables + tables { space.add(merged: table) }
      let kept = tables.prefix(SpaceRecord.tablesPerPath).sorted { $0.digest < $1.digest }
      #expect(space.tables == kept)
      space.add(tables[0])
      #expect(space.tables == [tables[0]])
    }
  }
}
