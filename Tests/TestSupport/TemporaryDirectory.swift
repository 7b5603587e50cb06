import Glibc

/// Calls `body` with a new empty directory and removes it, with all that is in it, afterwards.
package func withTemporaryDirectory<R>(_ body: (String) throws -> R) rethrows -> R {
  let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  var template = Array("\(parent)/cellvec-test-XXXXXX".utf8CString)
  let path = template.withUnsafeMutableBufferPointer { name in
    mkdtemp(name.baseAddress).map { String(cString: $0) }
  }
  guard let path else { preconditionFailure("cannot make a directory in \(parent)") }
  defer {
    // Contents before their folder; links are removed, not followed.
    _ = nftw(path, { path, _, _, _ in remove(path) }, 16, FTW_DEPTH | FTW_PHYS)
  }
  return try body(path)
}

/// All bytes of a file that the test has just had written; nil when there is none.
package func bytes(ofFile path: String) -> [UInt8]? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
    bytes.append(contentsOf: chunk[..<count])
  }
  return bytes
}
