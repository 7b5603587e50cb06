import Faults
import Glibc
import Synchronization

/// The right to use the process's environment of one directory, which closes with the last lease.
///
/// A process holds at most one environment per directory: LMDB loses its file locks when a second one is
/// closed. Opening, counting and closing therefore happen under one lock.
final class EnvironmentLease: Sendable {
  let environment: Environment
  private let id: FileID

  private struct FileID: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private struct Entry {
    let environment: Environment
    var leaseCount: Int
  }

  private static let open = Mutex<[FileID: Entry]>([:])

  init(path: String, isWritable: Bool) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Fault.system(path, "open the database") }
    let id = FileID(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    self.id = id
    environment = try EnvironmentLease.open.withLock { entries in
      if let entry = entries[id] {
        guard entry.environment.isWritable || !isWritable else {
          throw Fault(.locked, path, "is open for reading in this process and cannot be opened for writing")
        }
        entries[id]?.leaseCount += 1
        return entry.environment
      }
      let environment = try Environment(path: path, isWritable: isWritable)
      entries[id] = Entry(environment: environment, leaseCount: 1)
      return environment
    }
  }

  /// Whether nothing else in the process uses the environment.
  var isOnlyOne: Bool { EnvironmentLease.open.withLock { $0[id]?.leaseCount == 1 } }

  deinit {
    EnvironmentLease.open.withLock { entries in
      entries[id]?.leaseCount -= 1
      if entries[id]?.leaseCount == 0 { entries.removeValue(forKey: id)?.environment.close() }
    }
  }
}
