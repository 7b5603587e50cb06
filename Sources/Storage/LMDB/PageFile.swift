import Clmdb
import Faults
import Formats
import Glibc
import Synchronization

/// The data file in a memory map of its own, read without LMDB.
///
/// LMDB believes the pages that it reads: a changed byte can send it beyond the end of the file, which ends the
/// process. Here every number is checked before it is followed. The map lies over the same pages of the file cache as
/// LMDB's, and the LMDB transaction that accompanies each reader keeps writers from using its pages again.
///
/// Shared between threads: nothing changes after `init` but what the system is told of the reading to come.
final class PageFile: @unchecked Sendable {
  let path: String
  private let descriptor: Int32
  private let base: UnsafeRawPointer
  private let mappedByteCount: Int
  private let pageSize: Int
  private let reading = Mutex(ExpectedReading())
  private let present = Mutex(PresentRun())

  /// Opens a file whose front `checkFront` has found sound.
  /// - Parameters:
  ///   - isWritable: whether the pages in front can be sealed.
  ///   - mapSizes: address space to reserve; the first that can be had is taken.
  init(directory: String, isWritable: Bool, mapSizes: [Int]) throws {
    path = "\(directory)/data.mdb"
    descriptor = open(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open the database") }
    do {
      pageSize = try PageFile.front(of: descriptor, path).pageSize
      (base, mappedByteCount) = try PageFile.map(descriptor, path, mapSizes)
      // Opening follows a few pages here and there.
      begin(.scattered)
      end(.scattered)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: base), mappedByteCount)
    close(descriptor)
  }

  private static func map(
    _ descriptor: Int32, _ path: String, _ sizes: [Int]
  ) throws -> (UnsafeRawPointer, Int) {
    // Half of the smallest is left where LMDB's own map has taken most of a limit; a larger file is refused later.
    for size in sizes + (sizes.last.map { [$0 / 2, $0 / 4] } ?? []) {
      if let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED {
        return (UnsafeRawPointer(address), size)
      }
    }
    throw Fault.system(path, "map the database into memory")
  }

  // MARK: The front

