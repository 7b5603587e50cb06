import Clmdb
import Faults
import Glibc

/// Throws the fault of an LMDB return code other than success.
func require(_ code: Int32, _ path: String, _ action: @autoclosure () -> String) throws {
  if code != MDB_SUCCESS { throw lmdbFault(code, path, action()) }
}

/// The sentence for an LMDB return code: codes that a user can cause or cure have their own.
func lmdbFault(_ code: Int32, _ path: String, _ action: String) -> Fault {
  switch code {
  case MDB_INVALID:
    return Fault(
      .badData, path, expected: "an LMDB data file", found: "something else",
      remedy: "name the directory of a cellvec database")
  case MDB_VERSION_MISMATCH:
    return Fault(
      .badData, path, "was written by another version of LMDB's file format",
      remedy: "open it with the program that wrote it and export the data")
  case MDB_PANIC:
    return Fault(
      .inputOutput, path, "cannot be written any more, because writing it failed before",
      remedy: "run the same command again")
  case MDB_CORRUPTED, MDB_PAGE_NOTFOUND:
    return Fault(
      .badData, path, "is damaged (\(String(cString: mdb_strerror(code))))",
      remedy: "restore a copy, or export what can still be read")
  case MDB_MAP_FULL, MDB_MAP_RESIZED:
    return Fault(
      .inputOutput, path, "has reached the size of its memory map",
      remedy: "raise the address space limit (ulimit -v) and run the same command again")
  case MDB_READERS_FULL:
    return Fault(
      .unavailable, path, "has no free reader slot", remedy: "wait until other readers have finished")
  case EIO where isFull(path):
    // LMDB reports a short write, which is what a full disk gives first, as an input/output error.
    return Fault.system(path, action, errno: ENOSPC)
  case ENOMEM:
    return Fault(
      .inputOutput, path, "cannot \(action): cannot allocate memory",
      remedy: "raise the limit of address space (ulimit -v), of which its map takes some gigabytes")
  case let code where code > 0:
    return Fault.system(path, action, errno: code)
  default:
    return Fault(.inputOutput, path, "cannot \(action): \(String(cString: mdb_strerror(code)))")
  }
}

/// The fault of a database whose making was interrupted before its first commit. A writer completes it.
func lmdbEmptyDatabase(_ path: String) -> Fault {
  Fault(
    .missingInput, path, "is an empty database, whose making was interrupted",
    remedy: "fill it with cellvec ingest or cellvec import")
}

/// Whether the file system has less room than one write of LMDB's may need.
private func isFull(_ path: String) -> Bool {
  var status = statvfs()
  return statvfs(path, &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) < 1 << 20
}
