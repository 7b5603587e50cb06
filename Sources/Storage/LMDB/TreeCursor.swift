/// One entry of a table, in the memory map.
typealias Entry = (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

/// A position in a tree of the data file. What it returns lies in the memory map.
///
/// Keys that do not ascend from one entry to the next are a fault, so that no damage can send it round in circles.
final class TreeCursor {
  fileprivate struct Level {
    var page: Page
    var index: Int
  }

  private let pages: PageSnapshot
  private let tree: TreeRecord
  /// From the root to a leaf; empty where the cursor stands on no entry.
  private var levels: [Level] = []

  init(_ pages: PageSnapshot, _ tree: TreeRecord) {
    self.pages = pages
    self.tree = tree
  }

  /// The value of a key; nil when the tree does not have it.
  static func find(
    _ key: UnsafeRawBufferPointer, in tree: TreeRecord, of pages: BorrowedPages
  ) throws -> Page.Value? {
    guard var number = tree.root else { return nil }
    for _ in 1..<tree.depth {
      let page = try pages.page(number, isLeaf: false)
      number = try page.child(try page.descent(key))
    }
    let leaf = try pages.page(number, isLeaf: true)
    let index = try leaf.lowerBound(key, isLeaf: true)
    guard index < leaf.count, try order(leaf.key(index), key) == 0 else { return nil }
    return try leaf.value(index)
  }

  /// The entries beside the place of a key that `find` has not found. An entry there may be that of the key with damage,
  /// as its seal tells.
  /// - Throws: `badData` when the tree has the key: an entry that says another key than its own leads a search astray.
  static func neighbours(
    ofMissing key: UnsafeRawBufferPointer, in tree: TreeRecord, of pages: PageSnapshot
  ) throws -> [Entry] {
    let cursor = TreeCursor(pages, tree)
    guard let after = try cursor.seek(key) else { return try [cursor.last()].compactMap(\.self) }
    guard order(after.key, key) != 0 else { throw pages.damaged("a search for a key misses it") }
    return try [cursor.entryBefore(), after].compactMap(\.self)
  }

  // MARK: Moves

  func first() throws -> Entry? { try descend { _, _ in 0 } }
  func last() throws -> Entry? { try descend { page, _ in page.count - 1 } }

  /// The first entry at or after `key`.
  func seek(_ key: UnsafeRawBufferPointer) throws -> Entry? {
    let found = try descend { page, isLeaf in
      isLeaf ? try page.lowerBound(key, isLeaf: true) : try page.descent(key)
    }
    guard let leaf = levels.last else { return nil }
    if let found, order(found.key, key) == 0 { return found }
    // Another entry than that of the key is right where the pages that lead there are, and the entries beside it.
    for level in levels {
      try pages.requireOrder(of: level.page, isLeaf: level.page.number == leaf.page.number)
    }
    if found != nil {
      if leaf.index == 0 { try requirePrevious(below: key) }
      return found
    }
    // Every key of the leaf is below it: the next leaf begins above.
    levels[levels.count - 1].index = leaf.page.count - 1
    let following = try next()
    guard following.map({ order($0.key, key) > 0 }) ?? true else {
      throw pages.damaged("page \(leaf.page.number) and its neighbours are not in order")
    }
    return following
  }

  /// Makes sure that the entry before the position, in another leaf, is below `key`.
  private func requirePrevious(below key: UnsafeRawBufferPointer) throws {
    guard let before = try entryBefore(), order(before.key, key) >= 0 else { return }
    throw pages.damaged("a page and the one before it are not in order")
  }

  /// The entry before the position, which stays.
  func entryBefore() throws -> Entry? {
    let position = levels
    defer { levels = position }
    return try previous()
  }

  func next() throws -> Entry? { try move(1) ? entry() : nil }
  func previous() throws -> Entry? { try move(-1) ? entry() : nil }

  /// Goes to the next entry without reading its value; false when there is none.
  func advance() throws -> Bool { try move(1) }

  /// The key at the position, and how long its value is, which stays unread; nil where the cursor stands on no entry.
  func size() throws -> (key: UnsafeRawBufferPointer, valueByteCount: Int)? {
    guard let leaf = levels.last, leaf.index < leaf.page.count else { return nil }
    return (try leaf.page.key(leaf.index), try leaf.page.valueByteCount(leaf.index))
  }

  /// Goes from the root to a leaf; nil when the index chosen there is none of the leaf's.
  private func descend(_ choose: (Page, _ isLeaf: Bool) throws -> Int) throws -> Entry? {
    levels.removeAll(keepingCapacity: true)
    guard let root = tree.root else { return nil }
    try push(root, choose)
    return try entry()
  }

  private func push(_ number: UInt64, _ choose: (Page, _ isLeaf: Bool) throws -> Int) throws {
    var number = number
    while true {
      let isLeaf = levels.count == tree.depth - 1
      let page = try pages.page(number, isLeaf: isLeaf)
      let index = try choose(page, isLeaf)
      levels.append(Level(page: page, index: index))
      if isLeaf { return }
      number = try page.child(index)
    }
  }

  private func move(_ direction: Int) throws -> Bool {
    guard let leaf = levels.last else { return false }
    let before = try leaf.page.key(leaf.index)
    if (0..<leaf.page.count).contains(leaf.index + direction) {
      levels[levels.count - 1].index += direction
    } else {
      repeat {
        levels.removeLast()
        guard let level = levels.last else { return false }
        levels[levels.count - 1].index = level.index + direction
      } while !levels[levels.count - 1].isWithinPage
      let branch = levels[levels.count - 1]
      try push(branch.page.child(branch.index)) { page, _ in direction > 0 ? 0 : page.count - 1 }
    }
    guard let found = levels.last, found.index < found.page.count,
      try order(before, found.page.key(found.index)) * direction < 0
    else { throw pages.damaged("page \(leaf.page.number) and its neighbours are not in order") }
    return true
  }

  private func entry() throws -> Entry? {
    guard let leaf = levels.last, leaf.index < leaf.page.count else { return nil }
    return (try leaf.page.key(leaf.index), try leaf.page.value(leaf.index).bytes)
  }
}

extension TreeCursor.Level {
  fileprivate var isWithinPage: Bool { (0..<page.count).contains(index) }
}
