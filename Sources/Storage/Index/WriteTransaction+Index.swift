import Faults

extension WriteTransaction {
  /// Writes the blocks of things that follow one another, from block `first` on.
  /// - Shape: `items` are whole items of the layout, all blocks but the last of all are full.
  package func putIndexBlocks(
    _ items: UnsafeRawBufferPointer, from first: Int, _ layout: IndexBlockLayout, segment: UInt32,
    of space: SpaceRecord
  ) throws {
    let blockByteCount = layout.itemsPerBlock * layout.itemByteCount
    for (index, start) in stride(from: 0, to: items.count, by: blockByteCount).enumerated() {
      let block = UnsafeRawBufferPointer(rebasing: items[start..<min(start + blockByteCount, items.count)])
      let name = IndexBlockName(
        space: space.id, segment: segment, kind: layout.kind, number: UInt32(first + index))
      try layout.write(block, name, to: transaction)
    }
  }

  /// Makes an index visible whose blocks are stored, in place of the one that the space has.
  /// - Parameter rows: the rows whose vectors are in it.
  package mutating func setIndex(_ record: IndexRecord, of space: SpaceRecord, rows: RowSet) throws {
    try transaction.put(.indexes, IndexRecord.key(of: space.id), Document.encode(record))
    try transaction.deleteAll(.indexes, prefix: RowSetName.indexed(space: space.id).prefix)
    for (chunk, rows) in rows.chunks {
      let key = SetChunk(name: .indexed(space: space.id), chunk: chunk).key
      try transaction.put(.indexes, key, rows.encoded())
    }
    try setWriterFlag(FormatHeader.indexFlag, true)
  }

  /// Removes a space's index and graph, if it has them. For a transaction in which no vectors were changed before.
  package mutating func dropIndex(of space: SpaceRecord) throws {
    try dropGraph(of: space)
    try transaction.delete(.indexes, IndexRecord.key(of: space.id))
    try transaction.deleteAll(.indexes, prefix: RowSetName.indexed(space: space.id).prefix)
    try transaction.deleteAll(.codes, prefix: Key().appending(space.id))
    if try !spaces.contains(where: { try transaction.get(.indexes, IndexRecord.key(of: $0.id)) != nil }) {
      try setWriterFlag(FormatHeader.indexFlag, false)
    }
  }

  /// Takes rows out of a space's index and graph whose vectors are about to change or to go.
  mutating func leaveIndex(_ rows: some Sequence<Row>, of space: SpaceRecord) throws {
    var names: [RowSetName] = []
    if try transaction.get(.indexes, IndexRecord.key(of: space.id)) != nil {
      names.append(.indexed(space: space.id))
    }
    if try transaction.get(.indexes, GraphRecord.key(of: space.id)) != nil {
      names.append(.inGraph(space: space.id))
    }
    if names.isEmpty { return }
    for row in rows {
      for name in names where try sets.contains(row, in: name, transaction) {
        try sets.remove(row, from: name, transaction)
      }
    }
  }

  /// Says in the header whether the database has what a writer must know how to keep.
  func setWriterFlag(_ flag: String, _ isSet: Bool) throws {
    var header = try transaction.formatHeader()
    let flags = header.writerFlags.filter { $0 != flag }
    header.writerFlags = (isSet ? flags + [flag] : flags).sorted()
    try transaction.put(.header, FormatHeader.key, Document.encode(header))
  }
}

extension DatabaseWriter {
  /// Removes blocks of a space's index that belong to no segment of it, as a build that was killed leaves them, in
  /// transactions of bounded size.
  /// - Returns: a number for the next segment.
  @discardableResult
  package func removeStrayIndexBlocks(of space: SpaceRecord) throws -> UInt32 {
    let (strays, next) = try database.read { snapshot in
      let known = try snapshot.knownSegments(of: space)
      var found: Set<UInt32> = []
      try snapshot.transaction.forEach(.codes, prefix: Key().appending(space.id)) { key, _ in
        if key.count == 11 { found.insert(key.bigEndian(at: 2, as: UInt32.self)) }
      }
      return (found.subtracting(known).sorted(), (known.max() ?? 0) + 1)
    }
    for segment in strays {
      let prefix = IndexBlockName.prefix(space: space.id, segment: segment)
      while try write({ try $0.transaction.deleteSome(.codes, prefix: prefix, limit: 64) }) {}
    }
    return next
  }
}

extension Snapshot {
  /// The segments that the index and the graph of a space name; none of a record that cannot be read, which is of no
  /// more use.
  fileprivate func knownSegments(of space: SpaceRecord) throws -> Set<UInt32> {
    var known: Set<UInt32> = []
    do {
      if let record = try indexRecord(of: space) {
        known.formUnion(record.segments.map(\.number) + [record.centres])
      }
    } catch let fault as Fault where fault.kind == .badData {}
    do {
      if let record = try graphRecord(of: space) { known.insert(record.segment) }
    } catch let fault as Fault where fault.kind == .badData {}
    return known
  }
}

extension Transaction {
  /// Deletes up to `limit` entries whose keys begin with `prefix`.
  /// - Returns: whether there may be more.
  fileprivate func deleteSome(_ table: Table, prefix: Key, limit: Int) throws -> Bool {
    let cursor = try Cursor(self, table)
    for _ in 0..<limit {
      guard let (key, _) = try cursor.seek(prefix), key.starts(with: prefix.bytes) else { return false }
      try cursor.delete()
    }
    return true
  }
}
