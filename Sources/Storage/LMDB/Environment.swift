import Clmdb
import Faults
import Glibc

/// One open LMDB environment, with handles to all tables when it is writable, and the pages of its file.
///
/// Shared between threads: the environment and table handles never change after `init`, and LMDB allows any
/// thread to begin transactions on them. Read transactions carry MDB_NOTLS, so they may change threads.
final class Environment: @unchecked Sendable {
  let path: String
  let isWritable: Bool
  let pointer: OpaquePointer
  /// What reading transactions read.
  let pages: PageFile
  let knownImages = KnownDocuments<ImageRecord>()
  let knownSpaces = KnownDocuments<SpaceRecord>()
  let pendingCommit = PendingCommit()
  private let handles: [MDB_dbi]
  /// Keeps writers out while this environment reads without LMDB's own lock.
  private let readerLock: UnlockedReaderLock?

  /// Address space reserved for the map. It costs no memory and no disk; the file grows as it is filled.
  private static let mapSizes = [1 << 40, 1 << 36, 1 << 33]

  /// Opens an environment that the process has not open; see `EnvironmentLease`.
  init(path: String, isWritable: Bool) throws {
    self.path = path
    self.isWritable = isWritable
    if try !PageFile.checkFront(directory: path) {
      guard isWritable else { throw lmdbEmptyDatabase(path) }
      // LMDB completes no file, but makes an empty one anew.
      if truncate("\(path)/data.mdb", 0) != 0, errno != ENOENT {
        throw Fault.system(path, "make the database anew")
      }
    }
    (pointer, readerLock, pages) = try Environment.openKnowingLastCommit(path, isWritable: isWritable)
    do {
      // LMDB trusts the pages that it writes beside, above all those it takes to be free.
      if isWritable {
        pages.begin(.inOrder)
        try PageAudit.requireSoundness(of: pages.latest())
        pages.end(.inOrder)
      }
      handles = isWritable ? try Environment.openTables(pages, path, pointer) : []
      if isWritable { pendingCommit.begin(behind: try pages.latest().meta.transaction) }
    } catch {
      mdb_env_close(pointer)
      throw error
    }
  }

  /// Ends the environment. No transaction may be open, and none may follow.
  func close() { mdb_env_close(pointer) }

  /// A table as LMDB knows it; only for environments that are writable.
  func handle(_ table: Table) -> MDB_dbi { handles[table.rawValue] }

  /// Frees the slots of readers whose process has ended without freeing them.
  func clearStaleReaders() {
    var cleared: Int32 = 0
    mdb_reader_check(pointer, &cleared)
  }

  /// Waits until the disk has a commit and those before it.
  /// - Throws: `inputOutput` when the disk cannot take it, or could not before.
  func makeDurable(upTo commit: CommitNumber) throws {
    try pendingCommit.makeDurable(upTo: commit, path) { mdb_env_sync(pointer, 1) }
  }

  // MARK: Opening

  /// Opens the environment and the data file, with a lock file that knows the last commit.
  ///
  /// LMDB believes the number of the last transaction that stands in its lock file, unless it is the first to open it,
  /// and then writes it there. When a first one is killed just before, one that waited for it, and all who open the
  /// database beside that, find another number; a writer would go on from it, and write over the last commits. As soon as
  /// nobody has the file open, the next one is the first.
  private static func openKnowingLastCommit(
    _ path: String, isWritable: Bool
  ) throws -> (OpaquePointer, UnlockedReaderLock?, PageFile) {
    for _ in 0..<openingLimit {
      do {
        let (pointer, readerLock) = try openEnvironment(path, isWritable: isWritable)
        do {
          let pages = try PageFile(directory: path, isWritable: isWritable, mapSizes: mapSizes)
          if try knowsLastCommit(pointer, pages) { return (pointer, readerLock, pages) }
          mdb_env_close(pointer)
        } catch {
          mdb_env_close(pointer)
          throw error
        }
      } catch let fault as Fault where fault.kind == .badData {
        // The data file was found sound before: it is the lock file that LMDB cannot read. Or both are damaged.
        _ = try PageFile.checkFront(directory: path)
      }
      // Not in step with others who wait for the same.
      usleep(UInt32.random(in: 1_000...20_000))
    }
    throw Fault(
      .unavailable, path, "cannot be opened: lock.mdb, which other processes use, is of another state of it",
      remedy: "end the processes that have the database open, and run the command again")
  }

