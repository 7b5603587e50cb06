/// The pages that a commit left free: what the tree of free pages has, lists by transaction.
struct FreePages {
  private let pages: PageSnapshot
  private let tree: TreeRecord
  private let first: UInt64
  private var count: UInt64 = 0
  private var visitedPages: UInt64 = 0

  /// Whether the file was cut: a page that is not free, or that says which ones are, lies behind its end. A list that is
  /// damaged otherwise says nothing.
  static func areCut(_ pages: PageSnapshot) -> Bool {
    do {
      return try count(from: pages.pageCount, of: pages) != pages.meta.pageCount - pages.pageCount
    } catch {
      return error is Missing
    }
  }

  /// How many free pages have the number `first` or a higher one.
  /// - Throws: `badData` for a tree that is none, `Missing` for one that the file has not all of.
  private static func count(from first: UInt64, of pages: PageSnapshot) throws -> UInt64 {
    var free = FreePages(pages: pages, tree: try pages.freeTree(), first: first)
    if let root = free.tree.root { try free.visit(root, level: 0) }
    return free.count
  }

  /// A page of the tree lies behind the end of the file, and not behind the last page of the database.
  private struct Missing: Error {}

  private init(pages: PageSnapshot, tree: TreeRecord, first: UInt64) {
    self.pages = pages
    self.tree = tree
    self.first = first
  }

  private mutating func visit(_ number: UInt64, level: Int) throws {
    visitedPages += 1
    // Pages that lead to one another would be visited over and over.
    guard visitedPages <= tree.branchPageCount + tree.leafPageCount else {
      throw pages.damaged("the free pages are in more pages than they say")
    }
    if number >= pages.pageCount, number < pages.meta.pageCount { throw Missing() }
    let isLeaf = level == tree.depth - 1
    let page = try pages.page(number, isLeaf: isLeaf)
    for index in 0..<page.count {
      if isLeaf {
        let list = try page.value(index).bytes
        // The length of the list, then the numbers.
        for offset in stride(from: 8, to: list.count - 7, by: 8)
        where list.loadUnaligned(fromByteOffset: offset, as: UInt64.self) >= first { count += 1 }
      } else {
        try visit(page.child(index), level: level + 1)
      }
    }
  }
}