  /// Refuses a file that LMDB could not open safely: one that is none of its own, that was cut short, or whose meta
  /// pages contradict each other.
  /// - Returns: whether the file is there and has its two meta pages. If not, its making was interrupted or has not
  ///   begun, and nothing is lost with it.
  static func checkFront(directory: String) throws -> Bool {
    let path = "\(directory)/data.mdb"
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return false }
      throw Fault.system(path, "open the database")
    }
    defer { close(descriptor) }
    if try isUnfinished(descriptor, path) { return false }
    _ = try front(of: descriptor, path)
    return true
  }

  /// LMDB makes a file with one write of two pages, which a full disk or a kill may cut.
  private static func isUnfinished(_ descriptor: Int32, _ path: String) throws -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault.system(path, "inspect the database") }
    if let meta = try FrontPage(of: descriptor, at: 0, path)?.meta {
      return meta.transaction == 0 && Int(status.st_size) < PageFormat.metaPageCount * meta.pageSize
    }
    guard status.st_size < PageFormat.headerByteCount + PageFormat.metaByteCount else { return false }
    // A file of another kind is not written over.
    var front = [UInt8](repeating: 0, count: PageFormat.front.count)
    let count = pread(descriptor, &front, front.count, 0)
    if count < 0 { throw Fault.system(path, "read the database") }
    return PageFormat.front.starts(with: front.prefix(count))
  }

  /// The newer of the two meta pages.
  private static func front(of descriptor: Int32, _ path: String) throws -> MetaPage {
    // A writer may commit between the two reads; then the pair is read again.
    for attempt in 1... {
      if let newer = try newestMeta(of: descriptor, path) {
        do {
          _ = try presentPageCount(of: newer, descriptor, path)
          return newer
        } catch {
          // Nothing keeps a writer from using the pages that were looked at, either.
          if attempt == 10 { throw error }
        }
      }
      if attempt == 10 { throw try frontFault(of: descriptor, path) }
    }
    preconditionFailure("the loop returns or throws")
  }

  /// The newer of two pages that belong together; nil where they do not, or differ from what was sealed.
  private static func newestMeta(of descriptor: Int32, _ path: String) throws -> MetaPage? {
    guard let first = try FrontPage(of: descriptor, at: 0, path), let firstMeta = first.meta,
      let second = try FrontPage(of: descriptor, at: firstMeta.pageSize, path), let secondMeta = second.meta,
      firstMeta.pageSize == secondMeta.pageSize, areNeighbours(firstMeta, secondMeta),
      !first.hasAlteredNumber, !second.hasAlteredNumber
    else { return nil }
    let isFirst = firstMeta.transaction >= secondMeta.transaction
    let newer = isFirst ? firstMeta : secondMeta
    guard newer.isPlausible,
      try (isFirst ? first : second).isAsSealed(tables: { try FrontPage.tables(of: $0, descriptor, path) })
    else { return nil }
    return newer
  }

  /// What is wrong with the two pages in front.
  private static func frontFault(of descriptor: Int32, _ path: String) throws -> Fault {
    if try !FrontRestoration(path: path).isEmpty {
      return Fault(
        .badData, path, "is damaged: its first pages have changed since they were written",
        remedy: "cellvec check --repair changes them back, and nothing is lost")
    }
    if try FrontPages(path: path) != nil {
      return Fault(
        .badData, path, "is damaged: one of its first two pages is wrong",
        remedy: "cellvec check --repair goes on from the other")
    }
    if try FrontPage(of: descriptor, at: 0, path)?.meta == nil { try checkKind(descriptor, path) }
    return Fault(
      .badData, path, "is damaged: neither of its first two pages leads to the records",
      remedy: "restore a copy, as of cellvec backup")
  }

  /// Commits write the two pages in turn, page 0 those of even numbers. Both are 0 before the first commit.
  static func areNeighbours(_ first: MetaPage, _ second: MetaPage) -> Bool {
    if first.transaction == 0, second.transaction == 0 { return true }
    let (low, high) = (
      min(first.transaction, second.transaction), max(first.transaction, second.transaction)
    )
    return first.transaction.isMultiple(of: 2) && high - low == 1
  }

  private static func checkKind(_ descriptor: Int32, _ path: String) throws {
    var magic: UInt32 = 0
    let count = pread(descriptor, &magic, 4, off_t(PageFormat.headerByteCount))
    guard count == 4, magic == PageFormat.magic else {
      throw Fault(
        .badData, path, expected: "an LMDB data file", found: "something else",
        remedy: "name the directory of a cellvec database")
    }
  }

  /// How many of the pages that a meta page tells of are in the file.
  ///
  /// LMDB does not write a page that a transaction took and gave back: where the last ones are such, the file ends before
  /// them until they are used. Where the list of free pages is damaged, nothing says that others are missing; who reads
  /// finds out.
  /// - Throws: `badData` when a page that is not free is missing.
  private static func presentPageCount(
    of meta: MetaPage, _ descriptor: Int32, _ path: String
  ) throws -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault.system(path, "inspect the database") }
    let byteCount = Int(status.st_size)
    if byteCount >= meta.byteCount { return meta.pageCount }
    let present = UInt64(byteCount / meta.pageSize)
    guard present >= PageFormat.metaPageCount, try !isCut(to: present, meta, descriptor, path) else {
      throw Fault(
        .badData, path, expected: "at least \(meta.byteCount) bytes", found: "\(byteCount)",
        remedy: "the file was cut short; restore a copy")
    }
    return present
  }

  /// Whether a page that is not free lies behind the end of the file.
  private static func isCut(
    to present: UInt64, _ meta: MetaPage, _ descriptor: Int32, _ path: String
  ) throws -> Bool {
    let byteCount = Int(present) * meta.pageSize
    guard let start = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
      throw Fault.system(path, "map the database into memory")
    }
    defer { munmap(start, byteCount) }
    return FreePages.areCut(
      PageSnapshot(
        path: path, base: UnsafeRawPointer(start), meta: meta, pageCount: present, owner: nil))
  }

  // MARK: Snapshots

  /// Takes note that somebody reads so, until `end` is called with the same, and tells the system. Any thread may.
  func begin(_ order: ReadingOrder) { changeReading { $0.begin(order) } }

  func end(_ order: ReadingOrder) { changeReading { $0.end(order) } }

  private func changeReading(_ change: (inout ExpectedReading) -> Void) {
    reading.withLock { reading in
      let before = reading.told
      change(&reading)
      if reading.told == before { return }
      // A hint: where it is not taken, only time is lost.
      let advice = reading.told == .inOrder ? MADV_NORMAL : MADV_RANDOM
      madvise(UnsafeMutableRawPointer(mutating: base), mappedByteCount, advice)
    }
  }

  /// What the system was told of the reading to come.
  var order: ReadingOrder { reading.withLock { $0.told } }

  /// Has a value that will be read as a whole fetched in one piece where the system expects single pages.
  func willReadAll(of value: UnsafeRawBufferPointer) {
    guard value.count > pageSize, order == .scattered, let start = value.baseAddress else { return }
    // To ask for what is there takes the system twice as long as to look whether its end is; and where that is, the
    // values behind it mostly are.
    let place = (start - base) / pageSize * pageSize..<start - base + value.count
    if present.withLock({ $0.advance(over: place, pageSize: pageSize) }) { return }
    if clmdb_is_in_memory(descriptor, Int64(place.upperBound - 1)) == 1 {
      present.withLock { $0.begin(behind: place) }
    } else {
      fetch(value)
    }
  }

  /// Whether another file has taken this one's place, as when another process compacts the database.
  var isReplaced: Bool { !FileIdentity.isName(path, of: descriptor) }

  /// The pages as the last commit left them. Nothing keeps a writer from using them again.
  func latest() throws -> PageSnapshot {
    try snapshot(PageFile.front(of: descriptor, path))
  }

  /// Seals the page of a transaction that LMDB has written; for files that are writable.
  func seal(_ transaction: UInt64) {
    FrontPage.seal(transaction, pageSize: pageSize, of: descriptor, path)
  }

  /// Lets the disk begin with what was written to the file and is not on it yet. A hint: where it is not taken, only time
  /// is lost.
  func startWriting() { _ = clmdb_start_writing(descriptor) }

  /// The meta page that a transaction left; nil when it has been written over. It may be half written over when its
  /// reader holds no snapshot of it any more.
  func meta(of transaction: UInt64) -> MetaPage? {
    let meta = MetaPage(base + Int(transaction % 2) * pageSize)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return meta?.transaction == transaction && meta?.pageSize == pageSize ? meta : nil
  }

  /// The pages as a meta page tells of them.
  func snapshot(_ meta: MetaPage) throws -> PageSnapshot {
    guard meta.isPlausible else {
      throw Fault(
        .badData, path, "is damaged: its newest meta page cannot be right", remedy: "restore a copy")
    }
    let pageCount = try PageFile.presentPageCount(of: meta, descriptor, path)
    guard meta.byteCount <= mappedByteCount else {
      throw Fault(
        .inputOutput, path, "is larger than the memory map",
        remedy: "raise the address space limit (ulimit -v)")
    }
    return PageSnapshot(path: path, base: base, meta: meta, pageCount: pageCount, owner: self)
  }
}
