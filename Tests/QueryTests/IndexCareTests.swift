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
      #expect(try header(of: database.writer.database).writerFlags == ["index-2"])
      try database.writer.write { try $0.dropIndex(of: database.space) }
      #expect(try header(of: database.writer.database).writerFlags == [])
      #expect(try entryCount(.codes, of: database) == 0)
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  /// A database of the program before rows had codes in two lists, whose record lacks what came later.
  @Test func anEarlierIndexIsSearchedFollowedAndMadeAnew() throws {
    try withTemporaryDirectory { directory in
      mkdir("\(directory)/db", 0o777)
      let content = try #require(bytes(ofFile: fixturePath("databases/earlier-index/data.mdb")))
      let file = open("\(directory)/db/data.mdb", O_WRONLY | O_CREAT, 0o644)
      #expect(write(file, content, content.count) == content.count)
      close(file)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: false)
      let space = try writer.database.read { $0.spaces[0] }
      #expect(try header(of: writer.database).writerFlags == ["index"])
      #expect(try writer.database.check().faults.isEmpty)
      let record = try #require(try writer.database.read { try $0.indexRecord(of: space) })
      #expect(record.listsPerRow == 1 && record.listCount == 37 && record.rowCount == 1200)
      #expect(record.lateRowCount == 0 && record.codedRowLimit == .max)
      #expect(record.calibrations[2].reaches.map(\.neighbors) == [10])
      #expect(record.calibrations[2].reaches[0].reach == 0.2109375)

      let queries = try writer.database.read { snapshot in
        try stride(from: 0, to: 1200, by: 40).flatMap { try snapshot.vector(of: Row($0), in: space) ?? [] }
      }
      func found(recall: Double) throws -> [[Neighbor]] {
        try writer.database.read {
          try $0.nearest(
            to: queries, count: 30, k: 10, in: space, among: nil, recall: recall, threads: 1, scanWeight: 1e6
          ).neighbors
        }
      }
      let exact = try writer.database.read {
        try $0.nearest(to: queries, count: 30, k: 10, in: space, among: nil)
      }
      #expect(try recall(found(recall: 0.99), exact) > 0.97)

      // A row is found once, whatever codes say; where it has one code, another of it is damage.
      var blocks: [(key: Key, bytes: [UInt8])] = []
      try writer.database.read { snapshot in
        try snapshot.transaction.forEach(.codes) { key, value in
          if key[6] == IndexBlockKind.codes.rawValue {
            blocks.append((Key(bytes: Array(key)), Array(value)))
          }
        }
      }
      let (row, other) = (exact[0][0].row, exact[0][1].row)
      let width = CodeSpace(dimension: space.dimension, seed: 0).width
      let itemByteCount = IndexBlockLayout(.codes, width: width).itemByteCount
      for (key, bytes) in blocks {
        var damaged = bytes
        for item in stride(from: 48, through: bytes.count - itemByteCount, by: itemByteCount) {
          for slot in 0..<StoredIndex.codesPerGroup {
            let place = item + 4 * width + 256 + 4 * slot
            if bytes[place..<place + 4].elementsEqual(withUnsafeBytes(of: other.littleEndian) { Array($0) }) {
              damaged.replaceSubrange(
                place..<place + 4, with: withUnsafeBytes(of: row.littleEndian) { Array($0) })
            }
          }
        }
        if damaged != bytes { try writer.write { try $0.transaction.put(.codes, key, damaged) } }
      }
      #expect {
        _ = try found(recall: 0.99)
      } throws: {
        ($0 as? Fault)?.problem == "is damaged: it has two codes of cell \(row) in a list"
      }
      for (key, bytes) in blocks { try writer.write { try $0.transaction.put(.codes, key, bytes) } }

      // A change writes the record as it is now.
      try writer.write { transaction in
        try [Float](repeating: 1, count: 6).withUnsafeBufferPointer {
          try transaction.setVectors($0, of: [1], in: space)
        }
      }
      #expect(try IndexBuild(of: space, in: writer, threads: 1).follow() == 1)
      #expect(try header(of: writer.database).writerFlags == ["index-2"])
      #expect(try writer.database.check().faults.isEmpty)
      #expect(try writer.database.read { try $0.indexRecord(of: space)?.codedRowLimit } == 1200)
      let fresh = try IndexBuild(of: space, in: writer, threads: 1).run(isFresh: true)
      #expect(fresh.record.listsPerRow == 2)
      #expect(try writer.database.check().faults.isEmpty)
    }
  }

  /// What was changed is committed before the index follows it.
  @Test func aDamagedIndexIsNotFollowed() throws {
    try withTemporaryDirectory { directory in
      var database = try indexedDatabase(in: directory)
      try database.writer.write {
        try $0.transaction.put(.indexes, IndexRecord.key(of: database.space.id), Array("{}".utf8))
      }
      try database.add(clusteredVectors(10, dimension: dimension, seed: 2))
      #expect(try IndexBuild(of: database.space, in: database.writer, threads: 1).follow() == 0)
      #expect(try database.writer.database.check().faults.count == 1)
      try database.build()
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  @Test func flagsThatDoNotFitTheIndexesAreFoundAndMended() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      let writer = database.writer
      for flags in [[], ["index-2", "unfinished-index"], ["unfinished-index"]] {
        try writer.write { transaction in
          var header = try transaction.transaction.formatHeader()
          header.writerFlags = flags
          try transaction.transaction.put(.header, FormatHeader.key, Document.encode(header))
        }
        let faults = try writer.database.check().faults
        #expect(faults.map(\.subject) == ["the format header"])
        #expect(try writer.repair() == 1)
        #expect(try header(of: writer.database).writerFlags == ["index-2"])
        #expect(try writer.database.check().faults.isEmpty)
      }
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

  @Test func aKilledBuildIsSeenByNobodyAndGoneOnWith() throws {
    struct Stop: Error {}
    let vectors = clusteredVectors(1200, dimension: dimension, seed: 1)
    let queries = clusteredVectors(10, dimension: dimension, seed: 5)
    func blocks(of database: IndexedDatabase) throws -> [[UInt8]] {
      try database.writer.database.read { snapshot in
        var blocks: [[UInt8]] = []
        try snapshot.transaction.forEach(.codes) { key, value in blocks.append(Array(key) + Array(value)) }
        return blocks
      }
    }
    var expected: [[UInt8]] = []
    var callCount = 0
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(vectors)
      _ = try IndexBuild(of: database.space, in: database.writer, threads: 2).run { _, _, _ in
        callCount += 1
      }
      expected = try blocks(of: database)
      // Centres, bounds and codes of one segment.
      #expect(expected.count == 3)
    }
    var trainings = 0
    for stop in 1...callCount {
      try withTemporaryDirectory { directory in
        var database = try IndexedDatabase(in: directory, dimension: dimension)
        try database.add(vectors)
        let before = try database.exact(queries, k: 5)
        var calls = 0
        #expect(throws: Stop.self) {
          try IndexBuild(of: database.space, in: database.writer, threads: 2).run { _, _, _ in
            calls += 1
            if calls == stop { throw Stop() }
          }
        }
        #expect(try database.search(queries, k: 5).neighbors == before)
        #expect(try database.writer.database.check().faults.isEmpty)
        var isTrained = false
        let summary = try IndexBuild(of: database.space, in: database.writer, threads: 2).run { step, _, _ in
          if case .training = step { isTrained = true }
        }
        trainings += isTrained ? 1 : 0
        #expect(summary.isFresh && summary.added == 1200)
        #expect(try blocks(of: database) == expected, "stopped at call \(stop)")
        #expect(try header(of: database.writer.database).writerFlags == ["index-2"])
        #expect(try database.writer.database.check().faults.isEmpty)
      }
    }
    // Six calls come before the centres are stored: the beginning and five iterations.
    #expect(trainings == 6 && callCount > 8)
  }

  @Test func anUnfinishedIndexIsOfNoUseOnceAVectorOfItChanges() throws {
    struct Stop: Error {}
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(3000, dimension: dimension, seed: 1))
      func begin() throws {
        #expect(throws: Stop.self) {
          try IndexBuild(of: database.space, in: database.writer, threads: 2).run(isFresh: true) {
            step, _, _ in
            if case .measuring = step { throw Stop() }
          }
        }
      }
      func isBegun() throws -> Bool {
        try database.writer.database.read { try $0.unfinishedIndex(of: database.space) != nil }
      }
      try begin()
      #expect(try isBegun())
      #expect(try header(of: database.writer.database).writerFlags == ["unfinished-index"])
      // New rows do not matter.
      try database.add(clusteredVectors(500, dimension: dimension, seed: 2))
      #expect(try isBegun())
      #expect(try database.build().added == 3500)
      #expect(try !isBegun())
      try begin()
      try database.delete([7])
      #expect(try !isBegun())
      try begin()
      try database.set(clusteredVectors(1, dimension: dimension, seed: 3), of: [8])
      #expect(try !isBegun())
      #expect(try database.build().record.rowCount == 3499)
      #expect(try database.writer.database.check().faults.isEmpty)
      try begin()
      try database.writer.write { try $0.dropIndex(of: database.space) }
      #expect(try !isBegun() && entryCount(.codes, of: database) == 0)
    }
  }

  @Test func checkFindsCodesThatAreNotThoseOfTheVectors() throws {
    try withTemporaryDirectory { directory in
      let database = try indexedDatabase(in: directory)
      let index = try #require(try record(of: database))
      let name = IndexBlockName(
        space: database.space.id, segment: index.segments[0].number, kind: .codes, number: 0)
      let layout = IndexBlockLayout(.codes, width: 64)
      let itemCount = (2 * 3000 + 31) / 32
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
