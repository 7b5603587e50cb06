import Clmdb
import Faults
import Glibc

extension Environment {
  /// Writes what the last commit left to a new file, page after page and without free ones, and makes it durable.
  /// Writers go on meanwhile; pages that they free are used again only when the copy is complete.
  /// - Throws: `badData` when what the file says of its free pages cannot be right, `cannotCreate` when the file cannot be
  ///   made; with any fault of writing, the file is gone again.
  /// - Returns: bytes of the copy.
  func copy(to file: String) throws -> Int {
    let snapshot = try pages.latest()
    // LMDB counts the free pages, and believes what the file says of them.
    _ = try snapshot.freeTree()
    let descriptor = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else {
      let fault = Fault.system(file, "create")
      throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
    }
    defer { Glibc.close(descriptor) }
    do {
      let code = mdb_env_copyfd2(pointer, descriptor, UInt32(MDB_CP_COMPACT))
      if code != MDB_SUCCESS { throw lmdbFault(code, file, "write a copy of the database") }
      // All of a copy is one transaction.
      FrontPage.seal(1, pageSize: snapshot.meta.pageSize, of: descriptor, file)
      var status = stat()
      guard fsync(descriptor) == 0, fstat(descriptor, &status) == 0 else {
        throw Fault.system(file, "write to disk")
      }
      return Int(status.st_size)
    } catch {
      unlink(file)
      throw error
    }
  }
}

/// The two meta pages with which an LMDB file begins. A transaction with an even number writes the first, one with an
/// odd number the second; the higher number counts.
///
/// Every process that has the database open, and every one that opens it, finds the number of the last transaction
/// in the same lock file. A copy in which LMDB counts from 1 anew cannot take the place of its original beside it:
/// the next writer would look into the wrong page.
enum MetaPages {
  /// Gives the one transaction of a fresh copy the number of its original's last one, durably.
  ///
  /// Both pages tell of the copy then, as if it had been committed twice: a file whose pages are not neighbours, or of
  /// which the older is empty, is a damaged one.
  /// - Parameter original: the newer meta page of the original.
  /// - Throws: `badData` when the file is not such a copy.
  static func renumber(_ file: String, as original: MetaPage) throws {
    precondition(original.transaction > 0, "a database has had a commit")
    let descriptor = open(file, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(file, "open") }
    defer { close(descriptor) }
    var pages = try (0..<PageFormat.metaPageCount).map { page -> [UInt8] in
      var bytes = [UInt8](repeating: 0, count: PageFormat.headerByteCount + PageFormat.metaByteCount)
      guard pread(descriptor, &bytes, bytes.count, off_t(page * original.pageSize)) == bytes.count,
        let meta = bytes.withUnsafeBytes({ $0.baseAddress.flatMap { MetaPage($0) } }),
        meta.pageSize == original.pageSize, meta.transaction == UInt64(page)
      else {
        throw Fault(
          .badData, file, expected: "LMDB's copy of one transaction", found: "other meta pages",
          remedy: "use cellvec backup, and put the copy in the place of the database while nobody uses it")
      }
      return bytes
    }
    let meta = pages[1][
      PageFormat.headerByteCount..<PageFormat.headerByteCount + PageFormat.transactionOffset]
    for number in [original.transaction - 1, original.transaction] {
      let page = Int(number % 2)
      pages[page].replaceSubrange(
        PageFormat.headerByteCount..., with: meta + withUnsafeBytes(of: number.littleEndian, Array.init))
      guard
        pwrite(descriptor, pages[page], pages[page].count, off_t(page * original.pageSize))
          == pages[page].count
      else { throw Fault.system(file, "write") }
      FrontPage.seal(number, pageSize: original.pageSize, of: descriptor, file)
    }
    guard fsync(descriptor) == 0 else { throw Fault.system(file, "write to disk") }
  }
}
