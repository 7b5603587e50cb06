import Faults
import Glibc

/// Keeps writers away from a database that is read without LMDB's reader table, because the user may not write
/// its lock file: a writer would reuse the very pages that are being read.
final class UnlockedReaderLock {
  private let descriptor: Int32

  /// - Throws: `locked` when a writer is at work.
  init(directory: String) throws {
    descriptor = open("\(directory)/writer.lock", O_RDONLY | O_CLOEXEC)
    // Without the file nobody has ever written there but the program that made the copy.
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw Fault.system("\(directory)/writer.lock", "open the writer's lock")
    }
    if flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw Fault(
        .locked, directory, "is being written, and you may not write its lock.mdb",
        remedy: "ask its owner for chmod g+w lock.mdb, or wait until the writer has finished")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
