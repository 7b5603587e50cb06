import Clmdb
import Faults
import Glibc

extension Environment {
  /// Writes what the last commit left to a new file, page after page and without free ones, and makes it durable.
  /// Writers go on meanwhile; pages that they free are used again only when the copy is complete.
  /// - Throws: `cannotCreate` when the file cannot be made; with any fault of writing, the file is gone again.
  /// - Returns: bytes of the copy.
  func copy(to file: String) throws -> Int {
    let descriptor = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else {
      let fault = Fault.system(file, "create")
      throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
    }
    defer { Glibc.close(descriptor) }
    do {
      let code = mdb_env_copyfd2(pointer, descriptor, UInt32(MDB_CP_COMPACT))
      if code != MDB_SUCCESS { throw lmdbFault(code, file, "write a copy of the database") }
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

  /// The number of the last transaction that was committed.
  func lastTransaction() throws -> UInt64 {
    var info = MDB_envinfo()
    try require(mdb_env_info(pointer, &info), path, "inspect the database")
    return UInt64(info.me_last_txnid)
  }

  /// Bytes of a page.
  func pageByteCount() throws -> Int {
    var statistics = MDB_stat()
    try require(mdb_env_stat(pointer, &statistics), path, "inspect the database")
    return Int(statistics.ms_psize)
  }
}

/// The two meta pages with which an LMDB file begins. A transaction with an even number writes the first, one with an
/// odd number the second; the higher number counts.
///
/// Every process that has the database open, and every one that opens it, finds the number of the last transaction
/// in the same lock file. A copy in which LMDB counts from 1 anew cannot take the place of its original beside it:
/// the next writer would look into the wrong page.
struct MetaPages {
  private static let headerByteCount = 16
  private static let metaByteCount = 136
  private static let magic: UInt32 = 0xBEEF_C0DE
  private static let formatVersion: UInt32 = 1
  private static let transactionOffset = 128

  /// Gives the one transaction of a fresh copy another number, durably.
  /// - Throws: `badData` when the file is not such a copy.
  static func renumber(_ file: String, pageByteCount: Int, transaction: UInt64) throws {
    let descriptor = open(file, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(file, "open") }
    defer { close(descriptor) }
    var metas = try (0..<2).map { page -> [UInt8] in
      var bytes = [UInt8](repeating: 0, count: metaByteCount)
      let offset = off_t(page * pageByteCount + headerByteCount)
      guard pread(descriptor, &bytes, bytes.count, offset) == bytes.count,
        number(in: bytes, at: 0, as: UInt32.self) == magic,
        number(in: bytes, at: 4, as: UInt32.self) == formatVersion,
        number(in: bytes, at: transactionOffset, as: UInt64.self) == UInt64(page)
      else {
        throw Fault(
          .badData, file, expected: "LMDB's copy of one transaction", found: "other meta pages",
          remedy: "use cellvec backup, and put the copy in the place of the database while nobody uses it")
      }
      return bytes
    }
    // Both pages tell of the copy, as if it had been committed twice: a file whose pages are not neighbours, or of which
    // the older is empty, is a damaged one.
    precondition(transaction > 0, "a database has had a commit")
    let copied = metas[1]
    for number in [transaction - 1, transaction] {
      var meta = copied
      withUnsafeBytes(of: number) { meta.replaceSubrange(transactionOffset..<metaByteCount, with: $0) }
      metas[Int(number % 2)] = meta
    }
    for page in 0..<2 {
      let offset = off_t(page * pageByteCount + headerByteCount)
      guard pwrite(descriptor, metas[page], metaByteCount, offset) == metaByteCount else {
        throw Fault.system(file, "write")
      }
    }
    guard fsync(descriptor) == 0 else { throw Fault.system(file, "write to disk") }
  }

  private static func number<Number: FixedWidthInteger>(
    in bytes: [UInt8], at offset: Int, as type: Number.Type
  ) -> Number {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
  }
}
