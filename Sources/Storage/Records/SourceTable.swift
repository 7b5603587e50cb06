import Formats
import Glibc
import Identity

/// A table that ingest read metadata from, as far as it takes to know the file again: where it lay, and what was in it.
package struct SourceTable: Sendable, Equatable, Encodable {
  /// From the root, without links.
  package let path: String
  package let byteCount: Int
  /// Digest of the bytes, as 32 hexadecimal digits.
  package let digest: String

  /// A table of which `bytes` were read at a path.
  /// - Returns: nil for what is no regular file, as a pipe or the standard input: nothing can be written over it.
  package init?(at path: String, of bytes: UnsafeRawBufferPointer) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    byteCount = bytes.count
    digest = ContentHash(of: bytes).description
    let resolved = realpath(path, nil)
    defer { free(resolved) }
    self.path = resolved.map { String(cString: $0) } ?? path
  }

  /// Whether a path leads to the table: to the file where it lay, whatever is in it now, or to one that has its bytes, as
  /// where it was moved with its folder.
  package func isFile(at path: String) -> Bool {
    guard let file = FileIdentity(path: path) else { return false }
    if FileIdentity(path: self.path)?.isSameFile(as: file) == true { return true }
    // Whose bytes cannot be read is not known to be it.
    guard file.byteCount == byteCount, let other = try? MappedFile(path: path) else { return false }
    return withExtendedLifetime(other) { ContentHash(of: other.bytes).description == digest }
  }
}

extension SourceTable: DocumentContent {
  init(_ value: JSONValue) throws {
    path = try value["path"]
    byteCount = try value["byteCount"]
    digest = try value["digest"]
  }
}
