import Faults
import Formats
import Glibc
import Synchronization

/// The right of a process to write to a database, and the folder of one that is made where there is none. What was made
/// goes with the claim, unless `keep` was called before: a command that fails before its first commit leaves nothing.
final class WriterClaim: Sendable {
  private let path: String
  private let lock: WriterLock
  /// Whether there was no database.
  private let isNew: Bool
  /// The folder that this claim has made for one, if it has.
  private let madeFolder: FileIdentity?
  private let isKept = Atomic(false)

  /// How often a folder may vanish while the lock in it is opened.
  private static let tryLimit = 100

  /// - Parameters:
  ///   - create: make a folder when there is no database.
  ///   - onWait: called with the holder's name when another process is writing; true to wait, false to give up.
  /// - Throws: `locked` when `onWait` gave up, `missingInput` without a database, `cannotCreate`.
  init(path: String, create: Bool, onWait: (_ holder: String) -> Bool) throws {
    var madeFolder: FileIdentity?
    var lock: WriterLock?
    var tries = 0
    // Others may take away what they had made, while this waits for them and before.
    repeat {
      tries += 1
      let exists = Database.exists(at: path)
      guard exists || create else {
        throw Fault(
          .missingInput, path, "is no database", remedy: "make one with cellvec ingest or cellvec import")
      }
      do {
        if !exists, let made = try WriterClaim.makeFolder(path) { madeFolder = made }
        lock = try WriterLock(directory: path, onWait: onWait)
      } catch let fault as Fault where fault.kind == .missingInput && tries < WriterClaim.tryLimit {
        lock = nil
      } catch {
        // Of what others have in it, nothing goes.
        WriterClaim.remove(madeFolder, at: path)
        throw error
      }
    } while lock?.isCurrent != true && tries < WriterClaim.tryLimit
    guard let lock, lock.isCurrent else {
      throw Fault(
        .inputOutput, path, "cannot be locked: its writer.lock is another file whenever it is looked at",
        remedy: "keep the database on a local disk")
    }
    self.path = path
    self.lock = lock
    self.madeFolder = madeFolder
    isNew = !Database.exists(at: path)
  }

  /// Says that the database holds something by now.
  func keep() { isKept.store(true, ordering: .relaxed) }

  deinit {
    guard isNew, !isKept.load(ordering: .relaxed), lock.isCurrent else { return }
    // In place: under another name the folder could hold what another process has written to it meanwhile. The lock goes
    // last: without a data file the folder is one in which a database can be made.
    for name in ["data.mdb", "lock.mdb", "writer.lock"] { unlink("\(path)/\(name)") }
    WriterClaim.remove(madeFolder, at: path)
  }

  /// Removes a folder that is empty and still has the name. Where another process has begun a file in it, it stays, and
  /// may be left empty by that one, which has not made it.
  private static func remove(_ folder: FileIdentity?, at path: String) {
    if let folder, FileIdentity(path: path)?.isSameFile(as: folder) == true { rmdir(path) }
  }

  /// - Returns: the folder; nil where there was one.
  /// - Throws: `missingInput` where it vanishes, `cannotCreate`.
  private static func makeFolder(_ path: String) throws -> FileIdentity? {
    if mkdir(path, 0o777) == 0 { return FileIdentity(path: path) }
    guard errno == EEXIST else {
      let reason = String(cString: strerror(errno)).lowercased()
      throw Fault(.cannotCreate, path, "cannot create the database: \(reason)")
    }
    guard let directory = opendir(path) else { throw Fault.system(path, "open the directory") }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // Left behind by a run that was killed before its first commit.
      if [".", "..", "writer.lock", "lock.mdb"].contains(name) { continue }
      // Another process was faster.
      if Database.exists(at: path) { return nil }
      throw Fault(
        .cannotCreate, path, expected: "a database or an empty directory", found: "\"\(name)\" in it",
        remedy: "name a new directory for the database")
    }
    return nil
  }
}
