import Clmdb
import Faults

/// What a tree of LMDB occupies.
struct TreeSize: Equatable {
  let entries: Int
  /// Branch, leaf and overflow pages.
  let pages: Int

  fileprivate init(_ statistics: MDB_stat) {
    entries = statistics.ms_entries
    pages = statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
  }
}

extension Transaction {
  /// LMDB's own trees, which every environment has: the list of free pages, and the names of the tables.
  private static let freeList: MDB_dbi = 0
  private static let tableNames: MDB_dbi = 1

  func size(of table: Table) -> TreeSize { size(of: environment.handle(table)) }

  private func size(of tree: MDB_dbi) -> TreeSize {
    var statistics = MDB_stat()
    mdb_stat(pointer, tree, &statistics)
    return TreeSize(statistics)
  }

  /// Pages of LMDB's own: the two meta pages and its own trees.
  func ownPageCount() -> Int {
    2 + size(of: Transaction.freeList).pages + size(of: Transaction.tableNames).pages
  }

  /// Pages that nothing uses any more, and that will be used again.
  func freePageCount() throws -> Int {
    var cursor: OpaquePointer?
    try require(mdb_cursor_open(pointer, Transaction.freeList, &cursor), environment.path, "open a cursor")
    defer { mdb_cursor_close(cursor) }
    var count = 0
    var (key, value) = (MDB_val(), MDB_val())
    while true {
      let code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
      if code == MDB_NOTFOUND { return count }
      try require(code, environment.path, "read the list of free pages")
      // A record is a list of page numbers, which its length precedes.
      if value.mv_size >= MemoryLayout<Int>.size, let list = value.mv_data {
        count += list.loadUnaligned(as: Int.self)
      }
    }
  }
}
