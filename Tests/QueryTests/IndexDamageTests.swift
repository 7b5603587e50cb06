import Faults
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

private let dimension = 24

/// A database of which blocks of the index are damaged, and mended.
private struct Victim {
  var database: IndexedDatabase
  /// Blocks by their names, as they were made.
  let sound: [(key: Key, bytes: [UInt8])]
  /// Bytes of an item of the blocks, and where its rows or vertices are.
  let itemByteCount: Int
  let numberOffsets: [Int]

  /// 3,000 vectors of which some are deleted, and cells without a vector.
  init(in directory: String, _ kind: IndexBlockKind) throws {
    database = try IndexedDatabase(in: directory, dimension: dimension)
    try database.add(clusteredVectors(3000, dimension: dimension, seed: 1))
    _ = try database.addCells(40)
    if kind == .vertices { try database.buildGraph() } else { try database.build() }
    let width = CodeSpace(dimension: dimension, seed: 0).width
    itemByteCount = IndexBlockLayout(kind, width: width).itemByteCount
    let ofGroup = (0..<32).map { 4 * width + 256 + 4 * $0 }
    numberOffsets = kind == .vertices ? ofGroup + [5 * width + 388] : ofGroup
    sound = try database.writer.database.read { snapshot in
      var blocks: [(key: Key, bytes: [UInt8])] = []
      try snapshot.transaction.forEach(.codes) { key, value in
        if key[6] == kind.rawValue { blocks.append((Key(bytes: Array(key)), Array(value))) }
      }
      return blocks
    }
    #expect(!sound.isEmpty)
  }

  func put(_ bytes: [UInt8], at key: Key) throws {
    try database.writer.write { try $0.transaction.put(.codes, key, bytes) }
  }

  /// Puts a number of a row in place of another wherever items of the blocks have it at one of some places.
  func replace(_ row: Row, with other: Row, at offsets: ArraySlice<Int>) throws {
    for (key, bytes) in sound {
      var damaged = bytes
      for start in stride(from: 48, through: bytes.count - itemByteCount, by: itemByteCount) {
        for offset in offsets {
          let place = start + offset
          let stored = Row(
            littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Row.self) })
          guard stored == row else { continue }
          damaged.replaceSubrange(
            place..<place + 4, with: withUnsafeBytes(of: other.littleEndian) { Array($0) })
        }
      }
      if damaged != bytes { try put(damaged, at: key) }
    }
  }

  /// Searches in all ways; each gives sound results, or says that the index is damaged.
  /// - Returns: how many searches gave results.
  func search(_ queries: [[Float]], among conditions: [RowSet?]) throws -> Int {
    var found = 0
    for condition in conditions {
      do {
        let neighbors = try database.search(queries, k: 10, among: condition).neighbors
        try database.expectSound(neighbors, queries, k: 10, among: condition)
        found += 1
      } catch let fault as Fault {
        #expect(fault.kind == .badData && fault.subject.hasSuffix("of space \"test\""), "\(fault)")
        #expect(fault.remedy.hasPrefix("search with --exact"), "\(fault)")
      }
    }
    return found
  }
}

@Suite struct IndexDamageTests {
  private let queries = clusteredVectors(8, dimension: dimension, seed: 2)

