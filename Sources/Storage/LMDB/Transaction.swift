import Clmdb
import Faults
import Synchronization

/// A raw transaction: bytes in, bytes out. Pointers that it returns lie in the memory map and are valid until the
/// next write to the same transaction, or until it ends.
///
/// A reading transaction holds LMDB's slot for its snapshot and reads the pages itself, because LMDB does not check
/// them. A writing one reads through LMDB, which knows its changes; the pages were checked when the environment was
/// opened. Values are sealed on their way in, and the seal is verified and taken off on the way out.
struct Transaction: ~Copyable {
  let environment: Environment
  private let pointer: OpaquePointer
  /// The tables of a transaction that reads.
  let trees: TableTrees?
  /// The same for look-ups.
  private let borrowed: BorrowedTrees?
  private let putBytes = PutBytes()
  private var isFinished = false

  init(_ environment: Environment, isWriting: Bool) throws {
    let pointer = try Transaction.begin(environment, isWriting: isWriting)
    let trees: TableTrees?
    do {
      trees = isWriting ? nil : try Transaction.trees(pointer, environment)
    } catch {
      mdb_txn_abort(pointer)
      throw error
    }
    self.environment = environment
    self.pointer = pointer
    self.trees = trees
    borrowed = trees?.borrowed
  }

  deinit { if !isFinished { mdb_txn_abort(pointer) } }

  /// Whether the values that were put take the disk longer than it takes to wake another thread.
  var isLarge: Bool { putBytes.count >= 4 << 20 }

  consuming func commit(_ durability: Durability = .atOnce) throws {
    isFinished = true
    let (environment, pointer) = (self.environment, self.pointer)
    let number = UInt64(mdb_txn_id(pointer))
    let early = isLarge ? EarlyWriting(to: environment.pages) : nil
    let code = environment.pendingCommit.turn.withLock { _ in
      Transaction.commitInTurn(pointer, number, durability, environment)
    }
    try require(code, environment.path, "commit")
    _ = consume early
    // Where nothing was changed there is no commit of this number, and LMDB has waited for nothing.
    if durability == .atOnce {
      try environment.makeDurable(upTo: min(number, environment.pendingCommit.last))
    }
  }

  /// Commits and takes note of it; nobody else commits meanwhile.
  private static func commitInTurn(
    _ pointer: OpaquePointer, _ number: CommitNumber, _ asked: Durability, _ environment: Environment
  ) -> Int32 {
    let pending = environment.pendingCommit
    let durability = pending.mayBeLost ? .atOnce : asked
    mdb_env_set_flags(environment.pointer, UInt32(MDB_NOMETASYNC), durability == .atOnce ? 0 : 1)
    let code = mdb_txn_commit(pointer)
    // Codes below zero are LMDB's own, from before it writes. Those of the system do not tell a write that had no room
    // from a wait that has failed.
    if code > MDB_SUCCESS { pending.fail() }
    if code == MDB_SUCCESS, environment.pages.meta(of: number) != nil {
      environment.pages.seal(number)
      pending.note(number, durability)
    }
    return code
  }

  private static func begin(_ environment: Environment, isWriting: Bool) throws -> OpaquePointer {
    var transaction: OpaquePointer?
    let flags = UInt32(isWriting ? 0 : MDB_RDONLY)
    // The slot of a reader that was killed would keep its pages from being used again, and the file would grow.
    if isWriting { environment.clearStaleReaders() }
    var code = mdb_txn_begin(environment.pointer, nil, flags, &transaction)
    if code == MDB_READERS_FULL {
      environment.clearStaleReaders()
      code = mdb_txn_begin(environment.pointer, nil, flags, &transaction)
    }
    guard code == MDB_SUCCESS, let transaction else {
      throw lmdbFault(code, environment.path, "begin a transaction")
    }
    return transaction
  }

  /// The tables as the transaction sees them; it may move on to a newer commit.
  private static func trees(_ transaction: OpaquePointer, _ environment: Environment) throws -> TableTrees {
    for _ in 0..<1000 {
      let number = mdb_txn_id(transaction)
      let meta = environment.pages.meta(of: UInt64(number))
      // The page is written again by the next commit but one. None has begun before this if LMDB still gives out the
      // same snapshot, and none reuses its pages from here on.
      mdb_txn_reset(transaction)
      try require(mdb_txn_renew(transaction), environment.path, "begin a transaction")
      if let meta, mdb_txn_id(transaction) == number {
        return try TableTrees(environment.pages.snapshot(meta), path: environment.path)
      }
    }
    if environment.pages.isReplaced {
      throw Fault(
        .unavailable, environment.path, "was given a new file by another process, as cellvec compact does",
        remedy: "run the command again")
    }
    throw Fault(
      .unavailable, environment.path, "cannot be read: its meta pages do not belong to its last commits",
      remedy: "try again, and run cellvec check")
  }

  // MARK: Reading

