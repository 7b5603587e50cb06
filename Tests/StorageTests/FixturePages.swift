import TestSupport
import Testing

@testable import Storage

/// The pages of a committed database in memory that a test may damage.
final class FixturePages {
  let file: [UInt8]
  let memory: UnsafeMutableRawBufferPointer
  let meta: MetaPage
  private let base: UnsafeRawPointer

  init() throws {
    file = try #require(bytes(ofFile: fixturePath("databases/v1/data.mdb")))
    memory = .allocate(byteCount: file.count, alignment: 4096)
    memory.copyBytes(from: file)
    let base = UnsafeRawPointer(try #require(memory.baseAddress))
    self.base = base
    meta = try #require(
      [0, 4096].compactMap { MetaPage(base + $0) }.max { $0.transaction < $1.transaction })
  }

  deinit { memory.deallocate() }

  /// A snapshot of the pages as they are now: it looks at each once.
  func snapshot() -> PageSnapshot {
    PageSnapshot(path: "fixture", base: base, meta: meta, pageCount: meta.pageCount, owner: nil)
  }
}
