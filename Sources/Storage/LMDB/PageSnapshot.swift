import Faults
import Glibc
import Synchronization

/// The pages of the data file as one commit left them.
///
/// Shared between threads: but for what was found out of pages, which a lock guards, nothing changes after `init`, and the
/// pages are only read.
final class PageSnapshot: @unchecked Sendable {
  private let path: String
  let base: UnsafeRawPointer
  let meta: MetaPage
  /// How many pages are in the file. Those that `meta` tells of besides are free.
  let pageCount: UInt64
  /// Keeps the map in place.
  private let owner: AnyObject?
  /// Pages of which the keys were found to ascend.
  private let ordered = Mutex<Set<UInt64>>([])

  /// - Parameters:
  ///   - base: memory of at least `pageCount` pages, which lives as long as `owner`.
  init(path: String, base: UnsafeRawPointer, meta: MetaPage, pageCount: UInt64, owner: AnyObject?) {
    self.path = path
    self.base = base
    self.meta = meta
    self.pageCount = pageCount
    self.owner = owner
  }

  var borrowed: BorrowedPages {
    BorrowedPages(base: base, pageSize: meta.pageSize, pageCount: pageCount, snapshot: self)
  }

  /// - Throws: `badData` when the number lies outside the file or the page is not what a tree may hold there.
  func page(_ number: UInt64, isLeaf: Bool) throws -> Page { try borrowed.page(number, isLeaf: isLeaf) }

  /// Looks through the keys of a page once, however often it is asked for.
  /// - Throws: `badData` when they do not ascend.
  func requireOrder(of page: Page, isLeaf: Bool) throws {
    if ordered.withLock({ $0.contains(page.number) }) { return }
    try page.requireOrder(isLeaf: isLeaf)
    _ = ordered.withLock { $0.insert(page.number) }
  }

  func damaged(_ problem: String) -> Fault {
    Fault(
      .badData, path, "is damaged: \(problem)",
      remedy: "restore a copy, or see with cellvec check what can still be read")
  }
}

/// The pages of a snapshot, which must outlive this.
///
/// It does not count as a user of the snapshot: threads that read a database look millions of records up, and would wait for
/// one another to change the one count.
struct BorrowedPages {
  fileprivate let base: UnsafeRawPointer
  fileprivate let pageSize: Int
  fileprivate let pageCount: UInt64
  unowned(unsafe) let snapshot: PageSnapshot

  /// - Throws: `badData` when the number lies outside the file or the page is not what a tree may hold there.
  func page(_ number: UInt64, isLeaf: Bool) throws -> Page {
    guard number >= PageFormat.metaPageCount, number < pageCount else {
      throw snapshot.damaged("a page \(number) is named that it does not have")
    }
    let page = Page(number: number, of: self)
    try page.check(isLeaf: isLeaf)
    return page
  }
}

/// One page of a tree: entries in the order of their keys. Every number of it is checked before it is followed.
struct Page {
  let number: UInt64
  private let base: UnsafeRawPointer
  private let pages: BorrowedPages
  /// Entries of the page.
  let count: Int

  private var pageSize: Int { pages.pageSize }

  fileprivate init(number: UInt64, of pages: BorrowedPages) {
    self.number = number
    self.pages = pages
    base = pages.base + Int(number) * pages.pageSize
    let lower = base.loadUnaligned(fromByteOffset: PageFormat.lowerOffset, as: UInt16.self)
    count = (Int(lower) - PageFormat.headerByteCount) / 2
  }

  fileprivate func check(isLeaf: Bool) throws {
    let kind = isLeaf ? PageFormat.PageFlag.leaf : PageFormat.PageFlag.branch
    guard base.loadUnaligned(as: UInt64.self) == number,
      base.loadUnaligned(fromByteOffset: PageFormat.flagsOffset, as: UInt16.self) == kind,
      count >= (isLeaf ? 1 : 2),
      PageFormat.headerByteCount + count * (2 + PageFormat.nodeByteCount) <= pageSize
    else { throw damaged("is no \(isLeaf ? "leaf" : "branch") of a tree") }
  }

  private func damaged(_ problem: String) -> Fault { pages.snapshot.damaged("page \(number) \(problem)") }

  /// Where an entry begins, and the bytes of its key. Entry and key lie within the page.
  private func node(_ index: Int) throws -> (offset: Int, keyByteCount: Int) {
    let offset = Int(
      base.loadUnaligned(fromByteOffset: PageFormat.headerByteCount + 2 * index, as: UInt16.self))
    guard offset >= PageFormat.headerByteCount + 2 * count, offset + PageFormat.nodeByteCount <= pageSize
    else { throw damaged("has an entry outside of itself") }
    let keyByteCount = Int(base.loadUnaligned(fromByteOffset: offset + 6, as: UInt16.self))
    guard offset + PageFormat.nodeByteCount + keyByteCount <= pageSize else {
      throw damaged("has a key longer than itself")
    }
    return (offset, keyByteCount)
  }

  /// The key of an entry. The first of a branch is empty and stands below all others.
  func key(_ index: Int) throws -> UnsafeRawBufferPointer {
    let (offset, keyByteCount) = try node(index)
    return UnsafeRawBufferPointer(start: base + offset + PageFormat.nodeByteCount, count: keyByteCount)
  }

