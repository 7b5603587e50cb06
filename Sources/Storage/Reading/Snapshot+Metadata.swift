import Faults
import Identity

extension Snapshot {
  /// Cells whose value equals `text` (string field) or contains it (list field).
  package func rows(_ field: Field, equals text: String) throws -> RowSet {
    guard let id = try transaction.textID(ContentHash(of: text), of: field.id) else { return RowSet() }
    return try transaction.rowSet(.text(field: field.id, id: id))
  }

  /// Cells with a value in the field.
  package func rows(withValueIn field: Field) throws -> RowSet {
    try transaction.rowSet(.hasValue(field: field.id))
  }

  /// Cells whose number lies between two bounds, either of which may be absent.
  ///
  /// - Complexity: one pass over the field's column, 8 bytes a row of the database.
  package func rows(
    _ field: Field, from lower: NumberBound?, to upper: NumberBound?
  ) throws -> RowSet {
    // Exclusive bounds become inclusive ones at the neighbouring number, so the loop has one form.
    let least = lower.map { $0.isInclusive ? $0.value : $0.value.nextUp } ?? -.infinity
    let greatest = upper.map { $0.isInclusive ? $0.value : $0.value.nextDown } ?? .infinity
    return try rows(field) { $0 >= least && $0 <= greatest }
  }

  /// Cells whose number is one of these.
  ///
  /// - Complexity: one pass over the field's column, however many numbers there are.
  package func rows(_ field: Field, among numbers: [Double]) throws -> RowSet {
    let wanted = Set(numbers)
    return try rows(field) { wanted.contains($0) }
  }

  private func rows(_ field: Field, where isWanted: (Double) -> Bool) throws -> RowSet {
    var rows = RowSet()
    var matches: [Row] = []
    matches.reserveCapacity(NumberChunk.rowCount)
    try transaction.forEach(.numbers, prefix: Key().appending(field.id)) { key, value in
      let column = try NumberColumn(decoding: value, key: key)
      matches.removeAll(keepingCapacity: true)
      for slot in 0..<NumberChunk.rowCount where isWanted(column[slot]) {
        matches.append(column.firstRow + Row(slot))
      }
      rows.insert(contentsOf: matches)
    }
    return rows
  }

  /// The distinct texts of a string or list field with the number of cells of each, in order of the texts.
  package func distinctTexts(_ field: Field) throws -> [(text: String, count: Int)] {
    var texts: [(text: String, count: Int)] = []
    try transaction.forEach(.texts, prefix: Key().appending(field.id)) { key, value in
      guard key.count == 6 else {
        throw Fault(.badData, "table \"texts\"", "is damaged", remedy: "run cellvec check")
      }
      let id = key.bigEndian(at: 2, as: UInt32.self)
      let count = try transaction.rowSet(.text(field: field.id, id: id)).count
      if count > 0 { texts.append((String(decoding: value, as: UTF8.self), count)) }
    }
    return texts.sorted { $0.text < $1.text }
  }
}

/// One end of a range of numbers.
package struct NumberBound: Sendable, Equatable {
  package let value: Double
  package let isInclusive: Bool

  package init(_ value: Double, isInclusive: Bool) {
    self.value = value
    self.isInclusive = isInclusive
  }
}