  /// How often opening is tried: for half a second or so.
  private static let openingLimit = 50

  /// Whether LMDB would begin with the last commit, or with that before it, if the writer was killed before it wrote down
  /// the number; the next writer looks at the data file then.
  private static func knowsLastCommit(_ environment: OpaquePointer, _ pages: PageFile) throws -> Bool {
    let before = try pages.latest().meta.transaction
    var transaction: OpaquePointer?
    let code = mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction)
    // Where all slots are taken, the lock file is in use since long.
    if code == MDB_READERS_FULL { return true }
    try require(code, pages.path, "begin a transaction")
    let number = UInt64(mdb_txn_id(transaction))
    mdb_txn_abort(transaction)
    return try number + 1 >= before && number <= pages.latest().meta.transaction
  }

  private static func openEnvironment(
    _ path: String, isWritable: Bool
  ) throws -> (OpaquePointer, UnlockedReaderLock?) {
    let access = isWritable ? 0 : MDB_RDONLY
    var code: Int32 = 0
    // A reader that may not write the lock file has no reader slot, so a writer would not spare its pages.
    for locking in isWritable ? [0] : [0, MDB_NOLOCK] {
      let readerLock = locking == 0 ? nil : try UnlockedReaderLock(directory: path)
      if locking == 0 { try reserveLockFile(path) }
      for mapSize in mapSizes {
        var environment: OpaquePointer?
        try require(mdb_env_create(&environment), path, "create an environment")
        mdb_env_set_maxdbs(environment, UInt32(Table.allCases.count))
        mdb_env_set_maxreaders(environment, readerLimit)
        mdb_env_set_mapsize(environment, mapSize)
        code = mdb_env_open(environment, path, UInt32(access | MDB_NOTLS | locking), 0o664)
        if code == MDB_SUCCESS, let environment { return (environment, readerLock) }
        mdb_env_close(environment)
        // A map that is too large is EINVAL where another program places it, such as valgrind.
        if code != ENOMEM && code != EINVAL { break }
      }
      if code != EACCES && code != EROFS && code != EPERM { break }
    }
    throw lmdbFault(code, path, "open the database")
  }

  /// Slots of the reader table.
  private static let readerLimit: UInt32 = 1024

  /// Gives LMDB's lock file its blocks on disk. LMDB makes it sparse and maps it: on a full disk the first touch
  /// of a slot would end the process with SIGBUS.
  private static func reserveLockFile(_ path: String) throws {
    let descriptor = open("\(path)/lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    // A user who may not write it reads without it.
    guard descriptor >= 0 else { return }
    defer { Glibc.close(descriptor) }
    // A head of two cache lines at most, then 64 bytes a reader; larger is harmless.
    let code = posix_fallocate(descriptor, 0, off_t(readerLimit + 4) * 64)
    if code == ENOSPC || code == EDQUOT { throw Fault.system(path, "make room for lock.mdb", errno: code) }
  }

  /// Opens every table in one transaction: a handle opened later would be unknown to transactions already
  /// under way.
  private static func openTables(
    _ pages: PageFile, _ path: String, _ environment: OpaquePointer
  ) throws -> [MDB_dbi] {
    var transaction: OpaquePointer?
    try require(mdb_txn_begin(environment, nil, 0, &transaction), path, "begin a transaction")
    var handles: [MDB_dbi] = []
    for table in Table.allCases {
      var handle = MDB_dbi(0)
      let code = mdb_dbi_open(transaction, table.name, UInt32(MDB_CREATE), &handle)
      if code != MDB_SUCCESS {
        mdb_txn_abort(transaction)
        throw lmdbFault(code, path, "open table \"\(table.name)\"")
      }
      handles.append(handle)
    }
    let number = UInt64(mdb_txn_id(transaction))
    try require(mdb_txn_commit(transaction), path, "open the tables")
    pages.seal(number)
    return handles
  }
}
