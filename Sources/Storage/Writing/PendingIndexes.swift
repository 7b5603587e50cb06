/// Chunks of row sets that a write transaction has touched.
struct PendingSets {
  private var chunks: [SetChunk: RowSet] = [:]

  mutating func insert(_ row: Row, into name: RowSetName, _ transaction: borrowing Transaction) throws {
    let chunk = try load(name, row, transaction)
    chunks[chunk]?.insert(row)
  }

  mutating func insert(
    _ rows: Range<Row>, into name: RowSetName, _ transaction: borrowing Transaction
  ) throws {
    var start = rows.lowerBound
    while start < rows.upperBound {
      let end = min(rows.upperBound, SetChunk.end(ofChunkWith: start))
      let chunk = try load(name, start, transaction)
      chunks[chunk]?.insert(contentsOf: start..<end)
      start = end
    }
  }

  /// - Parameter rows: in increasing order.
  mutating func insert(
    _ rows: UnsafeBufferPointer<Row>, into name: RowSetName, _ transaction: borrowing Transaction
  ) throws {
    var rest = rows[...]
    while let row = rest.first {
      let limit = SetChunk.end(ofChunkWith: row)
      let end =
        rest.last.map { $0 < limit } == true
        ? rest.endIndex : rest.firstIndex { $0 >= limit } ?? rest.endIndex
      let chunk = try load(name, row, transaction)
      chunks[chunk]?.insert(contentsOf: UnsafeBufferPointer(rebasing: rest[..<end]))
      rest = rest[end...]
    }
  }

  mutating func remove(_ row: Row, from name: RowSetName, _ transaction: borrowing Transaction) throws {
    let chunk = try load(name, row, transaction)
    chunks[chunk]?.remove(row)
  }

  func contains(_ row: Row, in name: RowSetName, _ transaction: borrowing Transaction) throws -> Bool {
    let chunk = SetChunk(name: name, chunk: SetChunk.chunk(of: row))
    return try (chunks[chunk] ?? transaction.rowSet(chunk))?.contains(row) ?? false
  }

  /// The rows of a range that are in a set, with what the transaction has changed.
  func rows(
    _ range: Range<Row>, in name: RowSetName, _ transaction: borrowing Transaction
  ) throws -> RowSet {
    var rows = RowSet()
    guard let last = range.last else { return rows }
    for number in SetChunk.chunk(of: range.lowerBound)...SetChunk.chunk(of: last) {
      let chunk = SetChunk(name: name, chunk: number)
      if let found = try chunks[chunk] ?? transaction.rowSet(chunk) { rows.formUnion(found) }
    }
    return rows.intersection(RowSet(range))
  }

  private mutating func load(
    _ name: RowSetName, _ row: Row, _ transaction: borrowing Transaction
  ) throws -> SetChunk {
    let chunk = SetChunk(name: name, chunk: SetChunk.chunk(of: row))
    if chunks[chunk] == nil { chunks[chunk] = try transaction.rowSet(chunk) ?? RowSet() }
    return chunk
  }

  /// Writes the chunks in order of their keys; an empty chunk is deleted.
  mutating func flush(to transaction: borrowing Transaction) throws {
    for table in [Table.sets, .indexes] {
      for (key, rows) in inKeyOrder(chunks.filter { $0.key.name.table == table }, \.key) {
        if rows.isEmpty {
          try transaction.delete(table, key)
        } else {
          try transaction.put(table, key, rows.encoded())
        }
      }
    }
    chunks = [:]
  }
}

/// Chunks of number columns that a write transaction has touched.
struct PendingNumbers {
  private var chunks: [NumberChunk: [UInt64]] = [:]

  /// Sets the number of a row; NaN for no value.
  mutating func set(
    _ number: Double, of row: Row, field: UInt16, _ transaction: borrowing Transaction
  ) throws {
    let chunk = NumberChunk(field: field, row: row)
    if chunks[chunk] == nil { chunks[chunk] = try load(chunk, transaction) }
    chunks[chunk]?[NumberChunk.slot(of: row)] = number.bitPattern.littleEndian
  }

  /// Sets the numbers of rows that follow one another.
  mutating func set(
    _ numbers: some Collection<Double>, from row: Row, field: UInt16, _ transaction: borrowing Transaction
  ) throws {
    var rest = numbers[...]
    var row = row
    while !rest.isEmpty {
      let chunk = NumberChunk(field: field, row: row)
      let slot = NumberChunk.slot(of: row)
      let part = rest.prefix(NumberChunk.rowCount - slot)
      if chunks[chunk] == nil { chunks[chunk] = try load(chunk, transaction) }
      chunks[chunk]?.replaceSubrange(
        slot..<slot + part.count, with: part.lazy.map { $0.bitPattern.littleEndian })
      row += Row(part.count)
      rest = rest[part.endIndex...]
    }
  }

  private func load(_ chunk: NumberChunk, _ transaction: borrowing Transaction) throws -> [UInt64] {
    let empty = Double.nan.bitPattern.littleEndian
    guard let value = try transaction.get(.numbers, chunk.key) else {
      return Array(repeating: empty, count: NumberChunk.rowCount)
    }
    let column = try chunk.key.bytes.withUnsafeBytes { try NumberColumn(decoding: value, key: $0) }
    return (0..<NumberChunk.rowCount).map { column[$0].bitPattern.littleEndian }
  }

  /// Writes the chunks in order of their keys; a chunk without a number is deleted.
  mutating func flush(to transaction: borrowing Transaction) throws {
    for (key, numbers) in inKeyOrder(chunks, \.key) {
      if numbers.allSatisfy({ Double(bitPattern: UInt64(littleEndian: $0)).isNaN }) {
        try transaction.delete(.numbers, key)
      } else {
        try numbers.withUnsafeBytes { try transaction.put(.numbers, key, $0) }
      }
    }
    chunks = [:]
  }
}

/// The entries of a dictionary in the order in which LMDB keeps them: fewer page splits, and the same input
/// gives the same file.
func inKeyOrder<Name, Value>(
  _ entries: [Name: Value], _ key: KeyPath<Name, Key>
) -> [(key: Key, value: Value)] {
  entries.map { (key: $0.key[keyPath: key], value: $0.value) }
    .sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
}