  func get(_ table: Table, _ key: Key) throws -> UnsafeRawBufferPointer? {
    try key.bytes.withUnsafeBytes { bytes in
      try stored(table, bytes).map { try table.open($0, key: bytes) }
    }
  }

  /// The value as it lies in the file.
  private func stored(_ table: Table, _ key: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer? {
    if let value = try borrowed?.find(key, in: table) {
      if table.isSealed { environment.pages.willReadAll(of: value.bytes) }
      return value.bytes
    }
    if let trees {
      for entry in try TreeCursor.neighbours(ofMissing: key, in: trees[table], of: trees.pages) {
        _ = try table.open(entry.value, key: entry.key)
      }
      return nil
    }
    var keyValue = MDB_val(key)
    var value = MDB_val()
    let code = mdb_get(pointer, environment.handle(table), &keyValue, &value)
    if code == MDB_NOTFOUND { return nil }
    try require(code, environment.path, "read table \"\(table.name)\"")
    return UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
  }

  /// Deletes every entry whose key begins with `prefix`.
  func deleteAll(_ table: Table, prefix: Key) throws {
    let cursor = try Cursor(self, table)
    while let (key, _) = try cursor.seek(prefix), key.starts(with: prefix.bytes) { try cursor.delete() }
  }

  func count(_ table: Table) -> Int {
    if let trees { return Int(clamping: trees[table].entryCount) }
    var statistics = MDB_stat()
    mdb_stat(pointer, environment.handle(table), &statistics)
    return statistics.ms_entries
  }

  /// Calls `body` with each entry whose key begins with `prefix`, in order of keys.
  func forEach(
    _ table: Table, prefix: Key = Key(),
    _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let cursor = try Cursor(self, table)
    var entry = try cursor.seek(prefix)
    while let (key, value) = entry, key.starts(with: prefix.bytes) {
      try body(key, value)
      entry = try cursor.next()
    }
  }

  /// Calls `entry` with each entry of a table that can be read, in order of keys, and `damage` with a fault for each
  /// record, of which it gets the key, and each page that cannot. For transactions that read.
  func survey(
    _ table: Table, damage: (Fault, _ key: UnsafeRawBufferPointer?) -> Void,
    entry body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard let trees else { preconditionFailure("a writing transaction cannot be surveyed") }
    let survey = TreeSurvey(trees.pages, trees[table])
    try survey.run(
      damage: { damage($0, nil) },
      entry: { key, stored in
        let value: UnsafeRawBufferPointer
        do {
          value = try table.open(stored, key: key)
        } catch let fault as Fault {
          return damage(fault, key)
        }
        try body(key, value)
      })
  }

  /// The pages that the transaction reads; nil while it writes.
  var pages: PageSnapshot? { trees?.pages }

  /// The last key that begins with `prefix`.
  func last(_ table: Table, prefix: Key) throws -> UnsafeRawBufferPointer? {
    let cursor = try Cursor(self, table)
    let beyond = try prefix.successor.flatMap { try cursor.seek($0) }
    let entry = try beyond == nil ? cursor.last() : cursor.previous()
    guard let key = entry?.key, key.starts(with: prefix.bytes) else { return nil }
    return key
  }

  // MARK: Writing

  func put(_ table: Table, _ key: Key, _ bytes: UnsafeRawBufferPointer) throws {
    try key.bytes.withUnsafeBytes { keyBytes in
      let target = try reserve(table, keyBytes, table.storedByteCount(bytes.count))
      table.close(bytes, key: keyBytes, into: target)
    }
  }

  func put(_ table: Table, _ key: Key, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try put(table, key, $0) }
  }

