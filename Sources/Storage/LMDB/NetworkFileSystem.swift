import Clmdb
import Formats
import FoundationEssentials
import Glibc

/// File systems that several machines share. LMDB's locks and its memory map hold within one machine only.
enum NetworkFileSystem {
  private static let types: Set = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs",
  ]

  /// Whether a file system is one of those that databases mostly lie on, of one machine: then there is no table to read.
  /// - Parameter number: ext, XFS, Btrfs, F2FS, tmpfs and overlay, as statfs(2) tells them.
  private static func isLocal(_ number: UInt32) -> Bool {
    switch number {
    case 0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994, 0x794C_7630: true
    default: false
    }
  }

  /// The type of the network file system that a path lies on, or would if it were made; nil when it lies on none that is
  /// known.
  static func type(at path: String) -> String? {
    if isLocal(clmdb_file_system(path)) { return nil }
    var status = stat()
    guard stat(path, &status) == 0 || stat(nearestFolder(of: path), &status) == 0,
      let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return nil }
    return type(ofDevice: status.st_dev, in: table)
  }

  /// - Parameter table: the lines of `/proc/self/mountinfo`: third the device, and behind a hyphen the type.
  /// - Source: proc(5).
  static func type(ofDevice device: dev_t, in table: String) -> String? {
    let (major, minor) = (device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00)
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2, words[2] == "\(major):\(minor)", let hyphen = words.firstIndex(of: "-"),
        hyphen + 1 < words.count
      else { continue }
      let type = String(words[hyphen + 1])
      return types.contains(type) ? type : nil
    }
    return nil
  }
}

extension Database {
  /// What a user has to know of the place that a database lies in: one sentence, nil when there is nothing to know.
  package static func cautionAboutPlace(of path: String) -> String? {
    NetworkFileSystem.type(at: path).map { type in
      """
      \(path) lies on a network file system (\(type)): any number of machines may read it while none writes, \
      but a machine that writes must be the only one that has it open; a copy on a local disk has no such limit
      """
    }
  }
}
