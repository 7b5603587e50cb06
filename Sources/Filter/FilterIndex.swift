package import Storage

/// What a filter asks of a database: its fields and the row sets of its metadata indexes.
package protocol FilterIndex: ~Copyable {
  var fields: [Field] { get }
  /// A field by its name, nil when there is none.
  func field(named name: String) -> Field?
  /// All cells.
  func allRows() throws -> RowSet
  /// Cells whose value equals `text` (string field) or contains it (list field).
  func rows(_ field: Field, equals text: String) throws -> RowSet
  /// Cells whose number lies in the range given by the two optional bounds.
  func rows(_ field: Field, from lower: NumberBound?, to upper: NumberBound?) throws -> RowSet
  /// Cells whose number is one of `numbers`, in any order.
  func rows(_ field: Field, among numbers: [Double]) throws -> RowSet
  /// Cells with a value in the field.
  func rows(withValueIn field: Field) throws -> RowSet
}

extension Snapshot: FilterIndex {}
