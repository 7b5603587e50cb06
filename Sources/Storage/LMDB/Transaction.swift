import Clmdb
import Faults

/// A raw LMDB transaction: bytes in, bytes out. Pointers that it returns lie in the memory map and are valid
/// until the next write to the same transaction, or until it ends.
struct Transaction: ~Copyable {
  let environment: Environment
  let pointer: OpaquePointer
  private var isFinished = false

  init(_ environment: Environment, isWriting: Bool) throws {
    self.environment = environment
    var transaction: OpaquePointer?
    let flags = UInt32(isWriting ? 0 : MDB_RDONLY)
    var code = mdb_txn_begin(environment.pointer, nil, flags, &transaction)
    if code == MDB_READERS_FULL {
      // Slots of readers that were killed stay taken until somebody looks.
      var cleared: Int32 = 0
      mdb_reader_check(environment.pointer, &cleared)
      code = mdb_txn_begin(environment.pointer, nil, flags, &transaction)
    }
    guard code == MDB_SUCCESS, let transaction else {
      throw lmdbFault(code, environment.path, "begin a transaction")
    }
    pointer = transaction
  }

  deinit { if !isFinished { mdb_txn_abort(pointer) } }

  consuming func commit() throws {
    isFinished = true
    try require(mdb_txn_commit(pointer), environment.path, "commit")
  }

  func get(_ table: Table, _ key: Key) throws -> UnsafeRawBufferPointer? {
    try key.withValue { keyValue in
      var value = MDB_val()
      let code = mdb_get(pointer, environment.handle(table), &keyValue, &value)
      if code == MDB_NOTFOUND { return nil }
      try require(code, environment.path, "read table \"\(table.name)\"")
      return UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }
  }

  func put(_ table: Table, _ key: Key, _ bytes: UnsafeRawBufferPointer) throws {
    try key.withValue { keyValue in
      var value = MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      try require(
        mdb_put(pointer, environment.handle(table), &keyValue, &value, 0), environment.path,
        "write table \"\(table.name)\"")
    }
  }

  func put(_ table: Table, _ key: Key, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try put(table, key, $0) }
  }

  /// Sets aside a value of `byteCount` bytes and lets `fill` write it in place. `fill` must write every byte.
  func put(
    _ table: Table, _ key: Key, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws {
    try key.withValue { keyValue in
      var value = MDB_val(mv_size: byteCount, mv_data: nil)
      try require(
        mdb_put(pointer, environment.handle(table), &keyValue, &value, UInt32(MDB_RESERVE)),
        environment.path, "write table \"\(table.name)\"")
      fill(UnsafeMutableRawBufferPointer(start: value.mv_data, count: byteCount))
    }
  }

  func delete(_ table: Table, _ key: Key) throws {
    try key.withValue { keyValue in
      let code = mdb_del(pointer, environment.handle(table), &keyValue, nil)
      if code != MDB_NOTFOUND { try require(code, environment.path, "delete from table \"\(table.name)\"") }
    }
  }

  /// Deletes every entry whose key begins with `prefix`.
  func deleteAll(_ table: Table, prefix: Key) throws {
    let cursor = try Cursor(self, table)
    while let (key, _) = try cursor.seek(prefix), key.starts(with: prefix.bytes) { try cursor.delete() }
  }

  func count(_ table: Table) -> Int {
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

  /// The last key that begins with `prefix`.
  func last(_ table: Table, prefix: Key) throws -> UnsafeRawBufferPointer? {
    let cursor = try Cursor(self, table)
    let beyond = try prefix.successor.flatMap { try cursor.seek($0) }
    let entry = try beyond == nil ? cursor.last() : cursor.previous()
    guard let key = entry?.key, key.starts(with: prefix.bytes) else { return nil }
    return key
  }

  /// A position in a table. Must not outlive its transaction.
  struct Cursor: ~Copyable {
    typealias Entry = (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    private let pointer: OpaquePointer
    private let path: String

    init(_ transaction: borrowing Transaction, _ table: Table) throws {
      path = transaction.environment.path
      var cursor: OpaquePointer?
      let code = mdb_cursor_open(transaction.pointer, transaction.environment.handle(table), &cursor)
      guard code == MDB_SUCCESS, let cursor else { throw lmdbFault(code, path, "open a cursor") }
      pointer = cursor
    }

    deinit { mdb_cursor_close(pointer) }

    /// The first entry at or after `key`.
    func seek(_ key: Key) throws -> Entry? {
      if key.bytes.isEmpty { return try move(MDB_FIRST, MDB_val()) }
      return try key.withValue { try move(MDB_SET_RANGE, $0) }
    }

    func next() throws -> Entry? { try move(MDB_NEXT, MDB_val()) }
    func previous() throws -> Entry? { try move(MDB_PREV, MDB_val()) }
    func last() throws -> Entry? { try move(MDB_LAST, MDB_val()) }

    /// Deletes the entry at the position.
    func delete() throws { try require(mdb_cursor_del(pointer, 0), path, "delete") }

    private func move(_ operation: MDB_cursor_op, _ start: MDB_val) throws -> Entry? {
      var key = start
      var value = MDB_val()
      let code = mdb_cursor_get(pointer, &key, &value, operation)
      if code == MDB_NOTFOUND { return nil }
      try require(code, path, "read")
      return (
        UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
        UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
      )
    }
  }
}

extension Key {
  /// The key as LMDB takes it; LMDB does not write through it.
  fileprivate func withValue<Result>(_ body: (inout MDB_val) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { buffer in
      var value = MDB_val(
        mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
      return try body(&value)
    }
  }
}
