import Faults
import Identity
import Kernels

extension Snapshot {
  /// Cells with a value in the field.
  package func rows(withValueIn field: Field) throws -> RowSet {
    try transaction.rowSet(.hasValue(field: field.id))
  }

  /// Cells whose value is this one, or in a list field has a text in common with it.
  package func rows(_ field: Field, sharing value: FieldValue) throws -> RowSet {
    switch value {
    case .string(let text): try rows(field, equals: text)
    case .list(let texts): try rows(field, among: texts)
    case .number(let number): try rows(field, among: [number])
    }
  }

  // MARK: Texts

  /// Cells whose value equals `text` (string field) or contains it (list field).
  package func rows(_ field: Field, equals text: String) throws -> RowSet {
    guard let id = try transaction.textID(ContentHash(of: text), of: field.id) else { return RowSet() }
    return try transaction.rowSet(.text(field: field.id, id: id))
  }

  /// Cells whose value equals one of `texts` (string field) or contains one (list field).
  ///
  /// - Complexity: two look-ups a text, and the rows of each.
  package func rows(_ field: Field, among texts: [String]) throws -> RowSet {
    if texts.count == 1 { return try rows(field, equals: texts[0]) }
    var ids: Set<UInt32> = []
    for text in texts {
      if let id = try transaction.textID(ContentHash(of: text), of: field.id) { ids.insert(id) }
    }
    return try transaction.rowSet(ofTexts: ids, field: field.id)
  }

  /// Cells whose value (string field), or a text of whose value (list field), passes a test of its UTF-8 bytes.
  ///
  /// - Complexity: one test for each distinct text of the field, and the rows of those that pass.
  package func rows(_ field: Field, whereText isWanted: (UnsafeRawBufferPointer) -> Bool) throws -> RowSet {
    var ids: Set<UInt32> = []
    try forEachText(of: field) { id, text in if isWanted(text) { ids.insert(id) } }
    return try transaction.rowSet(ofTexts: ids, field: field.id)
  }

  /// The distinct texts of a string or list field with the number of cells of each, in order of the texts.
  package func distinctTexts(_ field: Field) throws -> [(text: String, count: Int)] {
    var texts: [(text: String, count: Int)] = []
    try forEachText(of: field) { id, text in
      let count = try transaction.rowSet(.text(field: field.id, id: id)).count
      if count > 0 { texts.append((String(decoding: text, as: UTF8.self), count)) }
    }
    return texts.sorted { $0.text < $1.text }
  }

  /// The distinct texts that cells have, or had, in a string or list field; nil where there are more than `limit`.
  package func texts(of field: Field, atMost limit: Int) throws -> [String]? {
    // Numbers of texts are given out in order, from 0.
    let last = try transaction.last(.texts, prefix: Key().appending(field.id))
    guard let last else { return [] }
    guard last.count == 6, last.bigEndian(at: 2, as: UInt32.self) < limit else { return nil }
    var texts: [String] = []
    try forEachText(of: field) { _, text in texts.append(String(decoding: text, as: UTF8.self)) }
    return texts
  }

  /// Every text that a cell has, or had, in the field, in the order in which they came.
  private func forEachText(
    of field: Field, _ body: (_ id: UInt32, _ text: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try transaction.forEach(.texts, prefix: Key().appending(field.id)) { key, value in
      guard key.count == 6 else {
        throw Fault(.badData, "table \"texts\"", "is damaged", remedy: "run cellvec check")
      }
      try body(key.bigEndian(at: 2, as: UInt32.self), value)
    }
  }

  // MARK: Numbers

  /// Cells whose number lies between two bounds, either of which may be absent.
  ///
  /// - Complexity: one pass over the field's column, 8 bytes a row of the database.
  package func rows(
    _ field: Field, from lower: NumberBound?, to upper: NumberBound?
  ) throws -> RowSet {
    // Exclusive bounds become inclusive ones at the neighbouring number, so the kernel has one form.
    let least = lower.map { $0.isInclusive ? $0.value : $0.value.nextUp } ?? -.infinity
    let greatest = upper.map { $0.isInclusive ? $0.value : $0.value.nextDown } ?? .infinity
    return try rows(field) { numbers, bits in
      kernels_f64_between(numbers.baseAddress, numbers.count, least, greatest, bits.baseAddress)
    }
  }

  /// Cells whose number is one of these.
  ///
  /// - Complexity: one pass over the field's column, for a few numbers at about the speed of a range, and for any number of
  ///   them with one look-up a row (`bench/filter/run`, "IN, 18 numbers", has the times of a million rows).
  package func rows(_ field: Field, among numbers: [Double]) throws -> RowSet {
    if numbers.isEmpty { return RowSet() }
    let wanted = NumberSet(numbers)
    return try rows(field) { wanted.mark($0, in: $1) }
  }

  /// The rows of the bits that `test` sets for each chunk of the column.
  private func rows(
    _ field: Field, test: (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<UInt64>) -> Void
  ) throws -> RowSet {
    var rows = AscendingRowBits()
    var bits = [UInt64](repeating: 0, count: (NumberChunk.rowCount + 63) / 64)
    try transaction.forEach(.numbers, prefix: Key().appending(field.id)) { key, value in
      let column = try NumberColumn(decoding: value, key: key)
      bits.withUnsafeMutableBufferPointer { bits in
        column.withNumbers { test($0, bits) }
        rows.insert(UnsafeBufferPointer(bits), from: column.firstRow)
      }
    }
    return rows.rowSet()
  }

  // MARK: What cells are

  /// Cells that have the property, with a number that passes a test.
  ///
  /// - Complexity: one pass over the records of all cells, but for their own numbers.
  package func rows(_ property: CellProperty, where isWanted: (Double) -> Bool) throws -> RowSet {
    if property == .row { return RowSet(try allRows().toArray().filter { isWanted(Double($0)) }) }
    var found: [Row] = []
    try transaction.forEach(.cells) { key, value in
      guard key.count == 4 else {
        throw Fault(.badData, "table \"cells\"", "is damaged", remedy: "run cellvec check")
      }
      let row = key.bigEndian(at: 0, as: Row.self)
      let head = try CellHead(decoding: value, row: row)
      if let number = property.number(of: head.object, head.geometry, at: row), isWanted(number) {
        found.append(row)
      }
    }
    return RowSet(found)
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
