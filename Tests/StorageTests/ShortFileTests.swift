import Faults
import Glibc
import Identity
import TestSupport
import Testing

@testable import Storage

/// LMDB does not write pages that a transaction took and gave back. Where they are the last ones, the file ends before
/// the page that its meta page calls the last.
@Suite struct ShortFileTests {
  private func byteCount(_ file: String) -> Int {
    var status = stat()
    return stat(file, &status) == 0 ? Int(status.st_size) : -1
  }

  /// A database whose file has fewer pages than its meta page tells of; closed.
  private func makeShort(_ path: String) throws {
    let world = try OperationsWorld(at: path, images: 2)
    // Which pages are the last ones depends on the texts: as compact does, but until they are such.
    for count in stride(from: UInt32(500), through: 8_000, by: 500) {
      let texts = (0..<count).map { "c\($0)" }
      let keys = texts.indices.map { Key().appending(UInt16(900)).appending(UInt32($0)) }
      let digests = texts.map { Key().appending(UInt16(900)).appending(ContentHash(of: $0)) }
      try world.writer.write { transaction in
        for (key, text) in zip(keys, texts) { try transaction.transaction.put(.texts, key, Array(text.utf8)) }
        for digest in digests { try transaction.transaction.put(.textIDs, digest, [0, 0, 0, 0]) }
      }
      try world.writer.write { transaction in
        for (key, digest) in zip(keys, digests) {
          try transaction.transaction.delete(.texts, key)
          try transaction.transaction.delete(.textIDs, digest)
        }
      }
      let meta = try world.writer.database.environment.pages.latest().meta
      if byteCount("\(path)/data.mdb") < meta.byteCount { return }
    }
    Issue.record("no file became short")
  }

  @Test func aFileThatLacksOnlyFreePagesIsReadAndWritten() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeShort(path)
      let rows = try Database(path: path).read { snapshot in
        #expect(snapshot.check() == [])
        return try snapshot.allRows()
      }
      let writer = try DatabaseWriter(path: path, create: false)
      for number in 0..<3 {
        try writer.write { transaction in
          _ = try transaction.addCells(
            [CellRecord(image: 0, object: .label(UInt32(1000 + number)), geometry: nil)], of: 0)
        }
        try writer.database.read { snapshot in
          #expect(snapshot.check() == [])
          try #expect(snapshot.allRows().count == rows.count + number + 1)
        }
      }
    }
  }

  /// The list of free pages says that none is missing. Where it is damaged, the last commit counts all the same.
  @Test func damageOfTheFreePagesOfAShortFileLosesNothing() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeShort(path)
      let contents = try Database(path: path).read { try DatabaseContents(of: $0) }
      let root = try freeRoot(path)
      let file = open("\(path)/data.mdb", O_WRONLY)
      defer { close(file) }
      #expect(pwrite(file, [0x40], 1, off_t(root * 4096 + PageFormat.flagsOffset)) == 1)
      let report = try Database(path: path).read { snapshot in
        try #expect(DatabaseContents(of: snapshot) == contents)
        return snapshot.checkReport()
      }
      #expect(report.primary == [] && !report.pages.isEmpty)
      #expect(throws: Fault.self) { try DatabaseWriter(path: path, create: false) }
      #expect(throws: Fault.self) { try Database(path: path).backUp(to: "\(directory)/copy") }
      #expect(try Database.repairFront(path: path) == nil)
      _ = try Database.rebuild(path: path)
      try Database(path: path).read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(DatabaseContents(of: snapshot) == contents)
      }
    }
  }

  private func freeRoot(_ path: String) throws -> Int {
    let tree = try Database(path: path).environment.pages.latest().freeTree()
    return Int(try #require(tree.root))
  }

  @Test func aFileThatLacksAPageInUseIsRefused() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeShort(path)
      let file = "\(path)/data.mdb"
      for pageCount in [8, 5, 3, 2] {
        #expect(truncate(file, off_t(pageCount * 4096)) == 0)
        for isWriter in [false, true] {
          let fault = #expect(throws: Fault.self) {
            if isWriter {
              _ = try DatabaseWriter(path: path, create: false)
            } else {
              try Database(path: path).read { _ = try $0.allRows() }
            }
          }
          #expect(fault?.remedy == "the file was cut short; restore a copy")
        }
      }
    }
  }
}
