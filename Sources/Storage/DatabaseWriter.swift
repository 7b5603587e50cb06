package import Faults
package import Identity

/// The one writer of a database. Holds the writer's lock of the directory from `init` to the end of its life.
package final class DatabaseWriter {
  package let database: Database

  /// Opens a database for writing, creating it when absent and `create` is set.
  /// - Parameter onWait: called once when another process holds the writer's lock; return false to give up.
  /// - Throws: `locked` when another writer holds the database and `onWait` returned false.
  package init(path: String, create: Bool, onWait: () -> Bool) throws { fatalError() }

  /// Runs `body` in one transaction: everything it did is committed durably when it returns, nothing when it throws.
  package func write<Result>(_ body: (inout WriteTransaction) throws -> Result) throws -> Result {
    fatalError()
  }
}

/// Changes that become visible together.
package struct WriteTransaction: ~Copyable {
  /// The field of this name, created when new. A name with another type is a `badData` fault.
  package mutating func field(named name: String, type: FieldType) throws -> Field { fatalError() }

  package mutating func addSpace(
    name: String, dimension: Int, recipe: String?, backboneHash: String?, backbonePath: String?
  ) throws -> SpaceRecord { fatalError() }

  /// The image's number: that of the known image with the same identity, or a new one.
  package mutating func addImage(_ image: ImageRecord) throws -> UInt32 { fatalError() }

  /// The rows of these cells of one image: known objects keep their row, new ones are appended. Values are merged into what is stored.
  package mutating func addCells(_ cells: [CellRecord], of image: UInt32) throws -> [Row] { fatalError() }

  /// Stores one vector a row.
  /// - Shape: `vectors` is [rows.count, dimension], row-major. NaN and infinity are refused.
  package mutating func setVectors(
    _ vectors: UnsafeBufferPointer<Float>, of rows: [Row], in space: SpaceRecord
  ) throws { fatalError() }

  package mutating func setOutcome(_ outcome: IngestOutcome, image: UInt32, space: SpaceRecord) throws {
    fatalError()
  }

  /// Sets (or, with nil, clears) values of one cell.
  package mutating func setValues(_ values: [UInt16: FieldValue?], of row: Row) throws { fatalError() }

  package mutating func saveHead(_ head: HeadRecord) throws { fatalError() }
}
