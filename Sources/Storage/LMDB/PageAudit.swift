import Faults

/// Compares the whole structure of the data file with itself: every page is of one tree or free, keys ascend, and
/// each tree has as many pages and entries as its record says.
///
/// - Complexity: reads every branch and leaf and the head of every large value; a bit for each page in memory.
struct PageAudit {
  /// A fault, and the table whose pages it is of; nil for pages that belong to none, or to all.
  struct Finding {
    let fault: Fault
    let table: Table?
    /// Whether only the list of pages that are free is wrong.
    let isOfFreePages: Bool
  }

  private let pages: PageSnapshot
  private var seen: [UInt64]
  private var findings: [Finding] = []

  /// What is wrong with a snapshot; empty for a sound one.
  static func findings(of pages: PageSnapshot) -> [Finding] {
    var audit = PageAudit(pages)
    audit.run()
    return audit.findings
  }

  /// - Throws: `badData` when something is wrong with the pages.
  static func requireSoundness(of pages: PageSnapshot) throws {
    if let finding = findings(of: pages).first { throw finding.fault }
  }

  private init(_ pages: PageSnapshot) {
    self.pages = pages
    seen = Array(repeating: 0, count: Int(pages.meta.pageCount / 64) + 1)
  }

  /// Where two trees have one page, the later one is found at fault: those that cannot be made again come first.
  private mutating func run() {
    var trees: [Table?: [(name: String, record: TreeRecord)]] = [:]
    attempt { audit in
      try audit.walk(audit.pages.meta.mainTree, named: "the tables") { audit, key, value in
        guard value.isTree, let bytes = value.bytes.baseAddress else { return }
        let tree = TreeRecord(bytes)
        let name = legibleText(key)
        guard tree.isPlausible(pageCount: audit.pages.meta.pageCount, flags: 0) else {
          throw audit.pages.damaged("what it says of table \"\(name)\" cannot be right")
        }
        trees[Table.allCases.first { $0.name == name }, default: []].append((name, tree))
      }
    }
    let tables: [Table?] =
      Table.allCases.filter { !$0.isDerived } + Table.allCases.filter(\.isDerived) + [nil]
    for table in tables {
      for (name, record) in trees[table] ?? [] {
        attempt(of: table) { try $0.walk(record, named: "table \"\(name)\"") { _, _, _ in } }
      }
    }
    attempt(isOfFreePages: true) { audit in
      try audit.walk(audit.pages.freeTree(), named: "the free pages", isFreeTree: true) {
        audit, _, value in
        try audit.claimFreePages(value.bytes)
      }
    }
  }

  private mutating func attempt(
    of table: Table? = nil, isOfFreePages: Bool = false, _ body: (inout PageAudit) throws -> Void
  ) {
    do {
      try body(&self)
    } catch {
      let fault = error as? Fault ?? pages.damaged("\(error)")
      findings.append(Finding(fault: fault, table: table, isOfFreePages: isOfFreePages))
    }
  }

  /// Notes that a page is taken.
  private mutating func claim(_ number: UInt64, _ user: @autoclosure () -> String) throws {
    let (word, bit) = (Int(number / 64), UInt64(1) << (number % 64))
    guard number >= PageFormat.metaPageCount, number < pages.meta.pageCount, seen[word] & bit == 0 else {
      throw pages.damaged("page \(number) of \(user()) is not its own")
    }
    seen[word] |= bit
  }

  /// Notes that pages within the file are taken.
  private mutating func claim(_ numbers: Range<UInt64>, _ user: @autoclosure () -> String) throws {
    var number = numbers.lowerBound
    while number < numbers.upperBound {
      let word = Int(number / 64)
      let end = min(numbers.upperBound, UInt64(word + 1) * 64)
      let bits = (UInt64.max >> (64 - (end - number))) << (number % 64)
      if number >= PageFormat.metaPageCount, seen[word] & bits == 0 {
        seen[word] |= bits
      } else {
        for number in number..<end { try claim(number, user()) }
      }
      number = end
    }
  }

