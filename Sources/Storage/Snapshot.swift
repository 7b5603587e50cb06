package import Faults
package import Identity

/// A consistent view of the database: what the last commit before it left.
package struct Snapshot: ~Copyable {
  package var fields: [Field] { fatalError() }
  /// A field by its name, nil when there is none.
  package func field(named name: String) -> Field? { fatalError() }

  package var spaces: [SpaceRecord] { fatalError() }
  package func space(named name: String) -> SpaceRecord? { fatalError() }

  /// Rows given out so far; the next cell's row.
  package var rowLimit: Row { fatalError() }
  /// All cells.
  package func allRows() throws -> RowSet { fatalError() }
  /// Cells with a vector in the space.
  package func rows(in space: SpaceRecord) throws -> RowSet { fatalError() }

  package func cell(at row: Row) throws -> CellRecord? { fatalError() }
  package func image(_ number: UInt32) throws -> ImageRecord? { fatalError() }
  package func imageNumber(identity: ContentHash) throws -> UInt32? { fatalError() }
  package func imageCount() throws -> Int { fatalError() }
  package func outcome(image: UInt32, space: SpaceRecord) throws -> IngestOutcome? { fatalError() }

  // MARK: Metadata indexes

  /// Cells whose value equals `text` (string field) or contains it (list field).
  package func rows(_ field: Field, equals text: String) throws -> RowSet { fatalError() }
  /// Cells whose number lies in the range given by the two optional bounds.
  package func rows(_ field: Field, from lower: NumberBound?, to upper: NumberBound?) throws -> RowSet {
    fatalError()
  }
  /// Cells with a value in the field.
  package func rows(withValueIn field: Field) throws -> RowSet { fatalError() }
  /// The distinct texts of a string or list field, with the number of cells of each, sorted by text.
  package func distinctTexts(_ field: Field) throws -> [(text: String, count: Int)] { fatalError() }

  // MARK: Vectors

  /// Calls `body` with each block of the space that holds at least one row of `rows`, in order of rows.
  /// The pointer lies in the memory map and is valid during the call only.
  package func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, _ body: (VectorBlock) throws -> Void
  ) throws { fatalError() }

  /// Copies the vector of one row; nil when the row has none in the space.
  package func vector(of row: Row, in space: SpaceRecord) throws -> [Float]? { fatalError() }

  // MARK: Heads

  package func heads() throws -> [HeadRecord] { fatalError() }
  package func head(named name: String) throws -> HeadRecord? { fatalError() }
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

/// A run of rows whose vectors lie one after another in the memory map.
///
/// - Shape: [slotCount, dimension] float32, row-major; slot i belongs to row `firstRow + i`.
package struct VectorBlock {
  package let firstRow: Row
  package let slotCount: Int
  package let dimension: Int
  package let base: UnsafePointer<Float>
  /// The rows of the block that were asked for; nil when every slot was.
  package let wanted: RowSet?
}
