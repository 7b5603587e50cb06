import Glibc

/// What the file system says of a regular file: as long as all of it is the same, so is the content.
///
/// The time of the last change of status is among it, which no program can set: it tells a file that was rewritten
/// from the older one even where its size and its time of modification were restored. What is left is a content that
/// changes twice within one tick of the file system's clock; see `isSettled`.
package struct FileIdentity: Sendable, Equatable {
  package let device: UInt64
  package let inode: UInt64
  package let byteCount: Int
  /// Times of the last modification and of the last change of status, nanoseconds since 1970.
  package let modified: Int64
  package let changed: Int64
  /// The user to whom the file belongs.
  package let owner: UInt32

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    byteCount = Int(status.st_size)
    modified = Self.nanoseconds(status.st_mtim)
    changed = Self.nanoseconds(status.st_ctim)
    owner = status.st_uid
  }

  /// nil when nothing can be told of the file.
  /// - Parameter followsLinks: whether a link is told of as what it leads to, or as itself.
  package init?(path: String, followingLinks followsLinks: Bool = true) {
    var status = stat()
    guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }

  /// Of a file that is open; nil when nothing can be told of it.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Whether this is of the same file, or folder, whatever has happened to it meanwhile.
  package func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

  /// Whether a name leads to a file that is open: another file may have the name by now, or none.
  package static func isName(
    _ path: String, followingLinks followsLinks: Bool = true, of descriptor: Int32
  ) -> Bool {
    guard let named = FileIdentity(path: path, followingLinks: followsLinks),
      let opened = FileIdentity(descriptor: descriptor)
    else { return false }
    return named.isSameFile(as: opened)
  }

  /// Whether the file belongs to this process's user, or to root, who can change what is the user's anyway.
  package var isOwn: Bool { owner == geteuid() || owner == 0 }

  /// Whether the last change is so long ago that another one would have another time: the coarsest clocks of file
  /// systems tick every two seconds.
  package var isSettled: Bool {
    let limit = FileIdentity.now() - 3_000_000_000
    return modified < limit && changed < limit
  }

  package var secondsSinceModified: Double { Double(FileIdentity.now() - modified) / 1e9 }

  /// Nanoseconds since 1970.
  private static func now() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return nanoseconds(now)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
