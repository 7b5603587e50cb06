import TestSupport
import Testing

@testable import Storage

@Suite struct EarlyWritingTests {
  @Test func onlyATransactionThatPutsMegabytesLetsTheDiskBegin() throws {
    try withTemporaryDirectory { directory in
      let database = try DatabaseWriter(path: "\(directory)/db", create: true).database
      for (byteCount, isLarge) in [(100, false), (5 << 20, true), (100, false)] {
        let transaction = try Transaction(database.environment, isWriting: true)
        try transaction.put(.heads, Key().appending("head"), [UInt8](repeating: 7, count: byteCount))
        #expect(transaction.isLarge == isLarge)
        try transaction.commit()
        let stored = try Transaction(database.environment, isWriting: false).get(
          .heads, Key().appending("head"))
        #expect(stored?.count == byteCount)
      }
    }
  }

  @Test func theDiskMayBeginAtAnyTime() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      do {
        let early = EarlyWriting(to: writer.database.environment.pages)
        try writer.write { _ = try $0.addSpace(name: "space", dimension: 2) }
        _ = consume early
      }
      try writer.database.read { snapshot in #expect(snapshot.check() == []) }
    }
  }
}
