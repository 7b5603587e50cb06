import Faults
import Identity

/// The dictionary of texts of each field: a text is stored once and has a number from then on.
struct TextDictionary: ~Copyable {
  /// By digest, not by text: Swift calls two texts equal whose bytes differ in Unicode normalisation.
  private var known: [UInt16: [ContentHash: UInt32]] = [:]
  private var counts: [UInt16: UInt32] = [:]

  mutating func id(of text: String, field: UInt16, _ transaction: borrowing Transaction) throws -> UInt32 {
    let digest = ContentHash(of: text)
    if let id = known[field]?[digest] { return id }
    let id = try transaction.textID(digest, of: field) ?? add(text, digest, to: field, transaction)
    known[field, default: [:]][digest] = id
    return id
  }

  private mutating func add(
    _ text: String, _ digest: ContentHash, to field: UInt16, _ transaction: borrowing Transaction
  ) throws -> UInt32 {
    let id = try counts[field] ?? nextID(of: field, transaction)
    counts[field] = id + 1
    try transaction.put(.texts, Key().appending(field).appending(id), Array(text.utf8))
    try withUnsafeBytes(of: id.littleEndian) {
      try transaction.put(.textIDs, Key().appending(field).appending(digest), $0)
    }
    return id
  }

  private func nextID(of field: UInt16, _ transaction: borrowing Transaction) throws -> UInt32 {
    guard let last = try transaction.last(.texts, prefix: Key().appending(field)) else { return 0 }
    let id = last.count == 6 ? last.bigEndian(at: 2, as: UInt32.self) : .max
    guard id < .max else {
      throw Fault(.badData, "the texts of field \(field)", "are damaged", remedy: "run cellvec check")
    }
    return id + 1
  }
}
