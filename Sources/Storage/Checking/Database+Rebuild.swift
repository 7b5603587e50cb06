import Faults
import Formats
import Glibc

extension Database {
  /// Makes the data file anew from the records that follow from no others, where pages of the others, or the list of
  /// free pages, are damaged: LMDB cannot write to such a file.
  ///
  /// The new file takes the place of the old one at once, when it is complete and was checked. Where the row set of a
  /// space lies on damaged pages, the cells with a vector that is not zero throughout count as its cells.
  ///
  /// - Parameter onWait: called with the holder's name when another process is writing; true to wait.
  /// - Returns: the path under which the damaged file is kept.
  /// - Throws: `badData` with the first fault of a record that follows from no other, `locked` when another process has
  ///   the database open.
  package static func rebuild(
    path: String, onWait: (_ holder: String) -> Bool = { _ in false }
  ) throws -> String {
    let lock = try WriterLock(directory: path, onWait: onWait)
    defer { withExtendedLifetime(lock) {} }
    removeUnfinishedRebuild(of: path)
    defer { removeUnfinishedRebuild(of: path) }
    try copyRecords(of: path, to: workplace(of: path))
    return try exchange(path, for: workplace(of: path))
  }

  /// Removes what a rebuild that was killed has left behind. For the holder of the writer's lock.
  static func removeUnfinishedRebuild(of path: String) {
    let folder = workplace(of: path)
    for name in ["data.mdb", "lock.mdb", "writer.lock"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  /// Where the new file is made.
  static func workplace(of path: String) -> String { "\(path)/rebuilt" }

  private static func copyRecords(of path: String, to copy: String) throws {
    let database = try Database(path: path)
    let writer = try DatabaseWriter(path: copy, create: true)
    try database.read { snapshot in
      if let fault = snapshot.checkReport().primary.first { throw fault }
      var batch = ChangeBatch(writer: writer)
      for table in Table.allCases where !table.isDerived {
        try snapshot.transaction.forEach(table) {
          try batch.set(table, Key(bytes: Array($0)), to: Array($1))
        }
      }
      for space in snapshot.spaces {
        for (chunk, rows) in try snapshot.salvage(space).rows.chunks {
          try batch.set(.sets, SetChunk(name: .space(space.id), chunk: chunk).key, to: rows.encoded())
        }
      }
      try batch.flush()
    }
    try writer.write { try $0.setIndexFlags() }
    _ = try writer.repair()
    if let fault = try writer.database.check().faults.first { throw fault }
  }

  /// Puts the new data file in the place of the old one, while no process has that open.
  private static func exchange(_ path: String, for copy: String) throws -> String {
    let (old, kept) = ("\(path)/data.mdb", "\(path)/data.mdb.damaged")
    try withExclusiveUse(of: path) {
      unlink(kept)
      guard link(old, kept) == 0, rename("\(copy)/data.mdb", old) == 0 else {
        throw Fault.system(old, "put the new file in its place")
      }
    }
    try syncFolder(path)
    return kept
  }
}
