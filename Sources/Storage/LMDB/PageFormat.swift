/// Where LMDB 0.9 keeps what in its data file, on a machine of 64 bits with little-endian numbers.
///
/// - Source: mdb.c of LMDB 0.9, structures MDB_meta, MDB_page, MDB_node and MDB_db. The format has number 1 and has
///   not changed since 2012.
enum PageFormat {
  static let magic: UInt32 = 0xBEEF_C0DE
  static let version: UInt32 = 1
  /// Bytes in front of a page's content: number u64, pad u16, flags u16, then lower and upper u16, or pages u32.
  static let headerByteCount = 16
  static let flagsOffset = 10
  static let lowerOffset = 12
  static let pageCountOffset = 12
  /// Bytes in front of an entry's key: three u16 that hold the size of the value or the number of the child page, of
  /// which a leaf's third is flags, and the size of the key u16.
  static let nodeByteCount = 8
  static let pageSizes = 512...32_768
  /// Levels that LMDB's cursors can follow.
  static let depthLimit = 32
  /// The two pages in front, which hold the state of the last two commits.
  static let metaPageCount = 2
  static let metaByteCount = 136
  /// Where in the meta data the number of their transaction stands, as its last 8 bytes.
  static let transactionOffset = 128

  /// The first bytes of every data file: page 0, flag meta, magic and version.
  static let front: [UInt8] =
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0] + [0xDE, 0xC0, 0xEF, 0xBE, 1, 0, 0, 0]

  enum PageFlag {
    static let branch: UInt16 = 1
    static let leaf: UInt16 = 2
    static let overflow: UInt16 = 4
    static let meta: UInt16 = 8
  }

  enum NodeFlag {
    /// The value lies on pages of its own.
    static let isLarge: UInt16 = 1
    /// The value is the record of a named tree.
    static let isTree: UInt16 = 2
  }
}

/// What LMDB keeps of one tree: its root, and how much is in it.
struct TreeRecord: Equatable {
  static let byteCount = 48
  /// The root of a tree without entries.
  private static let noRoot = UInt64.max

  let flags: UInt16
  let depth: Int
  let branchPageCount: UInt64
  let leafPageCount: UInt64
  let overflowPageCount: UInt64
  let entryCount: UInt64
  /// nil for a tree without entries.
  let root: UInt64?

  /// The tree of a table that a database lacks.
  static let empty = TreeRecord()

  private init() {
    (flags, depth) = (0, 0)
    (branchPageCount, leafPageCount, overflowPageCount, entryCount) = (0, 0, 0, 0)
    root = nil
  }

  /// Reads 48 bytes.
  init(_ bytes: UnsafeRawPointer) {
    func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
      bytes.loadUnaligned(fromByteOffset: offset, as: type)
    }
    flags = number(4, UInt16.self)
    depth = Int(number(6, UInt16.self))
    branchPageCount = number(8, UInt64.self)
    leafPageCount = number(16, UInt64.self)
    overflowPageCount = number(24, UInt64.self)
    entryCount = number(32, UInt64.self)
    let root = number(40, UInt64.self)
    self.root = root == TreeRecord.noRoot ? nil : root
  }

  /// Whether the numbers can belong to a tree in a file of so many pages.
  func isPlausible(pageCount: UInt64, flags: UInt16) -> Bool {
    guard self.flags == flags, depth <= PageFormat.depthLimit, branchPageCount <= pageCount,
      leafPageCount <= pageCount, overflowPageCount <= pageCount
    else { return false }
    guard let root else { return depth == 0 && entryCount == 0 }
    return depth > 0 && entryCount > 0 && root >= PageFormat.metaPageCount && root < pageCount
  }
}

/// The state of the file as one commit left it.
struct MetaPage: Equatable {
  /// Keys of the tree of free pages are numbers.
  fileprivate static let freeTreeFlags: UInt16 = 8

  let pageSize: Int
  /// Pages in use or free, those in front included.
  let pageCount: UInt64
  let transaction: UInt64
  /// Pages that may be written again, by the transaction that left them. No table needs it: it may be damaged where
  /// they are not (`PageSnapshot.freeTree`).
  fileprivate let freeTree: TreeRecord
  /// The tree that holds the records of the named ones.
  let mainTree: TreeRecord

  /// Reads a page's header and the meta data behind it; nil when they are of no meta page of this format.
  init?(_ page: UnsafeRawPointer) {
    let flags = page.loadUnaligned(fromByteOffset: PageFormat.flagsOffset, as: UInt16.self)
    let meta = page + PageFormat.headerByteCount
    let pageSize = meta.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
    let lastPage = meta.loadUnaligned(fromByteOffset: 120, as: UInt64.self)
    self.pageSize = Int(pageSize)
    pageCount = lastPage &+ 1
    transaction = meta.loadUnaligned(fromByteOffset: PageFormat.transactionOffset, as: UInt64.self)
    freeTree = TreeRecord(meta + 24)
    mainTree = TreeRecord(meta + 24 + TreeRecord.byteCount)
    guard flags == PageFormat.PageFlag.meta, meta.loadUnaligned(as: UInt32.self) == PageFormat.magic,
      meta.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == PageFormat.version,
      PageFormat.pageSizes.contains(self.pageSize), pageSize.nonzeroBitCount == 1
    else { return nil }
  }

  /// Whether the numbers that lead to the tables can be right. Those of the older of the two pages may not be: LMDB
  /// leaves a mixture there when it fails to write the page.
  var isPlausible: Bool {
    pageCount >= PageFormat.metaPageCount && pageCount <= UInt64(Int.max) / UInt64(pageSize)
      && mainTree.isPlausible(pageCount: pageCount, flags: 0)
  }

  /// Bytes of all pages of a plausible one.
  var byteCount: Int { Int(pageCount) * pageSize }
}

extension PageSnapshot {
  /// The tree of free pages.
  /// - Throws: `badData` when the numbers of it cannot be right.
  func freeTree() throws -> TreeRecord {
    guard meta.freeTree.isPlausible(pageCount: meta.pageCount, flags: MetaPage.freeTreeFlags) else {
      throw damaged("what it says of the free pages cannot be right")
    }
    return meta.freeTree
  }
}
