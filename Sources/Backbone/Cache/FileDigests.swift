import Formats
import FoundationEssentials
import Glibc
import Identity

/// Digests of files of weights, by what the file system says of them: a file that is unchanged need not be read to know
/// what is in it.
///
/// Each is a text of three lines: the identity (device, inode, bytes, times of modification and of change of status),
/// the digest of the content, and that of the two lines before.
struct FileDigests {
  let folder: String

  static let fileExtension = ".digest"

  /// nil when the file was never seen, or has changed.
  func digest(of identity: FileIdentity) -> ContentHash? {
    let path = path(of: identity)
    guard let file = FileManager.default.contents(atPath: path) else { return nil }
    let text = String(decoding: file, as: UTF8.self)
    let lines = text.split(separator: "\n")
    guard lines.count == 3, let digest = ContentHash(String(lines[1])), text == Self.text(identity, digest)
    else { return nil }
    if let identity = FileIdentity(path: path) { WeightsCache.touch(path, identity) }
    return digest
  }

  /// Notes a digest, where the file system's clock lets one tell when the file changes.
  func remember(_ digest: ContentHash, of identity: FileIdentity) {
    guard identity.isSettled else { return }
    do {
      var file = try AtomicFile(path: path(of: identity))
      try file.write(Array(Self.text(identity, digest).utf8))
      try file.commit()
    } catch {
      // The file is then read again the next time.
    }
  }

  private func path(of identity: FileIdentity) -> String {
    "\(folder)/\(ContentHash(of: Self.words(identity)))\(Self.fileExtension)"
  }

  private static func words(_ identity: FileIdentity) -> String {
    "\(identity.device) \(identity.inode) \(identity.byteCount) \(identity.modified) \(identity.changed)"
  }

  private static func text(_ identity: FileIdentity, _ digest: ContentHash) -> String {
    let lines = "\(words(identity))\n\(digest)\n"
    return "\(lines)\(ContentHash(of: lines))\n"
  }
}
