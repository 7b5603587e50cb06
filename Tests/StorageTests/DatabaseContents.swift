import Faults

@testable import Storage

/// All that can be read from a database, to be compared.
struct DatabaseContents: Equatable {
  private(set) var cells: [Row: CellRecord] = [:]
  private(set) var images: [UInt32: ImageRecord] = [:]
  private(set) var vectors: [String: [[Float]]] = [:]
  private(set) var outcomes: [String: [IngestOutcome?]] = [:]
  private(set) var texts: [String: [String]] = [:]
  private(set) var rowSets: [String: [[Row]]] = [:]
  private(set) var heads: [HeadRecord] = []

  static func == (left: Self, right: Self) -> Bool {
    left.cells == right.cells && left.images == right.images && left.vectors == right.vectors
      && left.outcomes == right.outcomes && left.texts == right.texts && left.rowSets == right.rowSets
      && left.heads == right.heads
  }

  init(of snapshot: borrowing Snapshot) throws {
    let rows = try snapshot.allRows()
    for row in rows.toArray() { cells[row] = try snapshot.cell(at: row) }
    for number in 0..<UInt32(snapshot.imageCount()) {
      images[number] = try snapshot.image(number)
      if let identity = images[number]?.identity { _ = try snapshot.imageNumber(identity: identity) }
    }
    for space in snapshot.spaces {
      try snapshot.forEachBlock(of: space, containing: rows) { block in
        for row in block.rows {
          vectors[space.name, default: []].append(block.vector(of: row))
        }
      }
      for number in images.keys.sorted() {
        outcomes[space.name, default: []].append(try snapshot.outcome(image: number, space: space))
      }
    }
    for field in snapshot.fields {
      let distinct = try snapshot.distinctTexts(field)
      texts[field.name] = distinct.map { "\($0.text) \($0.count)" }
      var sets = [try snapshot.rows(withValueIn: field).toArray()]
      for (text, _) in distinct { sets.append(try snapshot.rows(field, equals: text).toArray()) }
      sets.append(try snapshot.rows(field, from: NumberBound(3, isInclusive: true), to: nil).toArray())
      rowSets[field.name] = sets
    }
    heads = try snapshot.heads().compactMap { try snapshot.head(named: $0.name) }
  }
}
