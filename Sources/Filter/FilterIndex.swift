package import Storage

/// What a filter asks of a database: its fields and the row sets of its metadata indexes.
package protocol FilterIndex: ~Copyable {
  var fields: [Field] { get }
  /// All cells.
  func allRows() throws -> RowSet
  /// Cells with a value in the field.
  func rows(withValueIn field: Field) throws -> RowSet
  /// Cells whose value equals `text` (string field) or contains it (list field).
  func rows(_ field: Field, equals text: String) throws -> RowSet
  /// Cells whose value equals one of `texts` (string field) or contains one (list field).
  func rows(_ field: Field, among texts: [String]) throws -> RowSet
  /// Cells whose value (string field), or a text of whose value (list field), passes a test of its UTF-8 bytes.
  func rows(_ field: Field, whereText isWanted: (UnsafeRawBufferPointer) -> Bool) throws -> RowSet
  /// The distinct texts that cells have, or had, in a string or list field; nil where there are more than `limit`.
  func texts(of field: Field, atMost limit: Int) throws -> [String]?
  /// Cells whose number lies in the range given by the two optional bounds.
  func rows(_ field: Field, from lower: NumberBound?, to upper: NumberBound?) throws -> RowSet
  /// Cells whose number is one of `numbers`, in any order.
  func rows(_ field: Field, among numbers: [Double]) throws -> RowSet
  /// Cells that have the property, with a number that passes a test.
  func rows(_ property: CellProperty, where isWanted: (Double) -> Bool) throws -> RowSet
}

extension Snapshot: FilterIndex {}
