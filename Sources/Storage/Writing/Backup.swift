import Faults
import Formats
import Glibc

extension Database {
  /// Makes another database with what the last commit left. It appears under its name complete, or not at all;
  /// writers and readers go on meanwhile.
  /// - Parameter destination: a path where nothing is, or an empty directory.
  /// - Throws: `cannotCreate` for the folder of a database or a path in it, and when something is there, or under the
  ///   name of the unfinished copy beside it; `locked` while another process makes the same copy, `badData` when a page
  ///   is damaged, which LMDB would follow out of the file, `inputOutput` for a full disk.
  /// - Returns: bytes of the new database.
  package func backUp(to destination: String) throws -> Int {
    if let own = FileIdentity(path: path), FileIdentity(path: destination)?.isSameFile(as: own) == true {
      throw Fault(
        .cannotCreate, destination, "is the database itself", remedy: "give another name for its copy")
    }
    try requirePlaceOutsideDatabases(destination)
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
/// locked meanwhile, and in which a mark says that nobody needs what it holds. What a process that was killed has left
/// with the mark, the next one takes over; nothing else is touched.
struct StagedFolder: ~Copyable {
  /// The file that marks an unfinished copy.
  static let mark = "unfinished-copy"

  let path: String
  let temporaryPath: String
  private let lock: FolderLock
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
    // Without a lock, another process could take over what this one fills.
    let lock = try FolderLock(temporaryPath, problem: "is being filled by another process")
    try StagedFolder.takeOver(temporaryPath)
    self.lock = lock
    self.path = path
    self.temporaryPath = temporaryPath
  }

  /// Marks an empty folder, or empties one that has the mark.
  private static func takeOver(_ folder: String) throws {
    let path = "\(folder)/\(mark)"
    guard isEmptyFolder(folder) || access(path, F_OK) == 0 else {
      throw Fault(
        .cannotCreate, folder, expected: "a name that is free, for the copy until it is complete",
        found: "something there", remedy: "rename it, or remove it if nobody needs it")
    }
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Fault.system(path, "create") }
    close(file)
    unlink("\(folder)/data.mdb")
  }

  deinit {
    if !isCommitted {
      // The mark goes last: what is left without it is not ours.
      unlink("\(temporaryPath)/data.mdb")
      unlink("\(temporaryPath)/\(Self.mark)")
      rmdir(temporaryPath)
    }
    withExtendedLifetime(lock) {}
  }

  consuming func commit() throws {
    try syncFolder(temporaryPath)
    // Next to the renaming, so that hardly a kill finds a whole copy without the mark: nobody would take that over.
    guard unlink("\(temporaryPath)/\(Self.mark)") == 0 else {
      throw Fault.system(temporaryPath, "remove the mark of an unfinished copy")
    }
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
