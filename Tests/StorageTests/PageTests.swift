import TestSupport
import Testing

@testable import Storage

@Suite struct PageTests {
  /// The audit before each writer believes whole leaves on the word of `lastKeyOfPlainEntries`.
  @Test func aLeafReadInOnePassIsSoundEntryByEntryWhateverBitIsFlipped() throws {
    let fixture = try FixturePages()
    defer { withExtendedLifetime(fixture) {} }
    let (file, memory, meta, pages) = (fixture.file, fixture.memory, fixture.meta, fixture.snapshot())

    var (leafCount, soundCount) = (0, 0)
    for number in UInt64(PageFormat.metaPageCount)..<meta.pageCount where try lastKey(number, pages) != nil {
      leafCount += 1
      for offset in 0..<meta.pageSize {
        let place = Int(number) * meta.pageSize + offset
        // The bit goes round, so that all are met in turn.
        memory[place] ^= 1 << UInt8(offset % 8)
        if try lastKey(number, pages) != nil { soundCount += 1 }
        memory[place] = file[place]
      }
    }
    #expect(leafCount > 0)
    #expect(soundCount < leafCount * meta.pageSize, "no flipped bit was noticed")
  }

  /// The last key of a page where the short way finds one, after the long way has agreed.
  private func lastKey(_ number: UInt64, _ pages: PageSnapshot) throws -> [UInt8]? {
    guard let page = try? pages.page(number, isLeaf: true), let last = page.lastKeyOfPlainEntries() else {
      return nil
    }
    for index in 0..<page.count {
      let value = try page.value(index)
      #expect(value.pages == nil && !value.isTree)
      #expect(try page.key(index).count == 4)
      if index > 0 { #expect(try order(page.key(index - 1), page.key(index)) < 0) }
    }
    #expect(try page.key(page.count - 1).elementsEqual(last))
    return Array(last)
  }
}
