import Faults
import TestSupport
import Testing

@testable import Storage

/// Looking for keys in pages of which an entry is damaged.
@Suite struct LookupTests {
  /// A search halves a page: an entry that it passes and that says another key would lead it astray.
  @Test func noDamagedEntryHidesAnotherOrItself() throws {
    let fixture = try FixturePages()
    defer { withExtendedLifetime(fixture) {} }
    let (file, memory, meta, pages) = (fixture.file, fixture.memory, fixture.meta, fixture.snapshot())
    let trees = try TableTrees(pages, path: "fixture")
    var (right, noticed) = (0, 0)
    for table in [Table.texts, .textIDs, .sets, .cells, .images] {
      let tree = trees[table]
      let root = try #require(tree.root)
      var keys: [[UInt8]] = []
      try TreeSurvey(pages, tree).run(damage: { _ in }, entry: { key, _ in keys.append(Array(key)) })
      let count = try pages.page(root, isLeaf: tree.depth == 1).count
      for bit in 0..<16 * count {
        let place = Int(root) * meta.pageSize + PageFormat.headerByteCount + bit / 8
        memory[place] ^= 1 << UInt8(bit % 8)
        let damaged = fixture.snapshot()
        // The key of the entry and another one, what is right behind each, and what begins as it does.
        let own = keys[tree.depth == 1 ? bit / 16 : bit % keys.count]
        let other = keys[bit * 31 % keys.count]
        for sought: [UInt8] in [own, own + [0], own.dropLast(), other, other + [0], other.dropLast()] {
          let truth = keys.first { !$0.lexicographicallyPrecedes(sought) }
          do {
            let (isFound, next) = try look(for: sought, in: tree, of: damaged)
            #expect(
              isFound == (truth == sought) && next == truth, "table \(table), bit \(bit), key \(sought)")
            right += 1
          } catch is Fault {
            noticed += 1
          }
        }
        memory[place] = file[place]
      }
    }
    #expect(right > 100 && noticed > 100)
  }

  /// What a transaction that reads does: whether a key is there, and the first at or behind it. Entries beside a key that
  /// is not must have their seals.
  private func look(
    for sought: [UInt8], in tree: TreeRecord, of pages: PageSnapshot
  ) throws -> (isFound: Bool, next: [UInt8]?) {
    try sought.withUnsafeBytes { key in
      let isFound = try TreeCursor.find(key, in: tree, of: pages.borrowed) != nil
      if !isFound { try TreeCursor.neighbours(ofMissing: key, in: tree, of: pages).forEach(requireSeal) }
      let cursor = TreeCursor(pages, tree)
      let next = try cursor.seek(key)
      try next.map(requireSeal)
      let before = try next == nil ? cursor.last() : cursor.entryBefore()
      if next.map({ order($0.key, key) != 0 }) ?? true { try before.map(requireSeal) }
      return (isFound, next.map { Array($0.key) })
    }
  }

  private func requireSeal(_ entry: Entry) throws {
    guard Seal.open(key: entry.key, sealed: entry.value) != nil else {
      throw Fault(.badData, "an entry", "does not match its checksum")
    }
  }
}