  @Test(arguments: [IndexBlockKind.vertices, .codes])
  func aSearchOfDamagedBlocksIsSoundOrAFault(kind: IndexBlockKind) throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory, kind)
      var generator = SeededGenerator(seed: 3)
      let half = RowSet((0..<Row(3000)).filter { _ in generator.next() % 2 == 0 })
      var found = 0
      for round in 0..<120 {
        // Half of the rounds with rows that are gone.
        if round == 60 { try victim.database.delete((0..<200).map { Row($0 * 11) }) }
        let (key, bytes) = victim.sound[Int(generator.next() % UInt64(victim.sound.count))]
        var damaged = bytes
        for _ in 0..<[1, 20, 2000][round % 3] {
          let place =
            round % 4 == 0
            ? Int(generator.next() % UInt64(damaged.count))
            : 48 + Int(generator.next() % UInt64(damaged.count - 48))
          damaged[place] = UInt8(truncatingIfNeeded: generator.next())
        }
        try victim.put(damaged, at: key)
        found += try victim.search(queries, among: [nil, half])
        try victim.put(bytes, at: key)
      }
      // Most damage is to what a search does not read, or takes for other numbers.
      #expect(found > 120)
      #expect(try victim.search(queries, among: [nil, half]) == 2)
      #expect(try victim.database.writer.database.check().faults.isEmpty)
    }
  }

  /// Numbers of rows and vertices in place of others: deleted ones, others', ones without a vector, and none that there
  /// are.
  @Test(arguments: [IndexBlockKind.vertices, .codes])
  func wrongNumbersLeadToNoWrongRow(kind: IndexBlockKind) throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory, kind)
      var generator = SeededGenerator(seed: 4)
      let half = RowSet((0..<Row(3000)).filter { _ in generator.next() % 2 == 0 })
      var found = 0
      for (round, number) in ([7, 3005, 3039, 3040, .max, 1 << 31, 2999] as [UInt32]).enumerated() {
        if round == 4 { try victim.database.delete([7, 11, 12]) }
        for (key, bytes) in victim.sound {
          var damaged = bytes
          for item in 0..<(bytes.count - 48) / victim.itemByteCount {
            let offset = victim.numberOffsets[Int(generator.next() % UInt64(victim.numberOffsets.count))]
            let start = 48 + item * victim.itemByteCount + offset
            for byte in 0..<4 {
              damaged[start + byte] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(byte)))
            }
          }
          try victim.put(damaged, at: key)
        }
        found += try victim.search(queries, among: [nil, half])
      }
      #expect(found > 0)
    }
  }

  /// A vertex has the row of another one that is near the same query.
  @Test func twoVerticesOfACellAreDamage() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory, .vertices)
      let near = try victim.database.exact(queries, k: 2)[0].map(\.row)
      try victim.replace(near[1], with: near[0], at: victim.numberOffsets.suffix(1))
      #expect {
        try victim.database.search(queries, k: 10)
      } throws: {
        ($0 as? Fault)?.problem == "is damaged: it has two vertices of cell \(near[0])"
      }
    }
  }

  /// Similarities with it are no numbers, and have no order.
  @Test func aVectorDamagedToInfinityHidesNoOther() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory, .vertices)
      let near = try victim.database.exact(queries, k: 3).map { $0[1].row }
      let vectors = try victim.database.writer.database.read { snapshot in
        var vectors: [[Float]] = []
        try snapshot.forEachBlock(of: victim.database.space, containing: RowSet(near)) { block in
          for row in block.rows where near.contains(row) { vectors.append(Array(block.vector(of: row))) }
        }
        return vectors
      }
      #expect(vectors.count == Set(near).count)
      try victim.database.writer.write { transaction in
        var blocks: [(key: Key, bytes: [UInt8])] = []
        try transaction.transaction.forEach(.vectors) { key, value in
          blocks.append((Key(bytes: Array(key)), Array(value)))
        }
        for (key, bytes) in blocks {
          var damaged = bytes
          for vector in vectors {
            let sound = vector.withUnsafeBytes { Array($0) }
            for start in stride(from: 0, through: bytes.count - sound.count, by: 4)
            where bytes[start..<start + sound.count].elementsEqual(sound) {
              damaged.replaceSubrange(
                start..<start + 4, with: withUnsafeBytes(of: Float.infinity) { Array($0) })
            }
          }
          if damaged != bytes { try transaction.transaction.put(.vectors, key, damaged) }
        }
      }
      let (found, plan) = try victim.database.search(queries, k: 10)
      #expect(plan.usesGraph)
      let truth = try victim.database.exact(queries, k: 10)
      #expect(truth.allSatisfy { RowSet($0.map(\.row)).intersection(RowSet(near)).isEmpty })
      #expect(recall(found, truth) >= 0.97)
      #expect(found.joined().allSatisfy { $0.similarity >= -1 && $0.similarity <= 1.001 })
    }
  }
}
