package import Faults
import Glibc

/// A regular file mapped for reading, from `init` to `deinit`.
///
/// Unchecked: the pages are shared between threads, but nobody may write to them, and the properties are set
/// once.
package final class MappedFile: @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  /// Of the file that is mapped, when it was opened.
  package let identity: FileIdentity
  private let path: String

  package init(path: String) throws(Fault) {
    // A pipe, which is refused below, would be waited for until somebody writes to it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault.system(path, "read its size") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Fault(.badData, path, "is not a regular file") }
    self.path = path
    identity = FileIdentity(status)
    guard status.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0),
      start != MAP_FAILED
    else { throw Fault.system(path, "map") }
    bytes = UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
  }

  /// Whether the file under the path is still the one that was opened.
  var isUnchanged: Bool { FileIdentity(path: path) == identity }

  /// Takes the pages out of the memory of this process; they are read again when they are needed.
  func releasePages() {
    if let start = bytes.baseAddress {
      madvise(UnsafeMutableRawPointer(mutating: start), bytes.count, MADV_DONTNEED)
    }
  }

  /// Bytes of which the pages are released together: who reads a little after a little would call the system each time, and
  /// find its next bytes gone.
  private static let releasedByteCount = 1 << 20

  /// The same for the pages of some bytes that were read behind others, once they end a piece of the file.
  func releasePages(of range: Range<Int>) {
    let start = range.lowerBound & ~(Self.releasedByteCount - 1)
    guard let base = bytes.baseAddress, range.upperBound - start >= Self.releasedByteCount else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, MADV_DONTNEED)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}
