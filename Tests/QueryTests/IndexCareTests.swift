import Faults
import Glibc
import Query
import TestSupport
import Testing

@testable import Storage

private let dimension = 24

private func indexedDatabase(in directory: String) throws -> IndexedDatabase {
  var database = try IndexedDatabase(in: directory, dimension: dimension)
  try database.add(clusteredVectors(3000, dimension: dimension, seed: 1))
  try database.build()
  return database
}

private func header(of database: Database) throws -> FormatHeader {
  try database.read { try $0.transaction.formatHeader() }
}

private func entryCount(_ table: Table, of database: IndexedDatabase) throws -> Int {
  try database.writer.database.read { $0.transaction.count(table) }
}

private func record(of database: IndexedDatabase) throws -> IndexRecord? {
  try database.writer.database.read { try $0.indexRecord(of: database.space) }
}

@Suite struct IndexCareTests {
  @Test func anIndexIsAWriterFlagAsLongAsThereIsOne() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      #expect(try header(of: database.writer.database).writerFlags == ["index"])
      try database.writer.write { try $0.dropIndex(of: database.space) }
      #expect(try header(of: database.writer.database).writerFlags == [])
      #expect(try entryCount(.codes, of: database) == 0)
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  @Test func aDroppedSpaceTakesItsIndexAlong() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      try database.writer.write { try $0.drop(database.space) }
      #expect(try entryCount(.codes, of: database) == 0)
      #expect(try entryCount(.indexes, of: database) == 0)
      #expect(try header(of: database.writer.database).writerFlags == [])
    }
  }

  @Test func blocksOfAKilledBuildAreSeenByNobodyAndRemovedByTheNext() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      let queries = clusteredVectors(10, dimension: dimension, seed: 5)
      let before = try database.search(queries, k: 5).neighbors
      struct Stop: Error {}
      for step in 1..<3 {
        var calls = 0
        #expect(throws: Stop.self) {
          try IndexBuild(of: database.space, in: database.writer, threads: 2).run(isFresh: true) {
            step, _, _ in
            calls += 1
            if case .coding = step, calls > 9 { throw Stop() }
          }
        }
        #expect(try database.search(queries, k: 5).neighbors == before, "after step \(step)")
        #expect(try database.writer.database.check().faults.isEmpty)
      }
      #expect(try entryCount(.codes, of: database) > 3)
      #expect(try database.build().added == 0)
      // Centres, bounds and codes of one segment.
      #expect(try entryCount(.codes, of: database) == 3)
    }
  }

  @Test func checkFindsCodesThatAreNotThoseOfTheVectors() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      let index = try #require(try record(of: database))
      let name = IndexBlockName(
        space: database.space.id, segment: index.segments[0].number, kind: .codes, number: 0)
      let layout = IndexBlockLayout(.codes, width: 64)
      let itemCount = (3000 + 31) / 32
      let sound: [UInt8] = try database.writer.database.read { snapshot in
        let value = try snapshot.transaction.get(.codes, name.key)
        return value.flatMap { layout.items(of: $0, name, itemCount: itemCount) }.map { Array($0) } ?? []
      }
      #expect(sound.count == itemCount * layout.itemByteCount)
      // A bit of a code, a factor, a row.
      for place in [0, 4 * 64 + 1, 4 * 64 + 256] {
        var items = sound
        items[place] ^= 1
        try database.writer.write { transaction in
          try items.withUnsafeBytes { try layout.write($0, name, to: transaction.transaction) }
        }
        let report = try database.writer.database.check()
        #expect(report.primary.isEmpty && report.derived.count == 1)
        #expect(report.derived.first?.subject == "the index of space \"test\"")
        _ = try database.search(clusteredVectors(3, dimension: dimension, seed: 2), k: 3)
      }
      #expect(try database.writer.repair() == 1)
      #expect(try database.writer.database.check().faults.isEmpty)
      #expect(try record(of: database) == nil)
      #expect(try database.build().isFresh)
    }
  }

  @Test func aBlockThatIsMissingOrOfAnotherPlaceIsAFault() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      let segment = try #require(try record(of: database)).segments[0].number
      for kind in [IndexBlockKind.centres, .bounds, .codes] {
        try database.build(isFresh: true)
        let latest = try #require(try record(of: database)).segments[0].number
        #expect(latest > segment)
        let name = IndexBlockName(space: database.space.id, segment: latest, kind: kind, number: 0)
        try database.writer.write { try $0.transaction.delete(.codes, name.key) }
        #expect {
          try database.search(clusteredVectors(3, dimension: dimension, seed: 2), k: 3)
        } throws: {
          ($0 as? Fault)?.remedy == "search with --exact, and make it anew with cellvec index build"
        }
        #expect(try database.writer.database.check().derived.count == 1)
      }
      #expect(try database.writer.repair() == 1)
    }
  }

  @Test func mergedVectorsAreFoundBesideTheIndex() throws {
    try withTemporaryDirectory { directory in
      let (first, other) = ("\(directory)/first", "\(directory)/other")
      for path in [first, other] { mkdir(path, 0o777) }
      let database = try indexedDatabase(in: first)
      var source = try IndexedDatabase(in: other, dimension: dimension)
      let vectors = clusteredVectors(1200, dimension: dimension, seed: 7)
      // The image of the first part is one that the target has.
      try source.add(clusteredVectors(3000, dimension: dimension, seed: 1))
      try source.add(vectors)
      try source.build()
      _ = try database.writer.merge(source.writer.database)
      let (found, plan) = try database.search(Array(vectors[..<20]), k: 1)
      #expect(plan.indexed == 3000 && plan.matching == 4200)
      #expect(found.allSatisfy { ($0.first?.similarity ?? 0) > 0.9999 })
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  @Test func aRebuiltFileHasNoIndex() throws {
    try withTemporaryDirectory { directory in
      do { _ = try indexedDatabase(in: directory) }
      _ = try Database.rebuild(path: "\(directory)/db")
      let database = try Database(path: "\(directory)/db")
      #expect(try database.read { snapshot in try snapshot.spaces.allSatisfy { try !snapshot.hasIndex($0) } })
      #expect(try database.check().faults.isEmpty)
    }
  }
}
