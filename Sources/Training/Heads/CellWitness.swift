import Identity
package import Storage

/// A row with a digest of the cell that it was. Rows number cells of one database: in another one, or in one that has
/// numbered its cells anew, some witnesses show it.
package struct CellWitness: Sendable, Equatable, Codable {
  package let row: Row
  package let cell: String

  /// How many of the rows get a witness at most.
  private static let limit = 16

  /// Witnesses of the first of these rows, of the last one, which moves up when any cell before it is gone, and of rows
  /// evenly between them.
  ///
  /// - Parameter rows: increasing; of cells that the database has.
  static func of(_ rows: some RandomAccessCollection<Row>, in snapshot: borrowing Snapshot) throws
    -> [CellWitness]
  {
    let count = min(limit, rows.count)
    var witnesses: [CellWitness] = []
    for number in 0..<count {
      let place = number * (rows.count - 1) / max(1, count - 1)
      let row = rows[rows.index(rows.startIndex, offsetBy: place)]
      if let cell = try snapshot.digest(of: row) { witnesses.append(CellWitness(row: row, cell: cell)) }
    }
    return witnesses
  }

  /// Whether the row is another cell now. A cell that was deleted since says nothing.
  package func isContradicted(by snapshot: borrowing Snapshot) throws -> Bool {
    guard let found = try snapshot.digest(of: row) else { return false }
    return found != cell
  }
}

extension Snapshot {
  /// What a cell is, independent of its row; nil where there is no cell.
  fileprivate func digest(of row: Row) throws -> String? {
    guard let cell = try cell(at: row), let image = try image(cell.image) else { return nil }
    return ContentHash(of: "\(image.identity) \(cell.object)").description
  }
}
