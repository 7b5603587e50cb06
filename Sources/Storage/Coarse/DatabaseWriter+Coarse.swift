import Faults

/// What making int8 copies has done.
package struct CoarseSummary: Sendable, Equatable {
  /// Vectors that were copied, of blocks that got a copy.
  package fileprivate(set) var vectors = 0
  /// Copies of blocks that are gone.
  package fileprivate(set) var removedBlocks = 0
}

extension DatabaseWriter {
  /// Blocks of one transaction: 4 MiB of copies of float32.
  private static let copiesPerCommit = 64

  /// Makes int8 copies of all blocks of a space that have none of their vectors, and removes those of blocks that are
  /// gone, in transactions of bounded size: what a run that was killed has made is right, and the next makes the rest.
  ///
  /// - Parameter progress: called after each transaction with the vectors copied so far; a throw ends the work.
  /// - Throws: `usage` where the space keeps its vectors in 8 bits a number already.
  @discardableResult
  package func makeCoarse(
    of space: SpaceRecord, progress: (_ vectors: Int) throws -> Void = { _ in }
  ) throws -> CoarseSummary {
    guard space.scalar != .int8 else {
      throw Fault(
        .usage, "space \"\(space.name)\"", "keeps its vectors in 8 bits a number: a copy would be as large",
        remedy: "search it as it is")
    }
    let layout = CoarseBlockLayout(of: space)
    let (missing, strays) = try database.read { try $0.coarseWork(of: space) }
    var summary = CoarseSummary()
    for start in stride(from: 0, to: missing.count, by: Self.copiesPerCommit) {
      try write { transaction in
        for (block, vectors) in missing[start..<min(start + Self.copiesPerCommit, missing.count)] {
          guard let stored = try transaction.transaction.block(block, of: space.id, layout.vectors) else {
            continue
          }
          try layout.write(stored, to: transaction.transaction)
          summary.vectors += vectors
        }
      }
      try progress(summary.vectors)
    }
    try deleteCopies(strays)
    summary.removedBlocks = strays.count
    return summary
  }

  /// The same where the space has such copies. Cheap: what changes vectors of a space ends with it.
  package func followCoarse(of space: SpaceRecord) throws {
    guard space.scalar != .int8, try database.read(expecting: .scattered, { try $0.hasCoarse(space) }) else {
      return
    }
    try makeCoarse(of: space)
  }

  /// Removes the int8 copies of a space, in transactions of bounded size.
  /// - Returns: whether there were any.
  @discardableResult
  package func dropCoarse(of space: SpaceRecord) throws -> Bool {
    var keys: [Key] = []
    try database.read { snapshot in
      try snapshot.transaction.forEach(.coarse, prefix: Key().appending(space.id)) { key, _ in
        keys.append(Key(bytes: Array(key)))
      }
    }
    try deleteCopies(keys)
    return !keys.isEmpty
  }

  private func deleteCopies(_ keys: [Key]) throws {
    for start in stride(from: 0, to: keys.count, by: Self.copiesPerCommit) {
      try write { transaction in
        for key in keys[start..<min(start + Self.copiesPerCommit, keys.count)] {
          try transaction.transaction.delete(.coarse, key)
        }
      }
    }
  }

  /// Removes int8 copies that are not what they would be, or of no space. They are made anew with the next.
  /// - Returns: how many there were.
  func dropDamagedCoarse(of snapshot: borrowing Snapshot) throws -> Int {
    var batch = ChangeBatch(writer: self)
    try snapshot.transaction.forEach(.coarse) { key, value in
      if try coarseProblem(key, value, snapshot.transaction, snapshot.spaces) != nil {
        try batch.set(.coarse, Key(bytes: Array(key)), to: nil)
      }
    }
    try batch.flush()
    return batch.count
  }
}

extension Snapshot {
  package func hasCoarse(_ space: SpaceRecord) throws -> Bool {
    let prefix = Key().appending(space.id)
    let cursor = try Transaction.Cursor(transaction, .coarse)
    return try cursor.seek(prefix)?.key.starts(with: prefix.bytes) == true
  }

  /// The cells of a space whose vectors have an int8 copy, and the bytes of keys and values of all copies.
  package func coarseExtent(of space: SpaceRecord) throws -> (vectors: Int, byteCount: Int) {
    var (vectors, byteCount) = (0, 0)
    try transaction.forEachSize(.coarse, prefix: Key().appending(space.id)) { byteCount += $0 + $1 }
    if byteCount == 0 { return (0, 0) }
    try forEachBlock(of: space, containing: rows(in: space), withCoarse: true) { block in
      if block.coarse != nil { vectors += block.wanted?.count ?? block.slotCount }
    }
    return (vectors, byteCount)
  }

  /// Blocks without a copy of their vectors, with how many these are, and keys of copies of blocks that are gone.
  fileprivate func coarseWork(
    of space: SpaceRecord
  ) throws -> (missing: [(block: UInt32, vectors: Int)], strays: [Key]) {
    let rows = try self.rows(in: space)
    let prefix = Key().appending(space.id)
    let layout = BlockLayout(of: space)
    let copies = try CoarseReader(transaction, of: space)
    var missing: [(block: UInt32, vectors: Int)] = []
    try transaction.forEach(.vectors, prefix: prefix) { key, value in
      guard key.count == 6 else { return }
      let block = key.bigEndian(at: 2, as: UInt32.self)
      let header = try BlockHeader(decoding: value, space: space.id, block: block, layout: layout)
      if try copies.groups(of: header) == nil {
        missing.append((block, rows.count(in: layout.rows(of: block))))
      }
    }
    var strays: [Key] = []
    try transaction.forEach(.coarse, prefix: prefix) { key, _ in
      let key = Key(bytes: Array(key))
      if try transaction.get(.vectors, key) == nil { strays.append(key) }
    }
    return (missing, strays)
  }
}
