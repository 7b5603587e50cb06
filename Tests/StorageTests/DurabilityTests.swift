import Clmdb
import Faults
import Glibc
import Identity
import TestSupport
import Testing

@testable import Storage

/// Commits that are durable with the next one.
@Suite struct DurabilityTests {
  /// Puts a cell with a vector and a text of its own behind the others.
  private static func commit(_ number: Int, to writer: DatabaseWriter, _ durability: Durability) throws {
    try writer.write(durable: durability) { transaction in
      let found = transaction.space(named: "s")
      let space = try found ?? transaction.addSpace(name: "s", dimension: 300)
      let gene = try transaction.field(named: "gene", type: .string)
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: "image"), name: "i", files: [], width: 8, height: 8))
      let rows = try transaction.appendCells(
        [
          CellRecord(
            image: image, object: .index(UInt32(number)), geometry: nil,
            values: [gene.id: .string("g\(number)")])
        ], of: image)
      try [Float](repeating: Float(number), count: 300).withUnsafeBufferPointer {
        try transaction.setVectors($0, of: rows, in: space)
      }
    }
  }

  /// The power fails when all pages of a commit are written, and neither its front page nor that of the commit before,
  /// whose next one it is.
  @Test func theCommitBeforeIsWholeWhereTheLastTwoFrontPagesAreLost() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let frontByteCount = PageFormat.metaPageCount * 4096
      var fronts: [ArraySlice<UInt8>] = []
      var contents: [DatabaseContents] = []
      for number in 0..<60 {
        try Self.commit(number, to: writer, .withNext)
        let file = try #require(bytes(ofFile: "\(directory)/db/data.mdb"))
        fronts.append(file.prefix(frontByteCount))
        contents.append(try writer.database.read { try DatabaseContents(of: $0) })
        guard number >= 2, number % 7 == 0 || number < 10 else { continue }
        let copy = "\(directory)/copy\(number)"
        #expect(mkdir(copy, 0o777) == 0)
        try write(fronts[number - 2] + file.dropFirst(frontByteCount), to: "\(copy)/data.mdb")
        let kept = try Database(path: copy)
        #expect(try kept.check().faults.isEmpty, "commit \(number)")
        #expect(try kept.read { try DatabaseContents(of: $0) } == contents[number - 2], "commit \(number)")
      }
    }
  }

  @Test func theDiskIsWaitedForOnceWhereItMayNotHaveACommit() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let pending = writer.database.environment.pendingCommit
      func waits(upTo commit: CommitNumber) throws -> Int {
        var count = 0
        try pending.makeDurable(upTo: commit, "db") {
          count += 1
          return MDB_SUCCESS
        }
        return count
      }
      try Self.commit(0, to: writer, .atOnce)
      #expect(try waits(upTo: writer.lastCommit) == 0)
      try Self.commit(1, to: writer, .withNext)
      let first = writer.lastCommit
      try Self.commit(2, to: writer, .withNext)
      #expect(writer.lastCommit == first + 1)
      #expect(try waits(upTo: first) == 0)
      // A transaction that changes nothing is no commit, and LMDB does not wait for the disk.
      try writer.write(durable: .withNext) { _ in }
      #expect(writer.lastCommit == first + 1)
      #expect(try waits(upTo: first + 1) == 1)
      #expect(try waits(upTo: first + 1) == 0)
      try Self.commit(3, to: writer, .withNext)
      try writer.write { _ in }
      #expect(try waits(upTo: writer.lastCommit) == 0)
    }
  }

  /// Who made it may have been killed before it was durable.
  @Test func theLastCommitOfAnotherWriterIsWaitedForWhereNothingIsChanged() throws {
    try withTemporaryDirectory { directory in
      try Self.commit(0, to: DatabaseWriter(path: "\(directory)/db", create: true), .atOnce)
      for changes in [false, true] {
        let writer = try DatabaseWriter(path: "\(directory)/db", create: false)
        if changes { try Self.commit(1, to: writer, .atOnce) }
        var count = 0
        try writer.database.environment.pendingCommit.makeDurable(upTo: writer.lastCommit, "db") {
          count += 1
          return MDB_SUCCESS
        }
        #expect(count == (changes ? 0 : 1))
      }
    }
  }

  /// Otherwise the one behind it would use pages again of the only commit that the disk leads to.
  @Test func aCommitBehindOneThatMayBeLostWaitsForItsFrontPageToo() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let pending = writer.database.environment.pendingCommit
      try Self.commit(0, to: writer, .withNext)
      pending.fail()
      #expect(pending.mayBeLost)
      try Self.commit(1, to: writer, .withNext)
      #expect(!pending.mayBeLost)
      try pending.makeDurable(upTo: writer.lastCommit, "db") { EIO }
    }
  }

  @Test func aCommitBehindWhichTheDiskHasFailedCountsAsLost() throws {
    let pending = PendingCommit()
    pending.note(5, .withNext)
    try pending.makeDurable(upTo: 4, "db") { EIO }
    // The commit behind it fails, and the system says nothing the second time.
    pending.fail()
    for code in [EIO, MDB_SUCCESS] {
      #expect {
        try pending.makeDurable(upTo: 5, "db") { code }
      } throws: {
        ($0 as? Fault)?.kind == .inputOutput
      }
    }
    // One behind it that does not wait for its own front page does not tell that the disk has that of the one before.
    pending.note(6, .withNext)
    for number: CommitNumber in [5, 6] {
      #expect(throws: Fault.self) { try pending.makeDurable(upTo: number, "db") { MDB_SUCCESS } }
    }
    #expect(pending.mayBeLost)
    // One that succeeds leads to everything.
    pending.note(7, .atOnce)
    #expect(!pending.mayBeLost)
    try pending.makeDurable(upTo: 7, "db") { EIO }
    pending.note(8, .withNext)
    try pending.makeDurable(upTo: 8, "db") { MDB_SUCCESS }
    // A failure behind a durable commit loses nothing.
    pending.fail()
    pending.note(9, .withNext)
    try pending.makeDurable(upTo: 9, "db") { MDB_SUCCESS }
  }
}
