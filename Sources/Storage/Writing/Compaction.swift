import Faults
import Formats
import Glibc
import Identity

/// What a compaction has done.
package struct Compaction: Sendable, Equatable {
  /// Bytes of the file, before and after.
  package let before: Int
  package let after: Int
  /// Texts that no cell had any more.
  package let unusedTexts: Int
  /// Cells that have another number now.
  package let renumbered: Int
  /// Spaces whose compact index was left out, because it was of the old numbers, whose graph was, and whose int8 copies were.
  package let droppedIndexes: [SpaceRecord]
  package let droppedGraphs: [SpaceRecord]
  package let droppedCopies: [SpaceRecord]
}

extension DatabaseWriter {
  private static let textsPerCommit = 50_000

  /// Rewrites a database without the pages and texts that nothing uses. The new file takes the place of the old one
  /// in one step: with a fault before it, and a crash at any time, the database is what it was.
  ///
  /// Readers in other processes that have the old file open go on with it, and keep its bytes on the disk until they
  /// end. The disk must have room for both.
  /// - Parameters:
  ///   - renumbers: whether to number the cells anew, without the gaps that deleted ones have left, and so to give back
  ///     their places in blocks of vectors. Who has noted numbers of cells finds others under them afterwards. The disk
  ///     must have room for a third file meanwhile.
  ///   - onWait: as of `init`.
  /// - Throws: `locked` when the writer's lock is not to be had, or the process has the database open elsewhere;
  ///   `inputOutput` for a full disk; `badData` when what is to be renumbered contradicts itself.
  package static func compact(
    path: String, renumbers: Bool = false, onWait: (_ holder: String) -> Bool = { _ in false }
  ) throws -> Compaction {
    try DatabaseWriter(path: path, create: false, onWait: onWait).compact(renumbers: renumbers)
  }

  private func compact(renumbers: Bool) throws -> Compaction {
    let path = database.path
    guard database.isOnlyOneInProcess else {
      throw Fault(.locked, path, "is open elsewhere in this process and cannot be compacted")
    }
    let file = "\(path)/data.mdb"
    let copy = "\(file).compact"
    // Left behind by a compaction or a repair that was killed: whoever holds the writer's lock may remove it.
    unlink(copy)
    Database.removeUnfinishedRebuild(of: path)
    let before = try Self.byteCount(of: file)
    let unusedTexts = try dropUnusedTexts()
    let numbers = renumbers ? try gaplessNumbers() : nil
    let after =
      if let numbers {
        try copyRenumbered(numbers.numbers, to: copy)
      } else {
        try database.environment.copy(to: copy)
      }
    do {
      try Self.giveOwner(of: file, to: copy)
      try MetaPages.renumber(copy, as: database.environment.pages.latest().meta)
      guard rename(copy, file) == 0 else { throw Fault.system(file, "put the compact copy in its place") }
    } catch {
      unlink(copy)
      throw error
    }
    try syncFolder(path)
    return Compaction(
      before: before, after: after, unusedTexts: unusedTexts,
      renumbered: numbers.map { Int($0.numbers.count - $0.numbers.unchangedCount) } ?? 0,
      droppedIndexes: numbers?.indexes ?? [], droppedGraphs: numbers?.graphs ?? [],
      droppedCopies: numbers?.copies ?? [])
  }

  /// New numbers for the cells, and the spaces with a compact index, with a graph and with int8 copies; nil when there are no
  /// gaps.
  private func gaplessNumbers() throws -> (
    numbers: RowNumbers, indexes: [SpaceRecord], graphs: [SpaceRecord], copies: [SpaceRecord]
  )? {
    try database.read { snapshot in
      let rows = try snapshot.allRows()
      if try rows.count == Int(snapshot.rowLimit()) { return nil }
      return (
        RowNumbers(rows), try snapshot.spaces.filter { try snapshot.hasIndex($0) },
        try snapshot.spaces.filter { try snapshot.hasGraph($0) },
        try snapshot.spaces.filter { try snapshot.hasCoarse($0) }
      )
    }
  }

