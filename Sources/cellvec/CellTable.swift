import Faults
import Ingest
import Storage

/// The columns in which cells are shown: image, and metadata fields.
struct CellTable {
  let columns: [Column]
  /// The fields of the columns behind the first.
  private let fields: [UInt16]
  private let imageField: UInt16?
  /// What is read of a cell.
  private let readFields: [UInt16]
  private var imageNames: [UInt32: String] = [:]

  init(showing fields: [Field], in snapshot: borrowing Snapshot) {
    imageField = snapshot.field(named: ImageMetadata.imageField)?.id
    // Ingested cells have the image's name as a field too.
    let shown = fields.filter { $0.name != ImageMetadata.imageField }
    columns = ["image"] + shown.map { Column($0.name) }
    self.fields = shown.map(\.id)
    readFields = self.fields + (imageField.map { [$0] } ?? [])
  }

  private init(copying other: CellTable) {
    columns = other.columns
    fields = other.fields.map(\.self)
    imageField = other.imageField
    readFields = other.readFields.map(\.self)
  }

  /// The same table for another thread: with arrays of its own, since threads that share an array contend for its reference
  /// count.
  func separated() -> CellTable { CellTable(copying: self) }

  /// Appends the values of one cell, one a column.
  /// - Throws: `missingInput` when there is no such cell.
  mutating func append(valuesOf row: Row, in snapshot: borrowing Snapshot, to values: inout [Value]) throws {
    let cell = try snapshot.requiredCell(at: row, reading: readFields)
    // An imported cell's image is the array; the table that came with it may name the real one.
    let named: Value =
      if case .index = cell.object, let imageField, let value = cell.values[imageField] {
        Value(value)
      } else {
        .text(try imageName(cell.image, in: snapshot))
      }
    values.append(named)
    for field in fields { values.append(Value(cell.values[field])) }
  }

  private mutating func imageName(_ image: UInt32, in snapshot: borrowing Snapshot) throws -> String? {
    if let name = imageNames[image] { return name }
    // The database gives all threads the same text.
    let name = try snapshot.image(image).map { String(decoding: Array($0.name.utf8), as: UTF8.self) }
    imageNames[image] = name
    return name
  }
}

extension Snapshot {
  /// - Parameter fields: those whose values are wanted; nil for all.
  /// - Throws: `missingInput` when there is no cell at the row, `badData` when its record cannot be found.
  func requiredCell(at row: Row, reading fields: [UInt16]? = nil) throws -> CellRecord {
    if let cell = try cell(at: row, reading: fields) { return cell }
    let rows = try allRows()
    if rows.contains(row) { return try listedCell(at: row) }
    let count = rows.count
    throw Fault(
      .missingInput, "cell \(row)", "does not exist",
      remedy: count == 0 ? "the database is empty" : "cellvec list shows the \(count) cells there are")
  }

  /// - Throws: `missingInput` when there is no such space.
  func requiredSpace(named name: String) throws -> SpaceRecord {
    if let space = space(named: name) { return space }
    throw Fault.unknownName(.missingInput, "space", name, among: spaces.map(\.name))
  }
}

extension RowSet {
  /// The lowest `limit` rows, or all when it is nil.
  func prefix(_ limit: Int?) -> ArraySlice<Row> {
    toArray().prefix(limit ?? .max)
  }
}
