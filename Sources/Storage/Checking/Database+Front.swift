import Faults
import Glibc

/// What was done to the first pages of a data file.
package enum FrontRepair: Sendable, Equatable {
  /// What had changed was changed back: the pages are what they were before they were damaged.
  case restored
  /// Page 0 or 1 was made anew from the other. It can have been that of the last commit, which is then lost, unless it
  /// `hasLostNothing`.
  case madeAnew(page: Int, hasLostNothing: Bool)
}

extension Database {
  /// Restores the first two pages of the data file where their seals tell how, and otherwise makes one of them anew from
  /// the other, where it is damaged. LMDB keeps the root of all tables nowhere else. A page that is made anew is kept as it
  /// was beside the file, as data.mdb.front-damaged.
  ///
  /// - Parameter onWait: called with the holder's name when another process is writing; true to wait.
  /// - Returns: what was done, of which there may be more to do; nil where neither page needs it, and for a path without a
  ///   database.
  /// - Throws: `badData` when both pages are damaged, `locked` when another process has the database open.
  package static func repairFront(
    path: String, onWait: (_ holder: String) -> Bool = { _ in false }
  ) throws -> FrontRepair? {
    let file = "\(path)/data.mdb"
    guard exists(at: path), try !FrontRestoration(path: file).isEmpty || needsFront(path) != nil else {
      return nil
    }
    let lock = try WriterLock(directory: path, onWait: onWait)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have written meanwhile.
    let restoration = try FrontRestoration(path: file)
    if !restoration.isEmpty {
      try withExclusiveUse(of: path) { try restoration.apply(to: file) }
      return .restored
    }
    guard let front = try needsFront(path) else { return nil }
    try withExclusiveUse(of: path) {
      try front.saveOther(of: file, to: "\(file).front-damaged")
      try front.writeOther(to: file)
    }
    return .madeAnew(page: front.otherPage, hasLostNothing: front.hasLostNothing)
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
