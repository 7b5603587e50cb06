import Faults
import Glibc

/// One of the two pages in front as it lies in the file: what LMDB keeps there, and our seal behind it.
struct FrontPage {
  private static let contentByteCount = PageFormat.headerByteCount + PageFormat.metaByteCount
  private static let byteCount = MetaSeal.offset + MetaSeal.byteCount

  /// Header and meta data.
  let content: [UInt8]
  let seal: MetaSeal?
  /// nil where the content is of no meta page of this format.
  let meta: MetaPage?

  init(content: [UInt8], seal: MetaSeal?) {
    self.content = content
    self.seal = seal
    meta = content.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { MetaPage($0) } }
  }

  /// - Returns: nil where the file ends before it.
  init?(of descriptor: Int32, at offset: Int, _ path: String) throws {
    let bytes = try FrontPage.read(FrontPage.byteCount, at: offset, of: descriptor, path)
    guard bytes.count >= FrontPage.contentByteCount else { return nil }
    self.init(
      content: Array(bytes.prefix(FrontPage.contentByteCount)),
      seal: MetaSeal(decoding: bytes.dropFirst(MetaSeal.offset)))
  }

  /// Reads a whole page from memory.
  init(_ page: UnsafeRawPointer) {
    let bytes = Array(UnsafeRawBufferPointer(start: page, count: FrontPage.byteCount))
    self.init(
      content: Array(bytes.prefix(FrontPage.contentByteCount)),
      seal: MetaSeal(decoding: bytes.dropFirst(MetaSeal.offset)))
  }

  /// Up to `byteCount` bytes from an offset of the file on; fewer where it ends.
  private static func read(
    _ byteCount: Int, at offset: Int, of descriptor: Int32, _ path: String
  ) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count = pread(descriptor, &bytes, byteCount, off_t(offset))
    guard count >= 0 else { throw Fault.system(path, "read the database") }
    bytes.removeLast(byteCount - count)
    return bytes
  }

  // MARK: What the seal tells

  /// Whether the page has another number than the commit had whose page it is. Such a page hides the last commit, or
  /// takes its place.
  ///
  /// A page that was written since it was sealed, or that a failed commit has left, differs from the sealed one in
  /// its trees.
  var hasAlteredNumber: Bool {
    guard let seal, let meta, seal.transaction != meta.transaction else { return false }
    return MetaSeal.checksum(of: renumbered(seal.transaction)) == seal.contentChecksum
  }

  /// Whether the page of the last commit, and the page of its tables, are what was sealed, or were not sealed since
  /// they were written. Of the older page, a failed commit may leave another one with the same number.
  /// - Parameter tables: the root page of the tree of tables; nil where the file ends before its end.
  func isAsSealed(tables: (MetaPage) throws -> [UInt8]?) rethrows -> Bool {
    guard let seal, let meta, seal.transaction == meta.transaction else { return true }
    return try MetaSeal.checksum(of: content) == seal.contentChecksum
      && tables(meta).map { MetaSeal.checksum(of: $0) == seal.tablesChecksum } ?? true
  }

  /// The content with another number for the transaction.
  func renumbered(_ transaction: UInt64) -> [UInt8] {
    content.dropLast(8) + withUnsafeBytes(of: transaction.littleEndian, Array.init)
  }

  /// The root page of the tree of tables; no bytes where that is empty, and nil where the file ends before its end.
  static func tables(of meta: MetaPage, _ descriptor: Int32, _ path: String) throws -> [UInt8]? {
    guard let root = meta.mainTree.root, meta.isPlausible else { return [] }
    let page = try read(meta.pageSize, at: Int(root) * meta.pageSize, of: descriptor, path)
    return page.count == meta.pageSize ? page : nil
  }

  /// Seals the page of a transaction that LMDB has written. Nothing depends on it: where the seal cannot be written, or is
  /// cut, the page counts as unsealed.
  static func seal(_ transaction: UInt64, pageSize: Int, of descriptor: Int32, _ path: String) {
    let offset = Int(transaction % 2) * pageSize
    // Without a write there was no commit; or a later one has the page already.
    guard let page = try? FrontPage(of: descriptor, at: offset, path), let meta = page.meta,
      meta.transaction == transaction, let tables = try? tables(of: meta, descriptor, path)
    else { return }
    let seal = MetaSeal(transaction: transaction, content: page.content, tables: tables).encoded()
    _ = pwrite(descriptor, seal, seal.count, off_t(offset + MetaSeal.offset))
  }
}
