package import Faults
import Glibc

/// Keeps a folder to one process, from `init` to `deinit`. Nothing is written for it, and the kernel drops the lock when the
/// process ends, however it ends.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  /// - Parameter problem: what a fault says of the folder while another process has it.
  /// - Throws: `locked` while another process has it, and faults of a folder that cannot be opened or that the file system
  ///   does not lock.
  package convenience init(_ folder: String, problem: String) throws(Fault) {
    try self.init(opening: folder)
    if let fault = try refusal(folder, problem) { throw fault }
  }

  /// - Returns: nil on a file system that locks no folders, as some of networks: nobody is kept out there.
  /// - Throws: `locked` while another process has it, and faults of a folder that cannot be opened.
  package static func ifThereAreLocks(_ folder: String, problem: String) throws(Fault) -> FolderLock? {
    let lock = try FolderLock(opening: folder)
    return try lock.refusal(folder, problem) == nil ? lock : nil
  }

  /// Without the lock so far.
  private init(opening folder: String) throws(Fault) {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(folder, "open") }
    // From here on `deinit` closes the descriptor, also when an `init` throws.
  }

  /// Takes the lock.
  /// - Returns: why the file system does not give it; nil where it does.
  /// - Throws: `locked` while another process has it.
  private func refusal(_ folder: String, _ problem: String) throws(Fault) -> Fault? {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return nil }
    let code = errno
    if code == EWOULDBLOCK { throw Fault(.locked, folder, problem, remedy: "wait until it has finished") }
    return Fault.system(folder, "lock", errno: code)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
