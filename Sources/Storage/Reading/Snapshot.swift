import Faults
package import Identity

/// A consistent view of the database: what the last commit before it left. Lives during one `Database.read`.
package struct Snapshot: ~Copyable {
  let transaction: Transaction
  /// All fields, in order of their ids.
  package let fields: [Field]
  /// All spaces, in order of their ids.
  package let spaces: [SpaceRecord]

  package func field(named name: String) -> Field? { fields.first { $0.name == name } }
  package func space(named name: String) -> SpaceRecord? { spaces.first { $0.name == name } }

  /// - Throws: `missingInput` when there is no such field.
  package func requiredField(named name: String) throws -> Field {
    if let field = field(named: name) { return field }
    if name == Field.imageName {
      throw Fault(.missingInput, "field \"\(name)\"", "does not exist", remedy: Field.adviceOnMissingImage)
    }
    throw Fault.unknownName(.missingInput, "field", name, among: fields.map(\.name))
  }

  // MARK: Cells and images

  /// One more than the highest row that was ever given out.
  package func rowLimit() throws -> Row { try transaction.counter(.nextRow) }

  package func allRows() throws -> RowSet { try transaction.rowSet(.cells) }

  /// Cells with a vector in the space.
  package func rows(in space: SpaceRecord) throws -> RowSet { try transaction.rowSet(.space(space.id)) }

  /// The cell at a row; nil when there is none.
  /// - Parameter fields: the ids of those whose values are wanted, each of which takes a look-up or more; nil for all.
  package func cell(at row: Row, reading fields: [UInt16]? = nil) throws -> CellRecord? {
    try transaction.cell(at: row, reading: fields)
  }

  /// The cell at a row that a row set names.
  /// - Parameter fields: as of `cell(at:reading:)`.
  /// - Throws: `badData` when there is none.
  package func listedCell(at row: Row, reading fields: [UInt16]? = nil) throws -> CellRecord {
    if let cell = try cell(at: row, reading: fields) { return cell }
    throw Fault(
      .badData, "cell \(row)", "is in a row set, and its record cannot be found", remedy: "run cellvec check")
  }

  package func imageCount() -> Int { transaction.count(.images) }
  package func image(_ number: UInt32) throws -> ImageRecord? { try transaction.image(number) }

  package func imageNumber(identity: ContentHash) throws -> UInt32? {
    try transaction.imageNumber(identity: identity)
  }

  /// What became of an image in a space; nil when it was not ingested there.
  package func outcome(image: UInt32, space: SpaceRecord) throws -> IngestOutcome? {
    try transaction.get(.outcomes, Key().appending(space.id).appending(image)).map {
      try Document.decode(IngestOutcome.self, from: $0, of: "outcome of image \(image)")
    }
  }

  // MARK: Heads

  /// All heads, in order of their names.
  package func heads() throws -> [HeadEntry] {
    var heads: [HeadEntry] = []
    try transaction.forEach(.heads) { key, value in
      heads.append(try HeadEntry(decoding: value, name: String(decoding: key, as: UTF8.self)))
    }
    return heads
  }

  package func head(named name: String) throws -> HeadRecord? { try transaction.head(named: name) }
}