  /// Sets aside a value of `byteCount` bytes in a table without seals and lets `fill` write it in place. `fill` must
  /// write every byte.
  func put(
    _ table: Table, _ key: Key, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws {
    precondition(!table.isSealed)
    try key.bytes.withUnsafeBytes { fill(try reserve(table, $0, byteCount)) }
  }

  private func reserve(
    _ table: Table, _ key: UnsafeRawBufferPointer, _ byteCount: Int
  ) throws -> UnsafeMutableRawBufferPointer {
    var keyValue = MDB_val(key)
    var value = MDB_val(mv_size: byteCount, mv_data: nil)
    putBytes.count += byteCount
    try require(
      mdb_put(pointer, environment.handle(table), &keyValue, &value, UInt32(MDB_RESERVE)), environment.path,
      "write table \"\(table.name)\"")
    return UnsafeMutableRawBufferPointer(start: value.mv_data, count: byteCount)
  }

  func delete(_ table: Table, _ key: Key) throws {
    try key.bytes.withUnsafeBytes { bytes in
      var keyValue = MDB_val(bytes)
      let code = mdb_del(pointer, environment.handle(table), &keyValue, nil)
      if code != MDB_NOTFOUND { try require(code, environment.path, "delete from table \"\(table.name)\"") }
    }
  }

  // MARK: Cursors

  /// A position in a table. Must not outlive its transaction.
  struct Cursor: ~Copyable {
    private enum Position {
      case pages(TreeCursor)
      case lmdb(OpaquePointer)
    }

    private let position: Position
    private let table: Table
    private let path: String
    private let file: PageFile
    private let putBytes: PutBytes

    init(_ transaction: borrowing Transaction, _ table: Table) throws {
      self.table = table
      path = transaction.environment.path
      file = transaction.environment.pages
      putBytes = transaction.putBytes
      if let trees = transaction.trees {
        position = .pages(TreeCursor(trees.pages, trees[table]))
        return
      }
      var cursor: OpaquePointer?
      let code = mdb_cursor_open(transaction.pointer, transaction.environment.handle(table), &cursor)
      guard code == MDB_SUCCESS, let cursor else { throw lmdbFault(code, path, "open a cursor") }
      position = .lmdb(cursor)
    }

    deinit { if case .lmdb(let pointer) = position { mdb_cursor_close(pointer) } }

    /// The first entry at or after `key`.
    func seek(_ key: Key) throws -> Entry? {
      if key.bytes.isEmpty { return try move(MDB_FIRST, MDB_val()) { try $0.first() } }
      return try key.bytes.withUnsafeBytes { bytes in
        try move(MDB_SET_RANGE, MDB_val(bytes)) { cursor in
          let found = try cursor.seek(bytes)
          // Damage may have put an entry that was looked for before the position.
          if found?.key.elementsEqual(bytes) != true {
            let before = try found == nil ? cursor.last() : cursor.entryBefore()
            if let before { _ = try table.open(before.value, key: before.key) }
          }
          return found
        }
      }
    }

    func next() throws -> Entry? { try move(MDB_NEXT, MDB_val()) { try $0.next() } }
    func previous() throws -> Entry? { try move(MDB_PREV, MDB_val()) { try $0.previous() } }
    func last() throws -> Entry? { try move(MDB_LAST, MDB_val()) { try $0.last() } }

    /// Puts an entry behind all others of the table, in a transaction that writes. Nothing is searched for, and
    /// pages become full.
    /// - Throws: a fault also when the key is not above all others.
    func append(_ key: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) throws {
      guard case .lmdb(let pointer) = position else {
        preconditionFailure("a reading transaction appends nothing")
      }
      var keyValue = MDB_val(key)
      var value = MDB_val(mv_size: table.storedByteCount(bytes.count), mv_data: nil)
      try require(
        mdb_cursor_put(pointer, &keyValue, &value, UInt32(MDB_RESERVE | MDB_APPEND)), path,
        "append to table \"\(table.name)\"")
      putBytes.count += value.mv_size
      table.close(
        bytes, key: key, into: UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }

    /// Deletes the entry at the position, in a transaction that writes.
    func delete() throws {
      guard case .lmdb(let pointer) = position else {
        preconditionFailure("a reading transaction deletes nothing")
      }
      try require(mdb_cursor_del(pointer, 0), path, "delete")
    }

    private func move(
      _ operation: MDB_cursor_op, _ start: MDB_val, _ step: (TreeCursor) throws -> Entry?
    ) throws -> Entry? {
      switch position {
      case .pages(let cursor):
        guard let (key, value) = try step(cursor) else { return nil }
        if table.isSealed { file.willReadAll(of: value) }
        return (key, try table.open(value, key: key))
      case .lmdb(let pointer):
        var key = start
        var value = MDB_val()
        let code = mdb_cursor_get(pointer, &key, &value, operation)
        if code == MDB_NOTFOUND { return nil }
        try require(code, path, "read")
        let found = UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
        let stored = UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
        return (found, try table.open(stored, key: found))
      }
    }
  }
}

/// How many bytes of values a transaction has put, replaced ones included.
private final class PutBytes {
  var count = 0
}

extension Table {
  /// Bytes that a value of `byteCount` bytes takes with its seal.
  fileprivate func storedByteCount(_ byteCount: Int) -> Int { byteCount + (isSealed ? Seal.byteCount : 0) }

  /// Writes a value as it is stored; `target` has `storedByteCount` bytes.
  fileprivate func close(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) {
    if isSealed {
      Seal.close(key: key, value: value, into: target)
    } else {
      target.copyMemory(from: value)
    }
  }

  /// Verifies the seal of a stored value and takes it off.
  fileprivate func open(
    _ stored: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) throws -> UnsafeRawBufferPointer {
    guard isSealed else { return stored }
    guard let value = Seal.open(key: key, sealed: stored) else {
      throw Fault(
        .badData, subject(of: key), "does not match its checksum",
        remedy: "restore a copy, or see with cellvec check what can still be read")
    }
    return value
  }
}

extension MDB_val {
  /// Bytes as LMDB takes them; it does not write through them.
  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }
}
