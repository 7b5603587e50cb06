extension WriteTransaction {
  /// Makes a graph visible whose blocks are stored, in place of the one that the space has.
  /// - Parameter rows: the rows whose vectors are in it.
  package mutating func setGraph(_ record: GraphRecord, of space: SpaceRecord, rows: RowSet) throws {
    try transaction.put(.indexes, GraphRecord.key(of: space.id), Document.encode(record))
    let name = RowSetName.inGraph(space: space.id)
    try transaction.deleteAll(.indexes, prefix: name.prefix)
    for (chunk, rows) in rows.chunks {
      try transaction.put(.indexes, SetChunk(name: name, chunk: chunk).key, rows.encoded())
    }
    try setIndexFlags()
  }

  /// Takes a space's graph away, if it has one; its blocks are left for `removeStrayIndexBlocks`. For a transaction in
  /// which no vectors were changed before.
  package mutating func dropGraph(of space: SpaceRecord) throws {
    try transaction.delete(.indexes, GraphRecord.key(of: space.id))
    try transaction.deleteAll(.indexes, prefix: RowSetName.inGraph(space: space.id).prefix)
    try setIndexFlags()
  }
}

extension DatabaseWriter {
  /// Removes a space's graph, if it has one, with its blocks.
  package func dropGraph(of space: SpaceRecord) throws {
    try write { try $0.dropGraph(of: space) }
    try removeStrayIndexBlocks(of: space)
  }
}
