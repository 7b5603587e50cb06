import Faults

extension WriteTransaction {
  /// Gives a space another name.
  /// - Throws: `usage` when the name is empty or taken, or has control characters.
  package mutating func rename(_ space: SpaceRecord, to name: String) throws {
    try requirePlainName(name, of: "space")
    guard !name.isEmpty, self.space(named: name) == nil else {
      throw Fault(
        .usage, "space \"\(space.name)\"",
        "cannot be renamed to \"\(name)\": the name is \(name.isEmpty ? "empty" : "taken")",
        remedy: "choose another name")
    }
    for index in spaces.indices where spaces[index].id == space.id {
      spaces[index].name = name
      try transaction.put(.spaces, Key().appending(space.id), Document.encode(spaces[index]))
    }
  }

  /// Removes a space: its vectors with their int8 copies, what became of images in it, and its heads. The cells stay. For a transaction
  /// of its own.
  package mutating func drop(_ space: SpaceRecord) throws {
    let prefix = Key().appending(space.id)
    for table in [Table.vectors, .coarse, .outcomes, .spaces] {
      try transaction.deleteAll(table, prefix: prefix)
    }
    try transaction.deleteAll(.sets, prefix: RowSetName.space(space.id).prefix)
    try dropIndex(of: space)
    var heads: [String] = []
    try transaction.forEach(.heads) { key, value in
      let name = String(decoding: key, as: UTF8.self)
      if try HeadEntry(decoding: value, name: name).space == space.id { heads.append(name) }
    }
    for head in heads { try transaction.delete(.heads, Key().appending(head)) }
    spaces.removeAll { $0.id == space.id }
    try noteScalars()
  }

  /// Tells programs that know fewer types whether they can read the database.
  func noteScalars() throws {
    let stored = try transaction.formatHeader()
    var header = stored
    header.noteScalars(of: spaces)
    if header != stored { try transaction.put(.header, FormatHeader.key, Document.encode(header)) }
  }
}
