import Clmdb
import Faults
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite struct CompactionTests {
  private func byteCount(_ file: String) -> Int {
    var status = stat()
    return stat(file, &status) == 0 ? Int(status.st_size) : -1
  }

  /// A database of which half is deleted, with texts that no cell has any more; closed.
  private func makeHalfEmptied(_ path: String) throws {
    let world = try OperationsWorld(at: path, images: 8)
    try world.delete(RowSet(120..<240))
  }

  private func expectHalf(_ database: Database) throws {
    try database.read { snapshot in
      #expect(snapshot.check() == [])
      try #expect(snapshot.allRows() == RowSet(0..<120))
      for space in snapshot.spaces {
        for row in [0, 77, 119] as [Row] {
          try #expect(snapshot.vector(of: row, in: space) == OperationsWorld.vectors(of: [row]))
        }
      }
    }
  }

  /// The number of the last transaction decides which meta page is written next; both must work.
  @Test(arguments: [0, 1]) func aCompactedDatabaseIsSmallerAndGoesOn(extraTransactions: Int) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      if extraTransactions > 0 {
        let writer = try DatabaseWriter(path: path, create: false)
        try writer.write { try $0.saveHead(HeadRecord(name: "h", space: 0, summary: "{}", weights: [1])) }
      }
      let before = byteCount("\(path)/data.mdb")
      let compaction = try DatabaseWriter.compact(path: path)
      #expect(compaction.unusedTexts == 4)
      #expect(compaction.before == before)
      #expect(compaction.after == byteCount("\(path)/data.mdb"))
      #expect(compaction.after < before * 6 / 10)
      #expect(access("\(path)/data.mdb.compact", F_OK) != 0)
      try expectHalf(Database(path: path))
      // Several commits, so that both meta pages are written.
      let writer = try DatabaseWriter(path: path, create: false)
      for number in 0..<5 {
        let rows = try writer.write { transaction in
          try transaction.addCells(
            [CellRecord(image: 0, object: .label(UInt32(1000 + number)), geometry: nil)], of: 0)
        }
        #expect(rows == [240 + Row(number)])
        try writer.database.read { #expect($0.check() == []) }
      }
    }
  }

  /// Deleting so many texts takes pages at the end of the file and gives them back.
  @Test(arguments: [1_000, 2_500, 4_000]) func manyUnusedTextsAreDropped(count: Int) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let writer = try DatabaseWriter(path: path, create: true)
        try writer.write { transaction in
          let image = try transaction.addImage(OperationsWorld.image("image0"))
          let field = try transaction.field(named: "code", type: .string)
          let rows = try transaction.appendCells(
            at: 0..<UInt32(count), of: image,
            [
              FieldRun(
                field: field.id,
                values: .choices((0..<count).map { .string("c\($0)") }, numbers: Array(0..<UInt32(count))))
            ])
          #expect(rows == 0..<Row(count))
        }
        try writer.write { _ = try $0.deleteCells(RowSet(0..<Row(count - 5))) }
      }
      #expect(try DatabaseWriter.compact(path: path).unusedTexts == count - 5)
      try Database(path: path).read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.cell(at: Row(count - 1))?.values == [0: .string("c\(count - 1)")])
      }
    }
  }

  @Test func compactingAgainChangesNothing() throws {
    try withTemporaryDirectory { directory in
      try makeHalfEmptied("\(directory)/db")
      _ = try DatabaseWriter.compact(path: "\(directory)/db")
      let again = try DatabaseWriter.compact(path: "\(directory)/db")
      #expect(again.before == again.after)
      #expect(again.unusedTexts == 0)
      try expectHalf(Database(path: "\(directory)/db"))
    }
  }

  @Test func theFileKeepsItsPermissions() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      chmod("\(path)/data.mdb", 0o660)
      _ = try DatabaseWriter.compact(path: path)
      var status = stat()
      stat("\(path)/data.mdb", &status)
      #expect(status.st_mode & 0o777 == 0o660)
    }
  }

  @Test func transactionsKeepCounting() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      _ = try DatabaseWriter.compact(path: path)
      func lastTransaction() throws -> UInt64 {
        let database = try Database(path: path)
        return try withExtendedLifetime(database) { try database.environment.pages.latest().meta.transaction }
      }
      let before = try lastTransaction()
      #expect(before > 1)
      _ = try DatabaseWriter.compact(path: path)
      try #expect(lastTransaction() == before)
    }
  }

  @Test func aReaderWithTheOldFileOpenGoesOn() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      // Without LMDB's locks, since a second environment of one process would lose those of the first.
      var reader: OpaquePointer?
      mdb_env_create(&reader)
      mdb_env_set_maxdbs(reader, 20)
      try require(mdb_env_open(reader, path, UInt32(MDB_RDONLY | MDB_NOLOCK), 0o644), path, "open")
      defer { mdb_env_close(reader) }
      var transaction: OpaquePointer?
      try require(mdb_txn_begin(reader, nil, UInt32(MDB_RDONLY), &transaction), path, "begin")
      _ = try DatabaseWriter.compact(path: path)
      do {
        let writer = try DatabaseWriter(path: path, create: false)
        try writer.write { _ = try $0.deleteCells(RowSet(0..<100)) }
      }
      var handle = MDB_dbi(0)
      var statistics = MDB_stat()
      try require(mdb_dbi_open(transaction, "cells", 0, &handle), path, "open a table")
      try require(mdb_stat(transaction, handle, &statistics), path, "inspect")
      #expect(statistics.ms_entries == 120)
      mdb_txn_abort(transaction)
      try Database(path: path).read { try #expect($0.allRows().count == 20) }
    }
  }

  @Test func whoHasTheDatabaseOpenIsNotCutOff() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      let writer = try DatabaseWriter(path: path, create: false)
      let locked = #expect(throws: Fault.self) { try DatabaseWriter.compact(path: path) }
      #expect(locked?.kind == .locked)
      let database = writer.database
      withExtendedLifetime(writer) {}
      try expectHalf(database)
    }
  }

  @Test func metaPagesOfAnotherFileAreLeftAlone() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      // Not a fresh copy: its transactions have other numbers.
      let database = try Database(path: path)
      let meta = try database.environment.pages.latest().meta
      let fault = #expect(throws: Fault.self) { try MetaPages.renumber("\(path)/data.mdb", as: meta) }
      #expect(fault?.kind == .badData)
      try expectHalf(database)
    }
  }

  @Test func aFileInThePlaceOfAnotherIsNoticed() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeHalfEmptied(path)
      let pages = try PageFile(directory: path, isWritable: false, mapSizes: [1 << 30])
      #expect(!pages.isReplaced)
      _ = try DatabaseWriter.compact(path: path)
      #expect(pages.isReplaced)
    }
  }
}

