import Clmdb
import Dispatch
import Faults
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite struct OpeningTests {
  private func fault(_ body: () throws -> Void) -> Fault? {
    #expect(throws: Fault.self, performing: body)
  }

  @Test func aMissingDatabaseIsNamed() throws {
    withTemporaryDirectory { directory in
      let fault = fault { _ = try Database(path: "\(directory)/none") }
      #expect(fault?.kind == .missingInput)
      #expect(fault?.subject == "\(directory)/none")
    }
  }

  @Test func aDatabaseWhoseMakingWasInterruptedIsEmptyAndCanBeCompleted() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      mkdir(path, 0o755)
      // What the first moments of a writer leave: an environment, then its tables, and no header yet.
      for isWritable in [false, true] {
        if isWritable {
          _ = try EnvironmentLease(path: path, isWritable: true)
        } else {
          try makeEmptyEnvironment(path)
        }
        #expect(fault { _ = try Database(path: path) }?.kind == .missingInput)
        #expect(try Database.fields(at: path) == [])
      }
      _ = try DatabaseWriter(path: path, create: true)
      _ = try Database(path: path)
    }
  }

  @Test(arguments: [0, 1, 100, 4096, 8191]) func aFileWhoseMakingWasCutIsMadeAnew(byteCount: off_t) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      mkdir(path, 0o755)
      try makeEmptyEnvironment(path)
      #expect(truncate("\(path)/data.mdb", byteCount) == 0)
      #expect(fault { _ = try Database(path: path) }?.kind == .missingInput)
      _ = try DatabaseWriter(path: path, create: true)
      try Database(path: path).read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  /// A folder stays where one that has not made it had a lock in it when its maker went.
  @Test func makersOfOneDatabaseThatAllFailLeaveNoFile() throws {
    try withTemporaryDirectory { directory in
      for round in 0..<300 {
        let path = round.isMultiple(of: 2) ? "\(directory)/db" : "\(directory)/db//"
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
          do { _ = try WriterClaim(path: path, create: true) { _ in true } } catch { Issue.record(error) }
        }
        rmdir("\(directory)/db")
        try #require(FileManager.default.contentsOfDirectory(atPath: directory) == [])
      }
    }
  }

  @Test func aFolderThatWasThereOrHoldsAnothersFileStays() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      mkdir(path, 0o755)
      do { _ = try WriterClaim(path: path, create: true) { _ in true } }
      try #expect(FileManager.default.contentsOfDirectory(atPath: path) == [])
      rmdir(path)
      do {
        let claim = try WriterClaim(path: path, create: true) { _ in true }
        try write([1], to: "\(path)/notes")
        withExtendedLifetime(claim) {}
      }
      try #expect(FileManager.default.contentsOfDirectory(atPath: directory) == ["db"])
      try #expect(FileManager.default.contentsOfDirectory(atPath: path) == ["notes"])
    }
  }

  @Test func aFolderThatTookTheNameOfTheMadeOneStays() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let claim = try WriterClaim(path: path, create: true) { _ in true }
        rename(path, "\(directory)/moved")
        mkdir(path, 0o755)
        // Even with the lock of the claim in it.
        rename("\(directory)/moved/writer.lock", "\(path)/writer.lock")
        withExtendedLifetime(claim) {}
      }
      try #expect(FileManager.default.contentsOfDirectory(atPath: path) == [])
      #expect(access("\(directory)/moved", F_OK) == 0)
    }
  }

  @Test func anotherDatabaseThatTookTheNameOfTheMadeOneStays() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let claim = try WriterClaim(path: path, create: true) { _ in true }
        rename(path, "\(directory)/moved")
        try DatabaseWriter(path: path, create: true).write { _ in }
        withExtendedLifetime(claim) {}
      }
      try Database(path: path).read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  private func makeEmptyEnvironment(_ path: String) throws {
    var environment: OpaquePointer?
    mdb_env_create(&environment)
    try require(mdb_env_open(environment, path, 0, 0o644), path, "open")
    mdb_env_close(environment)
  }

  @Test func aFolderOfOtherFilesIsNotTurnedIntoADatabase() throws {
    withTemporaryDirectory { directory in
      close(open("\(directory)/a.png", O_CREAT | O_WRONLY, 0o644))
      let fault = fault { _ = try DatabaseWriter(path: directory, create: true) }
      #expect(fault?.kind == .cannotCreate)
    }
  }

  @Test(arguments: [1, 9, 20_000]) func aFileOfAnotherKindIsRefused(byteCount: Int) throws {
    withTemporaryDirectory { directory in
      let file = open("\(directory)/data.mdb", O_CREAT | O_WRONLY, 0o644)
      let bytes = [UInt8](repeating: 7, count: byteCount)
      write(file, bytes, bytes.count)
      close(file)
      #expect(fault { _ = try Database(path: directory) }?.kind == .badData)
      #expect(fault { _ = try DatabaseWriter(path: directory, create: false) }?.kind == .badData)
    }
  }

  @Test func aFileCutShortIsRefusedBeforeItIsTouched() throws {
    try withTemporaryDirectory { directory in
      do {
        let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
        try writer.write {
          try $0.saveHead(
            HeadRecord(name: "h", space: 0, summary: "", weights: Array(repeating: 1, count: 50_000)))
        }
      }
      #expect(truncate("\(directory)/db/data.mdb", 16_384) == 0)
      let fault = fault { _ = try Database(path: "\(directory)/db") }
      #expect(fault?.kind == .badData)
      #expect(fault?.description.contains("data.mdb: expected at least") == true)
    }
  }

  @Test func aNewerFormatIsRefusedWithTheProgramThatCanReadIt() throws {
    try withTemporaryDirectory { directory in
      do {
        let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
        let newer = FormatHeader(
          version: 9, readerFlags: ["chunked"], writerFlags: [], createdBy: "cellvec 7.0")
        try writer.write { transaction in
          try transaction.transaction.put(.header, FormatHeader.key, Document.encode(newer))
          // Whatever a newer version makes of the other tables.
          try transaction.transaction.put(.fields, Key().appending(UInt16(0)), [77])
        }
      }
      let fault = fault { _ = try Database(path: "\(directory)/db") }
      #expect(fault?.description.contains("expected database format version 1, found version 9") == true)
      #expect(fault?.remedy.contains("cellvec 7.0") == true)
    }
  }

  @Test func aWriterFlagBlocksWritersOnly() throws {
    try withTemporaryDirectory { directory in
      do {
        let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
        let header = FormatHeader(version: 1, readerFlags: [], writerFlags: ["x"], createdBy: "cellvec 7.0")
        try writer.write { try $0.transaction.put(.header, FormatHeader.key, Document.encode(header)) }
      }
      _ = try Database(path: "\(directory)/db")
      #expect(fault { _ = try DatabaseWriter(path: "\(directory)/db", create: false) }?.kind == .badData)
    }
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func aDatabaseToWhichNothingWasCommittedIsGoneAgain() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let writer = try DatabaseWriter(path: path, create: true)
        try writer.database.read { #expect($0.fields.isEmpty) }
        #expect(throws: Fault.self) { try writer.write { _ in throw Fault(.badData, "", "") } }
        try writer.write(isPreparation: true) { _ = try $0.addSpace(name: "s", dimension: 3) }
        #expect(try names(in: directory) == ["db"])
      }
      #expect(try names(in: directory) == [])
      // A folder that was there stays, and so does a database.
      #expect(mkdir(path, 0o755) == 0)
      _ = try DatabaseWriter(path: path, create: true)
      #expect(try names(in: directory) == ["db"] && names(in: path) == [])
      try DatabaseWriter(path: path, create: true).write { _ = try $0.addSpace(name: "s", dimension: 3) }
      _ = try DatabaseWriter(path: path, create: true)
      try Database(path: path).read { #expect($0.spaces.map(\.name) == ["s"]) }
    }
  }

  /// A process waits for one that takes away what it had made, and makes it anew.
  @Test func whoWaitedForAWriterThatLeftNothingMakesTheDatabase() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      for isMaking in [true, false] {
        var first: DatabaseWriter? = try DatabaseWriter(path: path, create: true)
        let waits: (String) -> Bool = { _ in
          #expect(first != nil)
          first = nil
          return true
        }
        if isMaking {
          try DatabaseWriter(path: path, create: true, onWait: waits).write {
            _ = try $0.addSpace(name: "s", dimension: 3)
          }
          try Database(path: path).read { #expect($0.spaces.map(\.name) == ["s"]) }
          try FileManager.default.removeItem(atPath: path)
        } else {
          let fault = fault { _ = try DatabaseWriter(path: path, create: false, onWait: waits) }
          #expect(fault?.kind == .missingInput)
        }
      }
    }
  }

  @Test func aSecondWriterIsToldWhoHoldsTheDatabase() throws {
    try withTemporaryDirectory { directory in
      let first = try DatabaseWriter(path: "\(directory)/db", create: true)
      var holder = ""
      let fault = fault {
        _ = try DatabaseWriter(path: "\(directory)/db", create: true) { name in
          holder = name
          return false
        }
      }
      #expect(fault?.kind == .locked)
      #expect(holder == "process \(getpid())")
      withExtendedLifetime(first) {}
    }
  }

  @Test func aFieldKeepsItsType() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let fault = fault {
        try writer.write { transaction in
          _ = try transaction.field(named: "dose", type: .number)
          _ = try transaction.field(named: "dose", type: .string)
        }
      }
      #expect(
        fault?.description.contains("expected a number, as it is in the database, found a string") == true)
    }
  }
}
