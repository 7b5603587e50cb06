import Faults

/// The trees of all tables as one commit left them.
///
/// Shared between threads: nothing changes after `init`.
final class TableTrees: @unchecked Sendable {
  let pages: PageSnapshot
  /// By table.
  private let records: UnsafePointer<TreeRecord>

  /// - Throws: `missingInput` for a database whose making was interrupted, `badData` for one of another program.
  init(_ pages: PageSnapshot, path: String) throws {
    self.pages = pages
    guard pages.meta.mainTree.root != nil else { throw lmdbEmptyDatabase(path) }
    let found = try Table.allCases.map { table in
      guard let record = try TableTrees.record(of: table, pages) ?? (table.isOptional ? .empty : nil) else {
        throw Fault(
          .badData, path, expected: "a cellvec database", found: "no table \"\(table.name)\" in it",
          remedy: "name the directory that ingest or import made")
      }
      return record
    }
    let records = UnsafeMutablePointer<TreeRecord>.allocate(capacity: found.count)
    records.initialize(from: found, count: found.count)
    self.records = UnsafePointer(records)
  }

  deinit { records.deallocate() }

  subscript(table: Table) -> TreeRecord { records[table.rawValue] }

  var borrowed: BorrowedTrees { BorrowedTrees(pages: pages.borrowed, records: records) }

  private static func record(of table: Table, _ pages: PageSnapshot) throws -> TreeRecord? {
    let value = try Array(table.name.utf8).withUnsafeBytes {
      try TreeCursor.find($0, in: pages.meta.mainTree, of: pages.borrowed)
    }
    guard let value else { return nil }
    guard value.isTree, let bytes = value.bytes.baseAddress else {
      throw pages.damaged("\"\(table.name)\" is no table")
    }
    let record = TreeRecord(bytes)
    guard record.isPlausible(pageCount: pages.meta.pageCount, flags: 0) else {
      throw pages.damaged("what it says of table \"\(table.name)\" cannot be right")
    }
    return record
  }
}

/// The trees of all tables, which must outlive this; see `BorrowedPages`.
struct BorrowedTrees {
  let pages: BorrowedPages
  fileprivate let records: UnsafePointer<TreeRecord>

  /// The value of a key of a table; nil when it does not have it.
  func find(_ key: UnsafeRawBufferPointer, in table: Table) throws -> Page.Value? {
    try TreeCursor.find(key, in: records[table.rawValue], of: pages)
  }
}
