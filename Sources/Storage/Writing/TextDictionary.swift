import Identity

/// The dictionary of texts of each field: a text is stored once and has a number from then on.
struct TextDictionary: ~Copyable {
  private var known: [UInt16: [String: UInt32]] = [:]
  private var counts: [UInt16: UInt32] = [:]

  mutating func id(of text: String, field: UInt16, _ transaction: borrowing Transaction) throws -> UInt32 {
    if let id = known[field]?[text] { return id }
    let id = try transaction.textID(text, of: field) ?? add(text, to: field, transaction)
    known[field, default: [:]][text] = id
    return id
  }

  private mutating func add(
    _ text: String, to field: UInt16, _ transaction: borrowing Transaction
  ) throws -> UInt32 {
    let id = try counts[field] ?? nextID(of: field, transaction)
    counts[field] = id + 1
    try transaction.put(.texts, Key().appending(field).appending(id), Array(text.utf8))
    try withUnsafeBytes(of: id.littleEndian) {
      try transaction.put(.textIDs, Key().appending(field).appending(ContentHash(of: text)), $0)
    }
    return id
  }

  private func nextID(of field: UInt16, _ transaction: borrowing Transaction) throws -> UInt32 {
    let last = try transaction.last(.texts, prefix: Key().appending(field))
    return last.map { $0.bigEndian(at: 2, as: UInt32.self) + 1 } ?? 0
  }
}
