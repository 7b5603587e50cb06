import Faults
import Formats
import Glibc

extension Database {
  /// Makes another database with what the last commit left. It appears under its name complete, or not at all;
  /// writers and readers go on meanwhile.
  /// - Parameter destination: a path where nothing is, or an empty directory.
  /// - Throws: `cannotCreate` when something is there, `locked` while another process makes the same copy, `badData` when a
  ///   page is damaged, which LMDB would follow out of the file, `inputOutput` for a full disk.
  /// - Returns: bytes of the new database.
  package func backUp(to destination: String) throws -> Int {
    let folder = try StagedFolder(path: destination)
    let file = "\(folder.temporaryPath)/data.mdb"
    let byteCount = try read { snapshot in
      if let pages = snapshot.transaction.pages { try PageAudit.requireSoundness(of: pages) }
      return try environment.copy(to: file)
    }
    try folder.commit()
    return byteCount
  }
}

/// A new folder that appears under its name complete or not at all: it is filled under another one beside it, which is
/// locked meanwhile. What a process that was killed has left there, the next one takes over.
struct StagedFolder: ~Copyable {
  let path: String
  let temporaryPath: String
  private let descriptor: Int32
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
    let temporaryPath = "\(path).partial"
    guard mkdir(temporaryPath, 0o777) == 0 || errno == EEXIST else {
      let fault = Fault.system(path, "create")
      throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
    }
    descriptor = try StagedFolder.lock(temporaryPath)
    self.path = path
    self.temporaryPath = temporaryPath
    unlink("\(temporaryPath)/data.mdb")
  }

  private static func lock(_ folder: String) throws -> Int32 {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(folder, "open") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      defer { close(descriptor) }
      guard errno == EWOULDBLOCK else { throw Fault.system(folder, "lock") }
      throw Fault(
        .locked, folder, "is being filled by another process", remedy: "wait until it has finished")
    }
    return descriptor
  }

  deinit {
    if !isCommitted {
      unlink("\(temporaryPath)/data.mdb")
      rmdir(temporaryPath)
    }
    close(descriptor)
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
