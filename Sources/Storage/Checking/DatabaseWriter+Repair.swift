import Faults
import Formats
import Identity

extension DatabaseWriter {
  /// Makes records anew that follow from others, where they are damaged, missing or wrong: the dictionaries of texts
  /// and images, row sets of cells, fields and texts, and number columns.
  ///
  /// Each record is replaced by the right one in a transaction of bounded size. What a run that was killed has done is
  /// right, and the next one does the rest.
  ///
  /// - Returns: how many records were written or deleted.
  /// - Throws: `badData` with the first fault of the rest of the database, from which nothing can be derived.
  package func repair() throws -> Int {
    try database.read { snapshot in
      let report = snapshot.checkReport()
      if let fault = (report.primary + report.pages).first { throw fault }
      if report.derived.isEmpty { return 0 }
      var repair = Repair(writer: self)
      try repair.run(on: snapshot)
      let dropped = try dropDamagedIndexes(of: snapshot) + dropDamagedCoarse(of: snapshot)
      return try repair.count + dropped + repairIndexFlags()
    }
  }

  /// Brings the flags that tell of indexes in line with those that are there.
  /// - Returns: how many records were written.
  private func repairIndexFlags() throws -> Int {
    let isWrong = try database.read {
      try indexFlagProblem(of: $0.transaction.formatHeader(), $0.transaction, $0.spaces) != nil
    }
    if isWrong { try write { try $0.setIndexFlags() } }
    return isWrong ? 1 : 0
  }

  /// Removes the indexes of spaces that are not what they would be. `cellvec index build` makes them anew.
  /// - Returns: how many there were.
  private func dropDamagedIndexes(of snapshot: borrowing Snapshot) throws -> Int {
    var count = 0
    for space in snapshot.spaces {
      do {
        if try indexProblem(of: space, snapshot.transaction) == nil,
          try graphProblem(of: space, snapshot.transaction) == nil
        {
          continue
        }
      } catch let fault as Fault where fault.kind != .badData {
        throw fault
      } catch {
        // What cannot be read is damaged too.
      }
      try write { try $0.dropIndex(of: space) }
      count += 1
    }
    return count
  }
}

/// The changes that bring derived records in line with the primary ones of a snapshot.
private struct Repair {
  private var batch: ChangeBatch
  var count: Int { batch.count }

  init(writer: DatabaseWriter) { batch = ChangeBatch(writer: writer) }

  mutating func run(on snapshot: borrowing Snapshot) throws {
    var cells = CellSummary()
    try snapshot.transaction.forEach(.cells) { key, value in
      let row = key.bigEndian(at: 0, as: Row.self)
      cells.add(try StoredCell(decoding: value, row: row), at: row)
    }
    try repairDictionaries(snapshot.transaction)
    try snapshot.transaction.forEachSetChange { try batch.set(.sets, $0, to: $1) }
    try repairNumbers(snapshot.transaction, cells)
    try batch.flush()
  }

  private mutating func repairDictionaries(_ transaction: borrowing Transaction) throws {
    var known: [Table: Set<Key>] = [:]
    try transaction.forEach(.texts) { key, value in
      let field = key.bigEndian(at: 0, as: UInt16.self)
      let entry = Key().appending(field).appending(ContentHash(of: value))
      known[.textIDs, default: []].insert(entry)
      try set(.textIDs, entry, to: littleEndian(key.bigEndian(at: 2, as: UInt32.self)), transaction)
    }
    try transaction.forEach(.images) { key, value in
      let number = key.bigEndian(at: 0, as: UInt32.self)
      let entry = Key().appending(try transaction.decodeImage(value, number).identity)
      known[.imageIDs, default: []].insert(entry)
      try set(.imageIDs, entry, to: littleEndian(number), transaction)
    }
    for table in [Table.textIDs, .imageIDs] {
      try deleteEntries(of: table, transaction) { known[table]?.contains($0) != true }
    }
  }

  private mutating func repairNumbers(_ transaction: borrowing Transaction, _ cells: CellSummary) throws {
    var known: Set<Key> = []
    for (field, rows) in cells.numberRows {
      var next = rows.next(from: 0)
      while let first = next {
        let chunk = NumberChunk(field: field, row: first)
        let firstRow = chunk.chunk * UInt32(NumberChunk.rowCount)
        let end = Row(clamping: UInt64(firstRow) + UInt64(NumberChunk.rowCount))
        var column = [Double](repeating: .nan, count: NumberChunk.rowCount)
        for row in rows.intersection(RowSet(firstRow..<end)).toArray() {
          if case .number(let number) = try transaction.storedCell(at: row)?.values[field] {
            column[NumberChunk.slot(of: row)] = number
          }
        }
        known.insert(chunk.key)
        try set(.numbers, chunk.key, to: column.flatMap { littleEndian($0.bitPattern) }, transaction)
        next = rows.next(from: end)
      }
    }
    try deleteEntries(of: .numbers, transaction) { !known.contains($0) }
  }

  // MARK: Changes

  private mutating func set(
    _ table: Table, _ key: Key, to value: [UInt8], _ transaction: borrowing Transaction
  ) throws {
    // A record that cannot be read is one to be replaced.
    let stored = try? transaction.get(table, key)
    if let stored, stored.elementsEqual(value) { return }
    try batch.set(table, key, to: value)
  }

  private mutating func deleteEntries(
    of table: Table, _ transaction: borrowing Transaction, where isStray: (Key) -> Bool
  ) throws {
    for key in try transaction.keys(of: table, where: isStray) { try batch.set(table, key, to: nil) }
  }
}

private func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.append(littleEndian: number)
  return bytes
}

extension RowSet {
  /// The set cut into the chunks in which it is stored; none is empty.
  var chunks: [(chunk: UInt16, rows: RowSet)] {
    var chunks: [(UInt16, RowSet)] = []
    var next = self.next(from: 0)
    while let first = next {
      let chunk = SetChunk.chunk(of: first)
      let start = UInt64(chunk) << 16
      let end = start + 65_536
      // No row is the last number of all, so that the end of the last chunk may leave it out.
      let last = Row(clamping: end)
      chunks.append((chunk, intersection(RowSet(Row(start)..<last))))
      next = self.next(from: last)
    }
    return chunks
  }
}
