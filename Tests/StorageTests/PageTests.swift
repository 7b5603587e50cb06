import TestSupport
import Testing

@testable import Storage

@Suite struct PageTests {
  /// The audit before each writer believes whole leaves on the word of `lastKeyOfPlainEntries`.
  @Test func aLeafReadInOnePassIsSoundEntryByEntryWhateverBitIsFlipped() throws {
    let file = try #require(bytes(ofFile: fixturePath("databases/v1/data.mdb")))
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 4096)
    defer { memory.deallocate() }
    memory.copyBytes(from: file)
    let base = try #require(memory.baseAddress)
    let meta = try #require(
      [0, 4096].compactMap { MetaPage(base + $0) }.max { $0.transaction < $1.transaction })
    let pages = PageSnapshot(
      path: "fixture", base: base, meta: meta, pageCount: meta.pageCount, owner: nil)

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
