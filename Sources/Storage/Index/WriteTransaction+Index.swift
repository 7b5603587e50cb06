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
    try setIndexFlags()
  }

  /// Removes a space's index and graph, if it has them, and an index that is being built. For a transaction in which no
  /// vectors were changed before.
  package mutating func dropIndex(of space: SpaceRecord) throws {
    try dropGraph(of: space)
    try dropLists(of: space)
    try transaction.deleteAll(.codes, prefix: Key().appending(space.id))
  }

  /// Takes a space's index away, if it has one, and what is being built; its blocks are left for `removeStrayIndexBlocks`.
  /// For a transaction in which no vectors were changed before.
  fileprivate mutating func dropLists(of space: SpaceRecord) throws {
    try transaction.delete(.indexes, IndexRecord.key(of: space.id))
    try transaction.delete(.indexes, UnfinishedIndex.key(of: space.id))
    try transaction.deleteAll(.indexes, prefix: RowSetName.indexed(space: space.id).prefix)
    try setIndexFlags()
  }

  /// Takes rows out of a space's index and graph whose vectors are about to change or to go. What is left of a build that
  /// was killed is of no more use when it has one of them.
  mutating func leaveIndex(_ rows: some Sequence<Row>, of space: SpaceRecord) throws {
    if try has(UnfinishedIndex.key(of: space.id)) {
      let limit = try transaction.soundUnfinishedIndex(of: space)?.rowLimit ?? .max
      if rows.contains(where: { $0 < limit }) { try setUnfinishedIndex(nil, of: space) }
    }
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

  /// Notes what a build has begun, so that the next one goes on with its blocks; nil where there is nothing to go on with.
  package mutating func setUnfinishedIndex(_ index: UnfinishedIndex?, of space: SpaceRecord) throws {
    if let index {
      try transaction.put(.indexes, UnfinishedIndex.key(of: space.id), Document.encode(index))
    } else {
      try transaction.delete(.indexes, UnfinishedIndex.key(of: space.id))
    }
    try setIndexFlags()
  }

  /// Says in the header whether the database has indexes and graphs, which a writer must know how to keep.
  func setIndexFlags() throws {
    var header = try transaction.formatHeader()
    let others = header.writerFlags.filter { !FormatHeader.indexFlags.contains($0) }
    let needed = try transaction.neededIndexFlags(of: spaces)
    header.writerFlags = (others + needed).sorted()
    try transaction.put(.header, FormatHeader.key, Document.encode(header))
  }

  private func has(_ key: Key) throws -> Bool { try transaction.hasIndexEntry(key) }
}

extension Transaction {
  /// The writer flags that the indexes and graphs of spaces need.
  func neededIndexFlags(of spaces: [SpaceRecord]) throws -> Set<String> {
    var flags: Set<String> = []
    for space in spaces {
      if try hasIndexEntry(IndexRecord.key(of: space.id)) { flags.insert(FormatHeader.indexFlag) }
      if try hasIndexEntry(GraphRecord.key(of: space.id)) { flags.insert(FormatHeader.graphFlag) }
      if try hasIndexEntry(UnfinishedIndex.key(of: space.id)) {
        flags.insert(FormatHeader.unfinishedIndexFlag)
      }
    }
    return flags
  }

  /// Whether there is a record, damaged or not.
  fileprivate func hasIndexEntry(_ key: Key) throws -> Bool {
    do {
      return try get(.indexes, key) != nil
    } catch let fault as Fault where fault.kind == .badData {
      return true
    }
  }
}

extension DatabaseWriter {
  /// Removes a space's index, if it has one, with its blocks, and leaves the graph.
  package func dropLists(of space: SpaceRecord) throws {
    try write { try $0.dropLists(of: space) }
    try removeStrayIndexBlocks(of: space)
  }

  /// Removes blocks of a space's index that belong to no segment of it, nor to one that is being built, as a build that
  /// was killed leaves them, in transactions of bounded size.
  /// - Returns: a number for the next segment.
  @discardableResult
  package func removeStrayIndexBlocks(of space: SpaceRecord) throws -> UInt32 {
    let (strays, next) = try database.read { snapshot in
      let known = try snapshot.knownSegments(of: space)
      let unfinished = try snapshot.unfinishedIndex(of: space)?.segment
      var found: Set<Key> = []
      try snapshot.transaction.forEach(.codes, prefix: Key().appending(space.id)) { key, _ in
        guard key.count == 11 else { return }
        let segment = key.bigEndian(at: 2, as: UInt32.self)
        if segment == unfinished { return }
        let prefix = IndexBlockName.prefix(space: space.id, segment: segment)
        if !known.contains(segment) {
          found.insert(prefix)
        } else if key[6] == IndexBlockKind.lists.rawValue {
          found.insert(prefix.appending(key[6]))
        }
      }
      return (
        found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) },
        max(known.max() ?? 0, unfinished ?? 0) + 1
      )
    }
    for prefix in strays {
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
