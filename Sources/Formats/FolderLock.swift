package import Faults
import Glibc

/// Keeps a folder to one process, from `init` to `deinit`. Nothing is written for it, and the kernel drops the lock when the
/// process ends, however it ends.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  /// - Parameter problem: what a fault says of the folder while another process has it.
  /// - Returns: nil on a file system that locks no folders, as some of networks: nobody is kept out there.
  /// - Throws: `locked` while another process has it, and faults of a folder that cannot be opened.
  package init?(_ folder: String, problem: String) throws(Fault) {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(folder, "open") }
    // From here on `deinit` closes the descriptor, also when `init` throws.
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
    guard errno == EWOULDBLOCK else { return nil }
    throw Fault(.locked, folder, problem, remedy: "wait until it has finished")
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
