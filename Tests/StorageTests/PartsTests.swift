import Clmdb
import TestSupport
import Testing

@testable import Storage

@Suite struct PartsTests {
  @Test func tablesAndFreePagesAreTheWholeFile() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      let world = try OperationsWorld(at: path)
      try world.delete(RowSet(20..<90))
      let parts = try world.writer.database.read { try $0.parts() }
      var info = MDB_envinfo()
      mdb_env_info(world.writer.database.environment.pointer, &info)
      #expect(parts.tables.reduce(0) { $0 + $1.byteCount } == (info.me_last_pgno + 1) * 4096)
      #expect(parts.tables.first { $0.name == "free" }?.entries ?? 0 > 50)
    }
  }

  @Test func spacesAndFieldsAreTheirRecords() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      let parts = try world.writer.database.read { try $0.parts() }
      let layout = BlockLayout(dimension: OperationsWorld.dimension)
      // 120 rows: three full blocks of 32 and one of 24.
      let expected = [32, 32, 32, 24].reduce(0) { $0 + layout.valueByteCount(slotCount: $1) + 6 }
      #expect(parts.spaces.map(\.name) == ["s", "t"])
      #expect(parts.spaces.map(\.byteCount) == [expected, expected])
      #expect(parts.spaces.map(\.entries) == [4, 4])
      // gene: four texts, their digests and sets, and the set of cells with a value.
      #expect(parts.fields.map(\.name) == ["gene", "labels", "dose"])
      #expect(parts.fields.map(\.entries) == [13, 7, 2])
      #expect(parts.fields[2].byteCount == 6 + NumberChunk.rowCount * 8 + 9 + 16 + 120 * 2)
    }
  }
}
