import Formats
import Identity

/// Digests of files of weights, by what the file system says of them: a file that is unchanged need not be read to know
/// what is in it.
///
/// Each is a text of three lines: the identities (device, inode, bytes, times of modification and of change of status) of
/// one model's files, the digest of their content, and that of the two lines before.
struct FileDigests {
  let folder: String

  static let fileExtension = ".digest"

  /// nil when the files were never seen, or one has changed.
  func digest(of identities: [FileIdentity]) -> ContentHash? {
    let path = path(of: identities)
    guard let file = WeightsCache.map(path) else { return nil }
    let text = String(decoding: file.bytes, as: UTF8.self)
    let lines = text.split(separator: "\n")
    guard lines.count == 3, let digest = ContentHash(String(lines[1])), text == Self.text(identities, digest)
    else { return nil }
    WeightsCache.touch(path, file.identity)
    return digest
  }

  /// Notes a digest, where the file system's clock lets one tell when the file changes.
  func remember(_ digest: ContentHash, of identities: [FileIdentity]) {
    guard identities.allSatisfy(\.isSettled) else { return }
    do {
      var file = try AtomicFile(path: path(of: identities))
      try file.write(Array(Self.text(identities, digest).utf8))
      try file.commit()
    } catch {
      // The file is then read again the next time.
    }
  }

  private func path(of identities: [FileIdentity]) -> String {
    "\(folder)/\(ContentHash(of: Self.words(identities)))\(Self.fileExtension)"
  }

  private static func words(_ identities: [FileIdentity]) -> String {
    identities.map { "\($0.device) \($0.inode) \($0.byteCount) \($0.modified) \($0.changed)" }
      .joined(separator: "; ")
  }

  private static func text(_ identities: [FileIdentity], _ digest: ContentHash) -> String {
    let lines = "\(words(identities))\n\(digest)\n"
    return "\(lines)\(ContentHash(of: lines))\n"
  }
}
