import Faults
import Formats
import Glibc
import Synchronization

/// The right of a process to write to a database, and the folder of one that is made where there is none. What was made
/// goes with the claim, unless `keep` was called before: a command that fails before its first commit leaves nothing.
final class WriterClaim: Sendable {
  private let path: String
  private let lock: WriterLock
  /// Whether there was no database, and whether there was no folder for one.
  private let isNew: Bool
  private let hasMadeFolder: Bool
  private let isKept = Atomic(false)

  /// How often a folder may vanish while the lock in it is opened.
  private static let tryLimit = 100

  /// - Parameters:
  ///   - create: make a folder when there is no database.
  ///   - onWait: called with the holder's name when another process is writing; true to wait, false to give up.
  /// - Throws: `locked` when `onWait` gave up, `missingInput` without a database, `cannotCreate`.
  init(path: String, create: Bool, onWait: (_ holder: String) -> Bool) throws {
    var hasMadeFolder = false
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
        if try !exists && WriterClaim.makeFolder(path) { hasMadeFolder = true }
        lock = try WriterLock(directory: path, onWait: onWait)
      } catch let fault as Fault where fault.kind == .missingInput && tries < WriterClaim.tryLimit {
        lock = nil
      } catch {
        // Of what others have in it, nothing goes.
        if hasMadeFolder { rmdir(path) }
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
    self.hasMadeFolder = hasMadeFolder
    isNew = !Database.exists(at: path)
  }

  /// Says that the database holds something by now.
  func keep() { isKept.store(true, ordering: .relaxed) }

  deinit {
    guard isNew, !isKept.load(ordering: .relaxed), lock.isCurrent else { return }
    // The lock goes last: without a data file the folder is one in which a database can be made.
    for name in ["data.mdb", "lock.mdb", "writer.lock"] { unlink("\(path)/\(name)") }
    if hasMadeFolder { rmdir(path) }
  }

  /// - Returns: whether there was none.
  /// - Throws: `missingInput` where it vanishes, `cannotCreate`.
  private static func makeFolder(_ path: String) throws -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
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
      if Database.exists(at: path) { return false }
      throw Fault(
        .cannotCreate, path, expected: "a database or an empty directory", found: "\"\(name)\" in it",
        remedy: "name a new directory for the database")
    }
    return false
  }
}
