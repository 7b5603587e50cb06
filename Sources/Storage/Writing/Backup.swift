import Faults
import Formats
import Glibc

extension Database {
  /// Makes another database with what the last commit left. It appears under its name complete, or not at all;
  /// writers and readers go on meanwhile.
  /// - Parameter destination: a path where nothing is, or an empty directory.
  /// - Throws: `cannotCreate` when something is there, `inputOutput` for a full disk.
  /// - Returns: bytes of the new database.
  package func backUp(to destination: String) throws -> Int {
    let folder = try StagedFolder(path: destination)
    let byteCount = try environment.copy(to: "\(folder.temporaryPath)/data.mdb")
    try folder.commit()
    return byteCount
  }
}

/// A new folder that appears under its name complete or not at all: it is filled under another one beside it.
struct StagedFolder: ~Copyable {
  let path: String
  let temporaryPath: String
  private var isCommitted = false

  init(path: String) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var status = stat()
    if stat(path, &status) == 0, !isEmptyFolder(path) {
      throw Fault(
        .cannotCreate, path, expected: "a name that is free, or an empty directory", found: "something there",
        remedy: "give another name")
    }
    let temporaryPath = "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).partial"
    guard mkdir(temporaryPath, 0o777) == 0 else {
      let fault = Fault.system(path, "create")
      throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
    }
    self.path = path
    self.temporaryPath = temporaryPath
  }

  deinit {
    if isCommitted { return }
    unlink("\(temporaryPath)/data.mdb")
    rmdir(temporaryPath)
  }

  consuming func commit() throws {
    try syncFolder(temporaryPath)
    guard rename(temporaryPath, path) == 0 else {
      throw Fault(
        .cannotCreate, path, "cannot be given to the finished copy: \(String(cString: strerror(errno)))")
    }
    isCommitted = true
    try syncFolder(of: path)
  }
}

private func isEmptyFolder(_ path: String) -> Bool {
  guard let folder = opendir(path) else { return false }
  defer { closedir(folder) }
  var count = 0
  while readdir(folder) != nil { count += 1 }
  // "." and ".." are always there.
  return count <= 2
}
