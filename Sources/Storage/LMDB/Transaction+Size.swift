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
  func ownPageCount() -> Int {
    let meta = readTrees.pages.meta
    return PageFormat.metaPageCount + TreeSize(meta.freeTree).pages + TreeSize(meta.mainTree).pages
  }

  /// Pages that nothing uses any more, and that will be used again.
  /// - Throws: `badData` where the list of them is damaged.
  func freePageCount() throws -> Int {
    let pages = readTrees.pages
    var count = 0
    var damage: Fault?
    try TreeSurvey(pages, pages.meta.freeTree).run(
      damage: { damage = damage ?? $0 },
      entry: { _, list in
        // A record is a list of page numbers, which its length precedes.
        guard list.count >= MemoryLayout<UInt64>.size else { return }
        count += Int(clamping: min(list.loadUnaligned(as: UInt64.self), pages.meta.pageCount))
      })
    if let damage { throw damage }
    return count
  }

  private var readTrees: TableTrees {
    guard let trees else { preconditionFailure("sizes are those of a snapshot") }
    return trees
  }
}
