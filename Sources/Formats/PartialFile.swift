import Faults
import Glibc
import Synchronization

/// The file in which another one grows until it is complete: beside it, under its name with `.cellvec-1.partial` behind
/// it, or the next number while another process writes the same file.
///
/// It is locked for as long as it is written. When SIGINT, SIGTERM or SIGHUP ends the process, it goes if it is one of those
/// that `UnfinishedFiles` has noted. One that nobody has locked was left by a process that ended otherwise, and is removed by
/// the next that comes to its name.
final class PartialFile: Sendable {
  /// Processes that write one file at a time.
  private static let limit = 100

  let path: String
  let descriptor: Int32
  /// Among the files that a signal removes; negative for none.
  private let place: Atomic<Int>

  /// - Throws: `cannotCreate`.
  init(of target: String) throws(Fault) {
    for number in 1...Self.limit {
      let path = "\(target).cellvec-\(number).partial"
      repeat {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if descriptor >= 0 {
          // A file system without locks refuses; what is left on it stays. Where another process has the lock already, it
          // takes the file for one that was left, and removes it.
          let isLost = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
          if !isLost, Self.isNamed(path, descriptor) {
            self.path = path
            self.descriptor = descriptor
            // Only now: a signal would remove another's file of the name, too.
            self.place = Atomic(UnfinishedFiles.note(path) ?? -1)
            return
          }
          close(descriptor)
        } else if errno != EEXIST {
          let fault = Fault.system(target, "create")
          throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
        }
      } while Self.removeAbandoned(path)
    }
    throw Fault(
      .cannotCreate, target,
      "has \(Self.limit) unfinished copies beside it, \(target).cellvec-1.partial and so on",
      remedy: "remove those that no process writes")
  }

  deinit {
    forget()
    close(descriptor)
  }

  /// Whether the name still leads to this file: another's may have it when somebody removed this one.
  var isNamed: Bool { Self.isNamed(path, descriptor) }

  /// Removes the file, unless the name is another's. Once it is free, another process may take it, whose file a signal to this
  /// one must spare.
  func remove() {
    let isNamed = isNamed
    forget()
    if isNamed { unlink(path) }
  }

  /// Gives the file its target's name. Another process may then have its own, which a signal to this one must spare.
  /// - Returns: whether it could, or else `errno` says why not.
  func take(_ target: String) -> Bool {
    forget()
    return rename(path, target) == 0
  }

  private func forget() {
    let place = place.exchange(-1, ordering: .relaxed)
    if place >= 0 { UnfinishedFiles.forget(place) }
  }

  /// Removes a file of this process's user that nobody has locked.
  /// - Returns: whether the name may be free now.
  private static func removeAbandoned(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return errno == ENOENT }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return false }
    return !isNamed(path, descriptor) || unlink(path) == 0
  }

  /// Whether a name leads to the file that is open; a link to it is not its name.
  private static func isNamed(_ path: String, _ descriptor: Int32) -> Bool {
    FileIdentity.isName(path, followingLinks: false, of: descriptor)
  }
}
