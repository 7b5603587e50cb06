import Clmdb
import Faults
import Glibc

/// One open LMDB environment with handles to all tables.
///
/// Shared between threads: the environment and table handles never change after `init`, and LMDB allows any
/// thread to begin transactions on them. Read transactions carry MDB_NOTLS, so they may change threads.
final class Environment: @unchecked Sendable {
  let path: String
  let isWritable: Bool
  let pointer: OpaquePointer
  private let handles: [MDB_dbi]
  /// Keeps writers out while this environment reads without LMDB's own lock.
  private let readerLock: UnlockedReaderLock?

  /// Address space reserved for the map. It costs no memory and no disk; the file grows as it is filled.
  private static let mapSizes = [1 << 40, 1 << 36, 1 << 33]

  /// Opens an environment that the process has not open; see `EnvironmentLease`.
  init(path: String, isWritable: Bool) throws {
    self.path = path
    self.isWritable = isWritable
    (pointer, readerLock) = try Environment.openEnvironment(path, isWritable: isWritable)
    do {
      try Environment.checkLength(of: path, environment: pointer)
      handles = try Environment.openTables(path, pointer, isWritable: isWritable)
    } catch {
      mdb_env_close(pointer)
      throw error
    }
  }

  /// Ends the environment. No transaction may be open, and none may follow.
  func close() { mdb_env_close(pointer) }

  func handle(_ table: Table) -> MDB_dbi { handles[table.rawValue] }

  // MARK: Opening

  private static func openEnvironment(
    _ path: String, isWritable: Bool
  ) throws -> (OpaquePointer, UnlockedReaderLock?) {
    let access = isWritable ? 0 : MDB_RDONLY
    var code: Int32 = 0
    // A reader that may not write the lock file has no reader slot, so a writer would not spare its pages.
    for locking in isWritable ? [0] : [0, MDB_NOLOCK] {
      let readerLock = locking == 0 ? nil : try UnlockedReaderLock(directory: path)
      for mapSize in mapSizes {
        var environment: OpaquePointer?
        try require(mdb_env_create(&environment), path, "create an environment")
        mdb_env_set_maxdbs(environment, UInt32(Table.allCases.count))
        mdb_env_set_maxreaders(environment, 1024)
        mdb_env_set_mapsize(environment, mapSize)
        code = mdb_env_open(environment, path, UInt32(access | MDB_NOTLS | locking), 0o664)
        if code == MDB_SUCCESS, let environment { return (environment, readerLock) }
        mdb_env_close(environment)
        if code != ENOMEM { break }
      }
      if code != EACCES && code != EROFS && code != EPERM { break }
    }
    throw lmdbFault(code, path, "open the database")
  }

  /// A file shorter than its own page count would end the process with SIGBUS on first touch of the gap.
  private static func checkLength(of path: String, environment: OpaquePointer) throws {
    var descriptor = mdb_filehandle_t(0)
    var status = stat()
    var info = MDB_envinfo()
    var statistics = MDB_stat()
    try require(mdb_env_get_fd(environment, &descriptor), path, "inspect the database")
    guard fstat(descriptor, &status) == 0 else { throw Fault.system(path, "inspect the database") }
    mdb_env_info(environment, &info)
    mdb_env_stat(environment, &statistics)
    let (expected, overflows) = (info.me_last_pgno &+ 1).multipliedReportingOverflow(
      by: Int(statistics.ms_psize))
    if overflows || expected < 0 || Int(status.st_size) < expected {
      throw Fault(
        .badData, "\(path)/data.mdb", expected: "at least \(expected) bytes", found: "\(status.st_size)",
        remedy: "the file was cut short; restore a copy")
    }
  }

  /// Opens every table in one transaction: a handle opened later would be unknown to transactions already
  /// under way.
  private static func openTables(
    _ path: String, _ environment: OpaquePointer, isWritable: Bool
  ) throws -> [MDB_dbi] {
    var transaction: OpaquePointer?
    try require(
      mdb_txn_begin(environment, nil, UInt32(isWritable ? 0 : MDB_RDONLY), &transaction), path,
      "begin a transaction")
    var handles: [MDB_dbi] = []
    for table in Table.allCases {
      var handle = MDB_dbi(0)
      let code = mdb_dbi_open(transaction, table.name, UInt32(isWritable ? MDB_CREATE : 0), &handle)
      if code != MDB_SUCCESS {
        mdb_txn_abort(transaction)
        if code == MDB_NOTFOUND {
          var statistics = MDB_stat()
          mdb_env_stat(environment, &statistics)
          if statistics.ms_entries == 0 { throw lmdbEmptyDatabase(path) }
          throw Fault(
            .badData, path, expected: "a cellvec database", found: "no table \"\(table.name)\" in it",
            remedy: "name the directory that ingest or import made")
        }
        throw lmdbFault(code, path, "open table \"\(table.name)\"")
      }
      handles.append(handle)
    }
    try require(mdb_txn_commit(transaction), path, "open the tables")
    return handles
  }
}