  /// A value of the free tree: a count, then that many pages in descending order, all u64.
  private mutating func claimFreePages(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count >= 8, bytes.count.isMultiple(of: 8),
      bytes.loadUnaligned(as: UInt64.self) == UInt64(bytes.count / 8 - 1)
    else { throw pages.damaged("a list of free pages has a wrong length") }
    var above = UInt64.max
    for offset in stride(from: 8, to: bytes.count, by: 8) {
      let number = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      guard number < above else { throw pages.damaged("a list of free pages is not in order") }
      try claim(number, "a list of free pages")
      above = number
    }
  }

  // MARK: Trees

  /// Gets the entries of a tree; not those of whole leaves that name no page.
  private typealias Visit = (inout PageAudit, _ key: UnsafeRawBufferPointer, Page.Value) throws -> Void

  private mutating func walk(
    _ tree: TreeRecord, named name: String, isFreeTree: Bool = false, _ visit: Visit
  ) throws {
    var walk = Walk(tree: tree, name: name, isFreeTree: isFreeTree)
    if let root = tree.root { try self.visit(root, level: 0, &walk, visit) }
    guard walk.branches == tree.branchPageCount, walk.leaves == tree.leafPageCount,
      walk.overflows == tree.overflowPageCount, walk.entries == tree.entryCount
    else { throw pages.damaged("\(name) has other pages or entries than it says") }
  }

  fileprivate struct Walk {
    let tree: TreeRecord
    let name: String
    let isFreeTree: Bool
    var branches: UInt64 = 0
    var leaves: UInt64 = 0
    var overflows: UInt64 = 0
    var entries: UInt64 = 0
    /// The key of the entry before.
    var last: UnsafeRawBufferPointer?
    /// The key of the branch to the right of which the next entry stands.
    var separator: UnsafeRawBufferPointer?
  }

  private mutating func visit(_ number: UInt64, level: Int, _ walk: inout Walk, _ visit: Visit) throws {
    try claim(number, walk.name)
    let isLeaf = level == walk.tree.depth - 1
    let page = try pages.page(number, isLeaf: isLeaf)
    if isLeaf, !walk.isFreeTree, let last = page.lastKeyOfPlainEntries() {
      try ascend(to: page.key(0), &walk, page)
      walk.last = last
      walk.separator = nil
      walk.leaves += 1
      walk.entries += UInt64(page.count)
      return
    }
    for index in 0..<page.count {
      let key = try page.key(index)
      if isLeaf {
        try ascend(to: key, &walk, page)
        walk.last = key
        walk.separator = nil
        let value = try page.value(index)
        if let pages = value.pages {
          try claim(pages, walk.name)
          walk.overflows += UInt64(pages.count)
        }
        try visit(&self, key, value)
      } else {
        // A separator is above all keys to its left, and not above those to its right.
        if index > 0 {
          try ascend(to: key, &walk, page)
          walk.separator = key
        }
        try self.visit(page.child(index), level: level + 1, &walk, visit)
      }
    }
    walk.branches += isLeaf ? 0 : 1
    walk.leaves += isLeaf ? 1 : 0
    walk.entries += isLeaf ? UInt64(page.count) : 0
  }

  private func ascend(to key: UnsafeRawBufferPointer, _ walk: inout Walk, _ page: Page) throws {
    guard !walk.isFreeTree || key.count == 8 else {
      throw pages.damaged("page \(page.number) of \(walk.name) has a key of \(key.count) bytes")
    }
    let isInOrder =
      walk.last.map { walk.order($0, key) < 0 } ?? true
      && walk.separator.map { walk.order($0, key) <= 0 } ?? true
    guard isInOrder else { throw pages.damaged("page \(page.number) of \(walk.name) is not in order") }
  }
}

extension PageAudit.Walk {
  /// The order of two keys of the tree: below, at or above 0.
  fileprivate func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    guard isFreeTree else { return Storage.order(left, right) }
    let (left, right) = (left.loadUnaligned(as: UInt64.self), right.loadUnaligned(as: UInt64.self))
    return left < right ? -1 : left > right ? 1 : 0
  }
}
