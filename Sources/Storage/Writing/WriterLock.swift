import Faults
import Formats
import Glibc

/// The lock that keeps a database to one writing process for as long as a whole run lasts.
///
/// LMDB's own lock covers one transaction; between two of them another writer could slip in and the user
/// would learn of it only by slowness. The kernel drops the lock when the process ends, however it ends.
///
/// Unchecked: `isHeld` is written by `init` alone.
final class WriterLock: @unchecked Sendable {
  private let path: String
  private let descriptor: Int32
  private var isHeld = false

  /// - Parameter onWait: told who holds the lock; true to wait for it, false to give up.
  init(directory: String, onWait: (_ holder: String) -> Bool) throws {
    path = "\(directory)/writer.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else { throw Fault.system(path, "open the writer's lock") }
    // From here on `deinit` closes the descriptor, also when `init` throws.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK else { throw Fault.system(path, "lock the database") }
      let holder = WriterLock.holder(descriptor)
      guard onWait(holder) else {
        throw Fault(.locked, directory, "is in use by \(holder)", remedy: "wait until it has finished")
      }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else { throw Fault.system(path, "wait for the writer's lock") }
      }
    }
    isHeld = true
    let name = "process \(getpid())"
    ftruncate(descriptor, 0)
    _ = name.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit {
    if isHeld { ftruncate(descriptor, 0) }
    close(descriptor)
  }

  /// Whether the file of that name is still the one that is locked.
  var isCurrent: Bool { FileIdentity.isName(path, of: descriptor) }

  private static func holder(_ descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : "another process"
  }
}