  /// Writes a compact copy of the database with other numbers of cells, by way of a database of its own beside it.
  /// - Returns: bytes of the copy.
  private func copyRenumbered(_ numbers: RowNumbers, to file: String) throws -> Int {
    let folder = Database.workplace(of: database.path)
    defer { Database.removeUnfinishedRebuild(of: database.path) }
    let writer = try DatabaseWriter(path: folder, create: true)
    try database.read { try RenumberedCopy(to: writer, numbers: numbers).fill(from: $0) }
    return try writer.database.environment.copy(to: file)
  }

  /// Removes texts that no cell has, in transactions of bounded size.
  private func dropUnusedTexts() throws -> Int {
    let unused = try database.read { snapshot in
      let candidates = try snapshot.textsWithoutRowSet()
      return candidates.isEmpty ? [] : try snapshot.removingTextsOfCells(candidates).sorted()
    }
    for start in stride(from: 0, to: unused.count, by: Self.textsPerCommit) {
      try write { transaction in
        for text in unused[start..<min(start + Self.textsPerCommit, unused.count)] {
          try transaction.transaction.deleteText(text)
        }
      }
    }
    return unused.count
  }

  /// Who could read and write the old file can do so with the new one.
  private static func giveOwner(of file: String, to copy: String) throws {
    var status = stat()
    guard stat(file, &status) == 0 else { throw Fault.system(file, "inspect the database") }
    // Only root may give files away. Whoever else compacts owns the copy.
    _ = chown(copy, status.st_uid, status.st_gid)
    guard chmod(copy, status.st_mode & 0o7777) == 0 else { throw Fault.system(copy, "set the permissions") }
  }

  private static func byteCount(of file: String) throws -> Int {
    var status = stat()
    guard stat(file, &status) == 0 else { throw Fault.system(file, "inspect the database") }
    return Int(status.st_size)
  }
}

/// The number of a text: its field, and which of that.
private struct TextNumber: Hashable, Comparable {
  let field: UInt16
  let id: UInt32

  static func < (left: Self, right: Self) -> Bool { (left.field, left.id) < (right.field, right.id) }
}

extension Snapshot {
  /// Texts that no row set is of.
  fileprivate func textsWithoutRowSet() throws -> Set<TextNumber> {
    var texts: Set<TextNumber> = []
    try transaction.forEach(.texts) { key, _ in
      guard key.count == 6 else {
        throw Fault(.badData, "table \"texts\"", "is damaged", remedy: "run cellvec check")
      }
      let text = TextNumber(
        field: key.bigEndian(at: 0, as: UInt16.self), id: key.bigEndian(at: 2, as: UInt32.self))
      let prefix = RowSetName.text(field: text.field, id: text.id).prefix
      let cursor = try Transaction.Cursor(transaction, .sets)
      if try cursor.seek(prefix)?.key.starts(with: prefix.bytes) != true { texts.insert(text) }
    }
    return texts
  }

  /// Those of the texts that no cell names. Row sets follow from cells, and one may be missing; a text that is gone
  /// cannot be made again.
  fileprivate func removingTextsOfCells(_ texts: Set<TextNumber>) throws -> Set<TextNumber> {
    var unused = texts
    try transaction.forEach(.cells) { key, value in
      guard key.count == 4 else {
        throw Fault(.badData, "table \"cells\"", "is damaged", remedy: "run cellvec check")
      }
      let cell = try StoredCell(decoding: value, row: key.bigEndian(at: 0, as: Row.self))
      for (field, value) in cell.values {
        for id in value.textIDs { unused.remove(TextNumber(field: field, id: id)) }
      }
    }
    return unused
  }
}

extension Transaction {
  /// Deletes a text that no cell has.
  fileprivate func deleteText(_ text: TextNumber) throws {
    let key = Key().appending(text.field).appending(text.id)
    guard let content = try get(.texts, key) else { return }
    let digest = ContentHash(of: content)
    try delete(.texts, key)
    try delete(.textIDs, Key().appending(text.field).appending(digest))
  }
}
