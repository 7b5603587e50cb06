import Faults
import Glibc

/// The lock that keeps a database to one writing process for as long as a whole run lasts.
///
/// LMDB's own lock covers one transaction; between two of them another writer could slip in and the user
/// would learn of it only by slowness. The kernel drops the lock when the process ends, however it ends.
final class WriterLock {
  private let descriptor: Int32

  /// - Parameter onWait: told who holds the lock; true to wait for it, false to give up.
  init(directory: String, onWait: (_ holder: String) -> Bool) throws {
    let path = "\(directory)/writer.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else { throw Fault.system(path, "open the writer's lock") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let holder = WriterLock.holder(descriptor)
      guard errno == EWOULDBLOCK, onWait(holder) else {
        close(descriptor)
        throw Fault(
          .locked, directory, "is being written by \(holder)",
          remedy: "wait until it has finished, or leave out --no-wait")
      }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else {
          let fault = Fault.system(path, "wait for the writer's lock")
          close(descriptor)
          throw fault
        }
      }
    }
    let name = "process \(getpid())"
    ftruncate(descriptor, 0)
    _ = name.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit { close(descriptor) }

  private static func holder(_ descriptor: Int32) -> String {
    let reason = errno
    defer { errno = reason }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : "another process"
  }
}
