import Faults
import Glibc

/// What has changed at the front of a data file since it was sealed: the number of one of the first two pages, or a bit
/// of them, or of the pages with which they say that their tables begin. The checksums tell which bit it is.
///
/// Both commits that the pages tell of lie in the file as they were written: no page of the older one is used again
/// before the next commit. Where the power has failed, the older one can be that before the last two, of which pages were
/// used again (`Durability.withNext`); then a checksum says that more is wrong than one bit.
struct FrontRestoration {
  private var changes: [(offset: Int, bytes: [UInt8])] = []

  /// Looks for it in a file of any page size.
  init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open the database") }
    defer { close(descriptor) }
    for offset in [0] + FrontPages.pageSizes { try look(at: offset, of: descriptor, path) }
  }

  var isEmpty: Bool { changes.isEmpty }

  private mutating func look(at offset: Int, of descriptor: Int32, _ path: String) throws {
    guard let page = try FrontPage(of: descriptor, at: offset, path), let seal = page.seal,
      let content = page.hasAlteredNumber
        ? page.renumbered(seal.transaction)
        : MetaSeal.restored(page.content, checksum: seal.contentChecksum),
      let meta = FrontPage(content: content, seal: seal).meta, meta.transaction == seal.transaction,
      Int(meta.transaction % 2) * meta.pageSize == offset
    else { return }
    if content != page.content { changes.append((offset, content)) }
    guard let root = meta.mainTree.root, let tables = try FrontPage.tables(of: meta, descriptor, path),
      let restored = MetaSeal.restored(tables, checksum: seal.tablesChecksum), restored != tables
    else { return }
    changes.append((Int(root) * meta.pageSize, restored))
  }

  /// Changes it back, durably. Nobody may have the file open. Killed half-way, it has done half of it.
  func apply(to path: String) throws {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    defer { close(descriptor) }
    for (offset, bytes) in changes {
      guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
        throw Fault.system(path, "write")
      }
    }
    guard fsync(descriptor) == 0 else { throw Fault.system(path, "write to disk") }
  }
}
