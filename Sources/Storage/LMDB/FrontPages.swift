import Faults
import Formats
import Glibc

/// The two pages in front of a data file of which one is damaged, and what can be gone on from.
///
/// Each tells of one of the last two commits. A commit writes one of them, and no page that the other leads to: either
/// alone is a whole database. After a failure of the power only the newer one need be: the page of the last commit may not
/// have come to the disk (`Durability.withNext`), and the page in its place leads to some that were used again since.
struct FrontPages {
  /// The page that is right; of two, the newer one.
  let sound: MetaPage
  /// The number that the other page has for its transaction, right or not.
  private let otherNumber: UInt64

  /// Looks for the pages in a file of any page size.
  /// - Returns: nil when neither is right.
  init?(path: String) throws(Fault) {
    let file = try MappedFile(path: path)
    let candidates = FrontPages.pageSizes.flatMap { pageSize in
      (0..<PageFormat.metaPageCount).compactMap { FrontPages.candidate($0, pageSize, of: file, path) }
    }
    guard let best = FrontPages.best(of: candidates), let base = file.bytes.baseAddress else { return nil }
    sound = best
    let number =
      FrontPages.offset(ofPageBeside: best) + PageFormat.headerByteCount + PageFormat.transactionOffset
    otherNumber = base.loadUnaligned(fromByteOffset: number, as: UInt64.self)
  }

  static let pageSizes = (0..<16).map { 1 << $0 }.filter(PageFormat.pageSizes.contains)

  /// Where the other of the two pages lies.
  private static func offset(ofPageBeside meta: MetaPage) -> Int {
    meta.transaction.isMultiple(of: 2) ? meta.pageSize : 0
  }

  /// A page that can be right.
  private struct Candidate {
    let meta: MetaPage
    /// Whether it was its transaction that last set pages free.
    let isConfirmed: Bool
    /// Whether it is, as far as its seal tells, what was written. A failed commit can leave another one only beside
    /// a newer page.
    let isAsSealed: Bool
  }

  /// A page that is as it was sealed before one that is not. Of pages that contradict each other, one that the list of
  /// free pages confirms. Otherwise that list says nothing: it can be damaged where no table is, and `Database.rebuild`
  /// mends it with nothing lost. Of equals, the newer one.
  private static func best(of candidates: [Candidate]) -> MetaPage? {
    if candidates.contains(where: \.isAsSealed), !candidates.allSatisfy(\.isAsSealed) {
      return best(of: candidates.filter(\.isAsSealed))
    }
    let contradict = !(candidates.count == 2 && areNeighbours(candidates[0].meta, candidates[1].meta))
    let confirmed = candidates.filter(\.isConfirmed)
    let trusted = contradict && !confirmed.isEmpty ? confirmed : candidates
    return trusted.map(\.meta).max { $0.transaction < $1.transaction }
  }

  private static func areNeighbours(_ first: MetaPage, _ second: MetaPage) -> Bool {
    first.pageSize == second.pageSize && PageFile.areNeighbours(first, second)
  }

  /// A page whose numbers are possible, and whose tables are found.
  private static func candidate(
    _ page: Int, _ pageSize: Int, of file: MappedFile, _ path: String
  ) -> Candidate? {
    guard let base = file.bytes.baseAddress, file.bytes.count >= PageFormat.metaPageCount * pageSize,
      let meta = MetaPage(base + page * pageSize), meta.pageSize == pageSize, meta.isPlausible,
      meta.transaction % 2 == UInt64(page)
    else { return nil }
    let present = min(meta.pageCount, UInt64(file.bytes.count / pageSize))
    let pages = PageSnapshot(path: path, base: base, meta: meta, pageCount: present, owner: file)
    do {
      if present < meta.pageCount, FreePages.areCut(pages) { return nil }
      _ = try TableTrees(pages, path: path)
    } catch {
      return nil
    }
    let isAsSealed = FrontPage(base + page * pageSize).isAsSealed { meta in
      guard let root = meta.mainTree.root, root < present else { return nil }
      return Array(UnsafeRawBufferPointer(start: base + Int(root) * pageSize, count: pageSize))
    }
    return Candidate(
      meta: meta, isConfirmed: (try? freeTreeConfirms(pages)) ?? false, isAsSealed: isAsSealed)
  }

  private static func freeTreeConfirms(_ pages: PageSnapshot) throws -> Bool {
    guard let last = try TreeCursor(pages, pages.freeTree()).last() else { return true }
    guard last.key.count == 8 else { return false }
    // A page that was made anew tells of the commit behind its own.
    let number = last.key.loadUnaligned(as: UInt64.self)
    return number == pages.meta.transaction || number == pages.meta.transaction &+ 1
  }

  /// Whether the page is also the newer one by the number of the other.
  var isNewest: Bool { otherNumber <= sound.transaction }
  /// Whether the other page was of the commit before, so that nothing is lost with it.
  var hasLostNothing: Bool { otherNumber &+ 1 == sound.transaction }
  /// The number of the other page, 0 or 1.
  var otherPage: Int { sound.transaction.isMultiple(of: 2) ? 1 : 0 }

  /// Writes the bytes of the other page to a file of their own, durably. A repair that is killed meanwhile has changed
  /// nothing yet, and the next one writes the file again: no copy under another name is left behind.
  func saveOther(of path: String, to copy: String) throws {
    let file = try MappedFile(path: path)
    guard let base = file.bytes.baseAddress else { return }
    let descriptor = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else { throw Fault.system(copy, "create") }
    defer { close(descriptor) }
    guard write(descriptor, base + otherPage * sound.pageSize, sound.pageSize) == sound.pageSize,
      fsync(descriptor) == 0
    else { throw Fault.system(copy, "write") }
    try syncFolder(of: copy)
  }

  /// Makes the other page tell of the same commit, as a compact copy does, and makes that durable. Both are sealed as they
  /// are then. Nobody may have the file open.
  func writeOther(to path: String) throws {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    defer { close(descriptor) }
    let byteCount = PageFormat.headerByteCount + PageFormat.metaByteCount
    var bytes = [UInt8](repeating: 0, count: byteCount)
    guard pread(descriptor, &bytes, byteCount, off_t((1 - otherPage) * sound.pageSize)) == byteCount else {
      throw Fault.system(path, "read")
    }
    // The number of the page in front, that of the commit behind.
    bytes.replaceSubrange(..<8, with: withUnsafeBytes(of: UInt64(otherPage).littleEndian, Array.init))
    let number = (sound.transaction - 1).littleEndian
    bytes.replaceSubrange((byteCount - 8)..., with: withUnsafeBytes(of: number, Array.init))
    guard pwrite(descriptor, bytes, byteCount, off_t(otherPage * sound.pageSize)) == byteCount else {
      throw Fault.system(path, "write")
    }
    for transaction in [sound.transaction - 1, sound.transaction] {
      FrontPage.seal(transaction, pageSize: sound.pageSize, of: descriptor, path)
    }
    guard fsync(descriptor) == 0 else { throw Fault.system(path, "write to disk") }
  }
}
