import Dispatch
import Faults
import Glibc
import Identity
import TestSupport
import Testing

@testable import Storage

/// Several users of one database at a time.
@Suite struct SharingTests {
  @Test func threadsThatWriteAtTheSameTimeTakeTurns() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      DispatchQueue.concurrentPerform(iterations: 8) { thread in
        for number in 0..<10 {
          do {
            try writer.write { transaction in
              for half in ["a", "b"] {
                _ = try transaction.field(named: "\(thread) \(number) \(half)", type: .string)
              }
            }
          } catch { Issue.record(error) }
        }
      }
      let fields = try writer.database.read { $0.fields }
      #expect(Set(fields.map(\.name)).count == 160)
      // Both fields of a transaction, one after the other.
      for pair in stride(from: 0, to: fields.count, by: 2) {
        #expect(fields[pair].name.dropLast() == fields[pair + 1].name.dropLast())
      }
    }
  }

  @Test func readersSeeWholeCommitsWhileAWriterWorks() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      let writer = try DatabaseWriter(path: path, create: true)
      let space = try writer.write {
        try $0.addSpace(name: "s", dimension: 3)
      }
      let database = writer.database
      let readers = DispatchGroup()
      for _ in 0..<3 {
        DispatchQueue.global().async(group: readers) {
          for _ in 0..<60 {
            do {
              try Database(path: path).read { snapshot in
                let rows = try snapshot.rows(in: space).count
                try #expect(rows == Int(snapshot.rowLimit()) && rows.isMultiple(of: 7))
              }
            } catch { Issue.record(error) }
          }
        }
      }
      for number in 0..<25 {
        try writer.write { transaction in
          let image = try transaction.addImage(
            ImageRecord(
              identity: ContentHash(of: "\(number)"), name: "\(number)", files: [], width: 1, height: 1))
          let cells = (0..<7).map { CellRecord(image: image, object: .label($0), geometry: nil) }
          let rows = try transaction.addCells(cells, of: image)
          try [Float](repeating: 1, count: 21).withUnsafeBufferPointer {
            try transaction.setVectors($0, of: rows, in: space)
          }
        }
      }
      readers.wait()
      try database.read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  @Test func openingAndClosingInManyThreadsKeepsOneEnvironment() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try DatabaseWriter(path: path, create: true).write { _ in }
      DispatchQueue.concurrentPerform(iterations: 200) { _ in
        do {
          let database = try Database(path: path)
          try database.read { snapshot in #expect(snapshot.fields.isEmpty) }
        } catch { Issue.record(error) }
      }
    }
  }

  @Test func textsAreEqualWhenTheirBytesAre() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let spellings = ["caf\u{E9}", "cafe\u{301}"]
      try writer.write { transaction in
        let field = try transaction.field(named: "gene", type: .string)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 1, height: 1))
        let cells = spellings.enumerated().map { index, text in
          CellRecord(
            image: image, object: .label(UInt32(index)), geometry: nil, values: [field.id: .string(text)])
        }
        _ = try transaction.addCells(cells, of: image)
      }
      try writer.database.read { snapshot in
        for (row, text) in spellings.enumerated() {
          try #expect(snapshot.rows(snapshot.fields[0], equals: text).toArray() == [Row(row)])
        }
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func aReaderWithoutALockFileKeepsWritersOut() throws {
    try withTemporaryDirectory { directory in
      close(open("\(directory)/writer.lock", O_CREAT | O_WRONLY, 0o644))
      let reader = try UnlockedReaderLock(directory: directory)
      #expect(throws: Fault.self) { try WriterLock(directory: directory) { _ in false } }
      withExtendedLifetime(reader) {}
    }
    try withTemporaryDirectory { directory in
      let writer = try WriterLock(directory: directory) { _ in false }
      let fault = #expect(throws: Fault.self) { try UnlockedReaderLock(directory: directory) }
      #expect(fault?.kind == .locked)
      withExtendedLifetime(writer) {}
    }
  }
}