@Suite struct BackupTests {
  @Test func aBackupIsWhatTheLastCommitLeft() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      // A transaction that is under way is no part of it.
      let byteCount = try world.writer.write { transaction in
        _ = try transaction.deleteCells(RowSet(0..<60))
        return try world.writer.database.backUp(to: "\(directory)/copy/")
      }
      #expect(byteCount > 0)
      try world.writer.database.read { try #expect($0.allRows().count == 60) }
      let copy = try DatabaseWriter(path: "\(directory)/copy", create: false)
      try copy.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.allRows().count == 120)
      }
      try copy.write { _ = try $0.deleteCells(RowSet(0..<10)) }
      try copy.database.read { #expect($0.check() == []) }
    }
  }

  @Test func whatIsThereIsNotReplaced() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      for destination in ["\(directory)/db", directory, "\(directory)/none/copy"] {
        let fault = #expect(throws: Fault.self) { try world.writer.database.backUp(to: destination) }
        #expect(fault?.kind == .cannotCreate)
      }
      mkdir("\(directory)/empty", 0o777)
      _ = try world.writer.database.backUp(to: "\(directory)/empty")
      try Database(path: "\(directory)/empty").read { #expect($0.check() == []) }
    }
  }

  @Test func whatAKilledBackupLeftIsTakenOver() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      mkdir("\(directory)/copy.partial", 0o777)
      for name in ["data.mdb", StagedFolder.mark] {
        let left = open("\(directory)/copy.partial/\(name)", O_WRONLY | O_CREAT, 0o644)
        #expect(pwrite(left, [1, 2, 3], 3, 0) == 3)
        close(left)
      }
      _ = try world.writer.database.backUp(to: "\(directory)/copy")
      try Database(path: "\(directory)/copy").read { #expect($0.check() == []) }
      #expect(access("\(directory)/copy.partial", F_OK) != 0)
      #expect(access("\(directory)/copy/\(StagedFolder.mark)", F_OK) != 0)
      // A process may be killed before it has made the mark.
      mkdir("\(directory)/again.partial", 0o777)
      _ = try world.writer.database.backUp(to: "\(directory)/again")
      try Database(path: "\(directory)/again").read { #expect($0.check() == []) }
    }
  }

  @Test func aBackupIntoTheDatabaseItselfIsRefused() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      #expect(symlink("db", "\(directory)/link") == 0)
      for (name, problem) in [
        ("db", "is the database itself"), ("link/", "is the database itself"),
        ("db/copy", "would lie among the files of database \(directory)/db"),
      ] {
        let fault = #expect(throws: Fault.self) {
          try world.writer.database.backUp(to: "\(directory)/\(name)")
        }
        #expect(fault?.kind == .cannotCreate && fault?.problem == problem)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/db").sorted()
      #expect(names == ["data.mdb", "lock.mdb", "writer.lock"])
      try world.writer.database.read { #expect($0.check() == []) }
    }
  }

  @Test func aDatabaseUnderTheNameOfAnUnfinishedCopyIsLeftAlone() throws {
    try withTemporaryDirectory { directory in
      let other = try OperationsWorld(at: "\(directory)/copy.partial", images: 1)
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      let fault = #expect(throws: Fault.self) { try world.writer.database.backUp(to: "\(directory)/copy") }
      #expect(fault?.kind == .cannotCreate && fault?.subject == "\(directory)/copy.partial")
      #expect(access("\(directory)/copy", F_OK) != 0)
      #expect(access("\(directory)/copy.partial/data.mdb", F_OK) == 0)
      try other.writer.database.read { #expect($0.check() == []) }
    }
  }

  @Test func twoBackupsOfOneNameDoNotMix() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      let folder = try StagedFolder(path: "\(directory)/copy")
      let fault = #expect(throws: Fault.self) {
        try world.writer.database.backUp(to: "\(directory)/copy")
      }
      #expect(fault?.kind == .locked)
      _ = try world.writer.database.environment.copy(to: "\(folder.temporaryPath)/data.mdb")
      try folder.commit()
      try Database(path: "\(directory)/copy").read { #expect($0.check() == []) }
    }
  }

  /// LMDB copies as many pages as a large value says it has.
  @Test func aDamagedPageEndsABackupBeforeItBegins() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      _ = try OperationsWorld(at: path, images: 1)
      let content = try #require(bytes(ofFile: "\(path)/data.mdb"))
      let file = open("\(path)/data.mdb", O_WRONLY)
      defer { close(file) }
      for page in 2..<content.count / 4096 where content[page * 4096 + PageFormat.flagsOffset] == 4 {
        let offset = page * 4096 + PageFormat.pageCountOffset + 1
        #expect(pwrite(file, [0x40], 1, off_t(offset)) == 1)
      }
      let fault = #expect(throws: Fault.self) { try Database(path: path).backUp(to: "\(directory)/copy") }
      #expect(fault?.kind == .badData)
      #expect(access("\(directory)/copy", F_OK) != 0 && access("\(directory)/copy.partial", F_OK) != 0)
    }
  }

  @Test func aBackupWithoutItsEndLeavesNothing() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      do {
        let folder = try StagedFolder(path: "\(directory)/copy")
        _ = try world.writer.database.environment.copy(to: "\(folder.temporaryPath)/data.mdb")
      }
      #expect(access("\(directory)/copy", F_OK) != 0)
      let folder = try #require(opendir(directory))
      defer { closedir(folder) }
      var names = 0
      while readdir(folder) != nil { names += 1 }
      #expect(names == 3, "\".\", \"..\" and \"db\"")
    }
  }
}
