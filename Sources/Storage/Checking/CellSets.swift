import Identity

/// The derived row sets as the cells say them, a chunk at a time: memory does not grow with the cells.
struct CellSets {
  /// A record of table "sets".
  typealias Record = (key: Key, value: [UInt8])

  private var chunk: UInt16 = 0
  /// The rows of the chunk: of all cells, of those with a value in a field, by the field's number, and of those with a text.
  private var rows = RowSet()
  private var rowsWithValue: [RowSet] = []
  private var rowsWithText: [TextKey: RowSet] = [:]

  /// Takes up a cell; they come in order of rows.
  /// - Returns: the records of the chunk before it, where this is the first cell of another; otherwise none.
  mutating func add(_ cell: StoredCell, at row: Row) -> [Record] {
    var finished: [Record] = []
    if SetChunk.chunk(of: row) != chunk {
      finished = finish()
      chunk = SetChunk.chunk(of: row)
    }
    rows.insert(row)
    for (field, value) in cell.values {
      while rowsWithValue.count <= Int(field) { rowsWithValue.append(RowSet()) }
      rowsWithValue[Int(field)].insert(row)
      value.forEachTextID { id in
        rowsWithText[TextKey(field: field, id: id), default: RowSet()].insert(row)
      }
    }
    return finished
  }

  /// The records of the last chunk.
  mutating func finish() -> [Record] {
    defer { (rows, rowsWithValue, rowsWithText) = (RowSet(), [], [:]) }
    func record(_ name: RowSetName, _ rows: RowSet) -> Record {
      (SetChunk(name: name, chunk: chunk).key, rows.encoded())
    }
    var records = rowsWithText.map { record(.text(field: $0.key.field, id: $0.key.id), $0.value) }
    for (field, rows) in rowsWithValue.enumerated() where !rows.isEmpty {
      records.append(record(.hasValue(field: UInt16(field)), rows))
    }
    if !rows.isEmpty { records.append(record(.cells, rows)) }
    return records
  }
}

/// The number of a text in the dictionary of a field, in one word: it is hashed for each value of each cell.
private struct TextKey: Hashable {
  private let number: UInt64

  init(field: UInt16, id: UInt32) { number = UInt64(field) << 32 | UInt64(id) }

  var field: UInt16 { UInt16(truncatingIfNeeded: number >> 32) }
  var id: UInt32 { UInt32(truncatingIfNeeded: number) }
}

/// A number for any count of records, whatever their order: two lots of records with the same one are the same.
struct RecordDigest: Equatable {
  private var count = 0
  private var sum: UInt64 = 0

  mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    count += 1
    sum &+= checksum64(value, seed: checksum64(key))
  }

  mutating func add(_ records: [CellSets.Record]) {
    for record in records {
      record.key.bytes.withUnsafeBytes { key in record.value.withUnsafeBytes { add(key, $0) } }
    }
  }
}

extension Transaction {
  /// Calls `body` with the key of each derived record of table "sets" that is missing, wrong or astray, and with the
  /// value that it is to have; nil for none. Cells that cannot be read are passed over.
  ///
  /// - Complexity: reads cells and sets once; holds the keys of the sets in memory.
  func forEachSetChange(_ body: (_ key: Key, _ value: [UInt8]?) throws -> Void) throws {
    var known: Set<Key> = []
    var sets = CellSets()
    func compare(_ records: [CellSets.Record]) throws {
      for record in records {
        known.insert(record.key)
        // A record that cannot be read is one to be replaced.
        let stored = try? get(.sets, record.key)
        if stored?.elementsEqual(record.value) != true { try body(record.key, record.value) }
      }
    }
    try survey(
      .cells, damage: { _, _ in },
      entry: { key, value in
        guard key.count == 4 else { return }
        let row = key.bigEndian(at: 0, as: Row.self)
        if let cell = try? StoredCell(decoding: value, row: row) { try compare(sets.add(cell, at: row)) }
      })
    try compare(sets.finish())
    let strays = try keys(of: .sets) { key in
      if case .space = key.bytes.withUnsafeBytes({ RowSetName(key: $0) }) { return false }
      return !known.contains(key)
    }
    for key in strays { try body(key, nil) }
  }

  /// The keys of a table that fulfil a condition, also those of records that are damaged.
  func keys(of table: Table, where isWanted: (Key) -> Bool) throws -> [Key] {
    var found: [Key] = []
    func note(_ bytes: UnsafeRawBufferPointer) {
      let key = Key(bytes: Array(bytes))
      if isWanted(key) { found.append(key) }
    }
    try survey(table, damage: { _, key in key.map(note) }, entry: { key, _ in note(key) })
    return found
  }
}
