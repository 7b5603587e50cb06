import FoundationEssentials

/// Calls `body` with a new empty directory and removes it, with all that is in it, afterwards.
package func withTemporaryDirectory<R>(_ body: (String) throws -> R) rethrows -> R {
  let files = FileManager.default
  let path = files.temporaryDirectory.appending(path: "cellvec-test-\(UUID().uuidString)").path
  do {
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    preconditionFailure("cannot make a directory for a test: \(error)")
  }
  defer { try? files.removeItem(atPath: path) }
  return try body(path)
}

/// All bytes of a file; nil when there is none.
package func bytes(ofFile path: String) -> [UInt8]? {
  FileManager.default.contents(atPath: path).map { [UInt8]($0) }
}

/// Writes bytes to a file, in the place of one that is there.
package func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
  try Data(bytes).write(to: URL(filePath: path))
}
