import Faults

/// What a tree of LMDB occupies.
struct TreeSize: Equatable {
  let entries: Int
  /// Branch, leaf and overflow pages.
  let pages: Int

  fileprivate init(_ record: TreeRecord) {
    entries = Int(clamping: record.entryCount)
    // Each is at most the file's count of pages.
    pages = Int(record.branchPageCount) + Int(record.leafPageCount) + Int(record.overflowPageCount)
  }
}

/// What things occupy; for transactions that read.
extension Transaction {
  func size(of table: Table) -> TreeSize { TreeSize(readTrees[table]) }

  var pageByteCount: Int { readTrees.pages.meta.pageSize }

  /// Pages of LMDB's own: the two meta pages, the list of free pages, and the names of the tables.
  /// - Throws: `badData` where what the file says of its free pages cannot be right.
  func ownPageCount() throws -> Int {
    let pages = readTrees.pages
    return try PageFormat.metaPageCount + TreeSize(pages.freeTree()).pages
      + TreeSize(pages.meta.mainTree).pages
  }

  /// Pages that nothing uses any more, and that will be used again.
  /// - Throws: `badData` where the list of them is damaged.
  func freePageCount() throws -> Int {
    let pages = readTrees.pages
    var count = 0
    var damage: Fault?
    try TreeSurvey(pages, pages.freeTree()).run(
      damage: { damage = damage ?? $0 },
      entry: { _, list in
        // A record is a list of page numbers, which its length precedes.
        guard list.count >= MemoryLayout<UInt64>.size else { return }
        count += Int(clamping: min(list.loadUnaligned(as: UInt64.self), pages.meta.pageCount))
      })
    if let damage { throw damage }
    return count
  }

  /// Calls `body` with the bytes of the key and of the value of each entry whose key begins with `prefix`, in order of
  /// keys. Values are not read: most of a file is theirs.
  func forEachSize(
    _ table: Table, prefix: Key, _ body: (_ keyByteCount: Int, _ valueByteCount: Int) -> Void
  ) throws {
    let cursor = TreeCursor(readTrees.pages, readTrees[table])
    guard try prefix.bytes.withUnsafeBytes({ try cursor.seek($0) }) != nil else { return }
    let sealByteCount = table.isSealed ? Seal.byteCount : 0
    while let (key, byteCount) = try cursor.size(), key.starts(with: prefix.bytes) {
      body(key.count, max(0, byteCount - sealByteCount))
      guard try cursor.advance() else { return }
    }
  }

  private var readTrees: TableTrees {
    guard let trees else { preconditionFailure("sizes are those of a snapshot") }
    return trees
  }
}
