package import Faults
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

  /// - Returns: nil for what is no regular file, as a pipe or the standard input: nothing can be written over it.
  /// - Throws: a fault where the file cannot be read.
  package init?(at path: String) throws(Fault) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let file = try MappedFile(path: path)
    byteCount = file.bytes.count
    digest = withExtendedLifetime(file) { ContentHash(of: file.bytes).description }
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
    return file.byteCount == byteCount && (try? SourceTable(at: path))?.digest == digest
  }
}

extension SourceTable: DocumentContent {
  init(_ value: JSONValue) throws {
    path = try value["path"]
    byteCount = try value["byteCount"]
    digest = try value["digest"]
  }
}
