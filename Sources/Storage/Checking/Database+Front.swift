import Faults
import Glibc

/// One of the first two pages of a data file, made anew.
package struct FrontRepair: Sendable {
  /// 0 or 1.
  package let page: Int
  /// Whether the page can have been that of the last commit, which is then lost.
  package let mayHaveLostCommit: Bool
}

extension Database {
  /// Makes one of the first two pages of the data file anew from the other, where it is damaged. LMDB keeps the root
  /// of all tables nowhere else. The page as it was is kept beside the file, as data.mdb.front-damaged.
  ///
  /// - Parameter onWait: called with the holder's name when another process is writing; true to wait.
  /// - Returns: what was done; nil where neither page needs it, and for a path without a database.
  /// - Throws: `badData` when both pages are damaged, `locked` when another process has the database open.
  package static func repairFront(
    path: String, onWait: (_ holder: String) -> Bool = { _ in false }
  ) throws -> FrontRepair? {
    guard exists(at: path), try needsFront(path) != nil else { return nil }
    let lock = try WriterLock(directory: path, onWait: onWait)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have written meanwhile.
    guard let front = try needsFront(path) else { return nil }
    let file = "\(path)/data.mdb"
    try withExclusiveUse(of: path) {
      try front.saveOther(of: file, to: "\(file).front-damaged")
      try front.writeOther(to: file)
    }
    return FrontRepair(page: front.otherPage, mayHaveLostCommit: !front.hasLostNothing)
  }

  /// The pages, where one has to be made anew.
  private static func needsFront(_ path: String) throws -> FrontPages? {
    let file = "\(path)/data.mdb"
    do {
      guard try PageFile.checkFront(directory: path), let front = try FrontPages(path: file) else {
        return nil
      }
      return front.isNewest ? nil : front
    } catch let fault as Fault where fault.kind == .badData {
      guard let front = try FrontPages(path: file) else { throw fault }
      return front
    }
  }

  /// Runs `body` while no process has the database open, and none can open it.
  static func withExclusiveUse(of path: String, _ body: () throws -> Void) throws {
    let descriptor = open("\(path)/lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else { throw Fault.system("\(path)/lock.mdb", "open the lock file") }
    defer { close(descriptor) }
    // Every process that uses the environment holds a shared lock on the first byte.
    var region = flock()
    region.l_type = Int16(F_WRLCK)
    region.l_whence = Int16(SEEK_SET)
    region.l_len = 1
    guard fcntl(descriptor, F_SETLK, &region) == 0 else {
      throw Fault(
        .locked, path, "is open in another process, and its file has to be made anew",
        remedy: "end that process and run the same command again")
    }
    try body()
    // What it says of transactions is of the file as it was. The next process to open it fills it anew.
    guard ftruncate(descriptor, 0) == 0 else { throw Fault.system("\(path)/lock.mdb", "clear the lock file") }
  }
}