  /// The page that an entry of a branch leads to.
  func child(_ index: Int) throws -> UInt64 {
    let (offset, _) = try node(index)
    let low = base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    let high = base.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
    return UInt64(low) | UInt64(high) << 32
  }

  /// Where the value of an entry of a leaf lies.
  struct Value {
    let bytes: UnsafeRawBufferPointer
    /// The record of a named tree.
    let isTree: Bool
    /// The pages that the value has to itself.
    let pages: Range<UInt64>?
  }

  /// How long the value of an entry of a leaf is said to be; the value is not looked at.
  func valueByteCount(_ index: Int) throws -> Int {
    Int(base.loadUnaligned(fromByteOffset: try node(index).offset, as: UInt32.self))
  }

  func value(_ index: Int) throws -> Value {
    let (offset, keyByteCount) = try node(index)
    let byteCount = Int(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    let flags = base.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
    let start = offset + PageFormat.nodeByteCount + keyByteCount
    guard flags & ~(PageFormat.NodeFlag.isLarge | PageFormat.NodeFlag.isTree) == 0 else {
      throw damaged("has an entry of an unknown kind")
    }
    let isTree = flags & PageFormat.NodeFlag.isTree != 0
    if flags & PageFormat.NodeFlag.isLarge != 0, !isTree {
      guard start + 8 <= pageSize else { throw damaged("has a value outside of itself") }
      return try largeValue(at: base.loadUnaligned(fromByteOffset: start, as: UInt64.self), byteCount)
    }
    guard start + byteCount <= pageSize, !isTree || byteCount == TreeRecord.byteCount else {
      throw damaged("has a value longer than itself")
    }
    return Value(
      bytes: UnsafeRawBufferPointer(start: base + start, count: byteCount), isTree: isTree, pages: nil)
  }

  private func largeValue(at first: UInt64, _ byteCount: Int) throws -> Value {
    let needed = UInt64((PageFormat.headerByteCount + byteCount + pageSize - 1) / pageSize)
    guard first >= PageFormat.metaPageCount, first < pages.pageCount else {
      throw damaged("has a value outside of the file")
    }
    let header = pages.base + Int(first) * pageSize
    // A value that became smaller within its transaction keeps its pages.
    let pageCount = UInt64(header.loadUnaligned(fromByteOffset: PageFormat.pageCountOffset, as: UInt32.self))
    guard header.loadUnaligned(as: UInt64.self) == first,
      header.loadUnaligned(fromByteOffset: PageFormat.flagsOffset, as: UInt16.self)
        == PageFormat.PageFlag.overflow,
      pageCount >= needed, pageCount <= pages.pageCount - first
    else { throw pages.snapshot.damaged("page \(first) is not the value that page \(number) says it is") }
    return Value(
      bytes: UnsafeRawBufferPointer(start: header + PageFormat.headerByteCount, count: byteCount),
      isTree: false, pages: first..<first + pageCount)
  }

  /// - Throws: `badData` when keys do not ascend. The first of a branch counts as the lowest of all.
  fileprivate func requireOrder(isLeaf: Bool) throws {
    var index = isLeaf ? 1 : 2
    while index < count {
      guard try order(key(index - 1), key(index)) < 0 else { throw damaged("is not in order") }
      index += 1
    }
  }

  /// The first entry whose key is not below `key`; `count` when all are. In a branch the first key counts as the
  /// lowest of all.
  func lowerBound(_ key: UnsafeRawBufferPointer, isLeaf: Bool) throws -> Int {
    var low = isLeaf ? 0 : 1
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if order(try self.key(middle), key) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The entry of a branch below which `key` lies.
  func descent(_ key: UnsafeRawBufferPointer) throws -> Int {
    let bound = try lowerBound(key, isLeaf: false)
    return try bound < count && order(self.key(bound), key) == 0 ? bound : bound - 1
  }
}

extension Page {
  /// The last key of a leaf whose every entry has a key of four bytes, above that of the entry before, and holds its value
  /// within the page; nil for any other page, sound or not.
  ///
  /// Most leaves of a database are those of its cells, and such. Tells in one pass what `key`, `value` and `order` tell
  /// entry by entry.
  func lastKeyOfPlainEntries() -> UnsafeRawBufferPointer? {
    let keyByteCount = 4
    var offset = 0
    var last = -1
    for index in 0..<count {
      offset = Int(
        base.loadUnaligned(fromByteOffset: PageFormat.headerByteCount + 2 * index, as: UInt16.self))
      let start = offset + PageFormat.nodeByteCount + keyByteCount
      guard offset >= PageFormat.headerByteCount + 2 * count, start <= pageSize else { return nil }
      // Size of the value u32, flags u16, size of the key u16.
      let node = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let key = UInt32(
        bigEndian: base.loadUnaligned(fromByteOffset: offset + PageFormat.nodeByteCount, as: UInt32.self))
      guard node >> 32 == UInt64(keyByteCount) << 16, start + Int(node & 0xFFFF_FFFF) <= pageSize,
        Int(key) > last
      else { return nil }
      last = Int(key)
    }
    return UnsafeRawBufferPointer(start: base + offset + PageFormat.nodeByteCount, count: keyByteCount)
  }
}

/// LMDB's order of keys: byte by byte, and the shorter first. Below, at or above 0.
func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
  let common = min(left.count, right.count)
  if common > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress {
    let difference = memcmp(leftBase, rightBase, common)
    if difference != 0 { return Int(difference) }
  }
  return left.count - right.count
}
