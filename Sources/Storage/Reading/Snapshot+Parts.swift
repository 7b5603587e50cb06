/// What the parts of a database occupy.
package struct DatabaseParts: Sendable, Equatable {
  package struct Part: Sendable, Equatable {
    package let name: String
    /// Records; pages of what is free.
    package let entries: Int
    package let byteCount: Int
  }

  /// Every table, free pages, and LMDB's own; together the whole file up to its last page in use.
  package let tables: [Part]
  /// The vectors of each space: parts of table "vectors".
  package let spaces: [Part]
  /// The texts, row sets and numbers of each field, without the pages' unused bytes; parts of tables "texts",
  /// "text_ids", "sets" and "numbers". What the cells themselves hold of it is not in it.
  package let fields: [Part]
}

extension Snapshot {
  /// - Complexity: reads the keys of every vector block, text and row set.
  package func parts() throws -> DatabaseParts {
    let pageByteCount = transaction.pageByteCount
    var tables = Table.allCases.map { table in
      let size = transaction.size(of: table)
      return DatabaseParts.Part(
        name: table.name, entries: size.entries, byteCount: size.pages * pageByteCount)
    }
    for (name, pages) in [
      ("free", try transaction.freePageCount()), ("lmdb", try transaction.ownPageCount()),
    ] {
      tables.append(DatabaseParts.Part(name: name, entries: pages, byteCount: pages * pageByteCount))
    }
    var spaces: [DatabaseParts.Part] = []
    for space in self.spaces {
      spaces.append(try part(space.name, [(.vectors, Key().appending(space.id))]))
    }
    var fields: [DatabaseParts.Part] = []
    for field in self.fields {
      let id = Key().appending(field.id)
      fields.append(
        try part(
          field.name,
          [
            (.texts, id), (.textIDs, id), (.numbers, id),
            (.sets, RowSetName.hasValue(field: field.id).prefix),
            (.sets, RowSetName.textPrefix(field: field.id)),
          ]))
    }
    return DatabaseParts(tables: tables, spaces: spaces, fields: fields)
  }

  /// The entries whose keys begin with these prefixes, and the bytes of their keys and values.
  private func part(_ name: String, _ prefixes: [(Table, Key)]) throws -> DatabaseParts.Part {
    var (entries, byteCount) = (0, 0)
    for (table, prefix) in prefixes {
      try transaction.forEachSize(table, prefix: prefix) { keyByteCount, valueByteCount in
        entries += 1
        byteCount += keyByteCount + valueByteCount
      }
    }
    return DatabaseParts.Part(name: name, entries: entries, byteCount: byteCount)
  }
}
