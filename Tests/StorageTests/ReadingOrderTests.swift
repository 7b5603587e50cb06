import TestSupport
import Testing

@testable import Storage

@Suite struct ReadingOrderTests {
  @Test func whoReadsInOrderIsToldOfUntilTheLastHasEnded() {
    var reading = ExpectedReading()
    reading.begin(.scattered)
    #expect(reading.told == .scattered)
    // A scan within a search, and beside it another.
    reading.begin(.inOrder)
    reading.begin(.inOrder)
    reading.end(.inOrder)
    #expect(reading.told == .inOrder)
    reading.begin(.scattered)
    #expect(reading.told == .inOrder)
    reading.end(.inOrder)
    #expect(reading.told == .scattered)
    reading.end(.scattered)
    reading.end(.scattered)
    #expect(reading.told == .scattered)
    reading.begin(.inOrder)
    reading.end(.inOrder)
    #expect(reading.told == .inOrder)
  }

  @Test func readsWithinAndBesideOthersLeaveThemTheirOrder() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { try $0.addSpace(name: "s", dimension: 4) }
      let pages = writer.database.environment.pages
      try writer.database.read(expecting: .scattered) { snapshot in
        #expect(pages.order == .scattered)
        let order = snapshot.beginVectors(space.rowsPerBlock + 1, of: space)
        try writer.database.read(expecting: .scattered) { _ in #expect(pages.order == .inOrder) }
        snapshot.endVectors(order)
        #expect(pages.order == .scattered)
        snapshot.endVectors(snapshot.beginVectors(1, of: space))
        try writer.database.read { _ in #expect(pages.order == .inOrder) }
        #expect(pages.order == .scattered)
      }
    }
  }

  @Test func aReadThatFailsHasEnded() throws {
    struct Stop: Error {}
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let pages = writer.database.environment.pages
      #expect(throws: Stop.self) { try writer.database.read { _ in throw Stop() } }
      try writer.database.read(expecting: .scattered) { _ in #expect(pages.order == .scattered) }
    }
  }

  @Test func onlyWhatFollowsOnTheNextPageIsTakenToBeInMemory() {
    var run = PresentRun()
    func advance(_ place: Range<Int>) -> Bool { run.advance(over: place, pageSize: 4096) }
    #expect(!advance(8192..<16_000))
    run.begin(behind: 8192..<16_000)
    #expect(!advance(20_480..<24_000) && !advance(8192..<16_000), "with a page between, and before")
    #expect(advance(16_384..<81_900) && advance(81_920..<147_000), "on the next page")
    #expect(advance(147_456..<530_000) && !advance(532_480..<550_000), "not for ever")
  }
}
