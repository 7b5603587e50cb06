/// Changes to records, written in transactions of bounded size.
struct ChangeBatch {
  private let writer: DatabaseWriter
  /// Changes so far.
  private(set) var count = 0
  private var changes: [(table: Table, key: Key, value: [UInt8]?)] = []
  private var byteCount = 0
  /// Bytes of records in one transaction.
  private static let limit = 8 << 20

  init(writer: DatabaseWriter) { self.writer = writer }

  /// Sets a record; nil deletes it.
  mutating func set(_ table: Table, _ key: Key, to value: [UInt8]?) throws {
    count += 1
    changes.append((table, key, value))
    byteCount += key.bytes.count + (value?.count ?? 0)
    if byteCount > ChangeBatch.limit { try flush() }
  }

  mutating func flush() throws {
    try writer.write { transaction in
      for change in changes {
        if let value = change.value {
          try transaction.transaction.put(change.table, change.key, value)
        } else {
          try transaction.transaction.delete(change.table, change.key)
        }
      }
    }
    changes = []
    byteCount = 0
  }
}
