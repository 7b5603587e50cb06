import Faults
import Formats
import Identity
package import Storage

/// Cells made from an array of vectors, without images.
package struct VectorImport {
  /// Rows committed at a time.
  static let rowsPerCommit = 20_000

  private let vectors: NPYMatrix
  private let path: String
  private let table: Table?

  package var count: Int { vectors.count }
  package var dimension: Int { vectors.dimension }
  /// Columns of the table that become no field, since reports have columns of these names.
  package var skippedColumns: [String] {
    table?.columns.filter { reservedNames.contains(fieldName(ofColumn: $0)) } ?? []
  }

  /// What the first reading of the table tells.
  private struct Table {
    let path: String
    let columns: [String]
    let inferred: [ColumnInference]
    let asked: [String: FieldType]

    func typings(existing: [Field]) throws -> [ColumnTyping] {
      try columnTypings(columns, asked: asked, existing: existing, inferred: inferred)
    }
  }

  /// Opens the array and checks it and its table before anything is written.
  /// - Parameters:
  ///   - path: a .npy file of float32 in C order, [cells, dimension].
  ///   - metadata: a CSV or TSV file with one row for each vector, in the same order; nil for none.
  /// - Throws: `badData` for another type or order, NaN, or a table with another number of rows; `usage` for a
  ///   type that does not fit.
  package init(
    vectors path: String, metadata: String?, types: [String: FieldType], existing: [Field]
  ) throws {
    self.path = path
    vectors = try NPYMatrix(path: path)
    if let (row, column) = vectors.firstNonFinite() {
      throw Fault(
        .badData, path, expected: "finite numbers", found: "NaN or infinity in row \(row), column \(column)",
        remedy: "remove the row, or replace the number")
    }
    guard let metadata else {
      try checkAskedTypes(types, among: [])
      table = nil
      return
    }
    var reader = try CSVReader(path: metadata)
    var inferred = reader.columns.map { _ in ColumnInference() }
    var rowCount = 0
    while let row = try reader.next() {
      for (column, text) in row.fields.enumerated() { inferred[column].observe(text) }
      rowCount += 1
    }
    guard rowCount == vectors.count else {
      throw Fault(
        .badData, metadata, expected: "\(vectors.count) rows, one for each vector of \(path)",
        found: "\(rowCount)", remedy: "give one row for each vector, in the same order")
    }
    try checkAskedTypes(types, among: reader.columns)
    let table = Table(path: metadata, columns: reader.columns, inferred: inferred, asked: types)
    _ = try table.typings(existing: existing)
    self.table = table
  }

  /// Writes the vectors into a space, made when it is new. The cells of an array are the same in every space.
  ///
  /// An import that was interrupted continues where it was; of one that is done only the table's values are
  /// written again.
  /// - Parameters:
  ///   - scalar: the numbers that the space keeps; nil for those that it has, or float32 for a new one.
  ///   - progress: called after each commit with the number of rows done.
  /// - Returns: vectors added by this run.
  package func run(
    into spaceName: String, keeping scalar: ScalarType? = nil, of writer: DatabaseWriter,
    isCancelled: () -> Bool, progress: (Int) -> Void
  ) throws -> Int {
    // Nobody else writes until the run is over.
    let (present, existing) = try writer.database.read { snapshot in
      (try snapshot.space(named: spaceName).map { try snapshot.rows(in: $0) } ?? RowSet(), snapshot.fields)
    }
    let typings = try table?.typings(existing: existing) ?? []
    var (space, image, rows) = try writer.write { transaction in
      let space = try findSpace(spaceName, keeping: scalar, &transaction)
      let image = try transaction.addImage(
        ImageRecord(
          identity: try identity(), name: fileName(path),
          files: [ChannelFile(role: "vectors", path: path, plane: 0)], width: 0, height: 0))
      return (space, image, try transaction.rows(ofImport: image, count: count))
    }
    // Of an array that is done, cells are missing because they were deleted.
    let isDone = try writer.database.read { try $0.outcome(image: image, space: space) != nil }
    func isMissing(_ row: Row?) -> Bool { row.map { !present.contains($0) } ?? !isDone }
    var reader = try table.map { try CSVReader(path: $0.path) }
    var start = table == nil ? rows.firstIndex(where: isMissing) ?? count : 0
    var added = 0
    while start < count && !isCancelled() {
      let end = min(start + VectorImport.rowsPerCommit, count)
      let missing = (start..<end).filter { isMissing(rows[$0]) }
      try writer.write { transaction in
        let fields = try typings.map { typing in
          typing.name.isEmpty || reservedNames.contains(typing.name)
            ? nil : try transaction.field(named: typing.name, type: typing.type).id
        }
        var fresh: [CellRecord] = []
        for position in start..<end {
          let values = try reader?.next().map { try self.values(of: $0, typings, fields) } ?? [:]
          if let row = rows[position] {
            if !values.isEmpty { try transaction.setValues(values.mapValues { $0 }, of: row) }
          } else if !isDone {
            fresh.append(
              CellRecord(image: image, object: .index(UInt32(position)), geometry: nil, values: values))
          }
        }
        for (cell, row) in zip(fresh, try transaction.appendCells(fresh, of: image)) {
          if case .index(let position) = cell.object { rows[Int(position)] = row }
        }
        try vectors.withUnsafeValues { values in
          for position in missing {
            let vector = UnsafeBufferPointer(
              rebasing: values[position * dimension..<(position + 1) * dimension])
            if let row = rows[position] { try transaction.setVectors(vector, of: [row], in: space) }
          }
        }
        if end == count {
          try transaction.setOutcome(
            IngestOutcome(found: count, kept: count, dropped: [:]), image: image, space: space)
        }
      }
      start = end
      added += missing.count
      progress(start)
    }
    return added
  }

  /// Digest of the array's shape and numbers (schema/store.md, "images").
  private func identity() throws -> ContentHash {
    guard let count = UInt32(exactly: count), let dimension = UInt32(exactly: dimension) else {
      throw Fault(
        .badData, path, expected: "at most 4,294,967,295 vectors", found: "\(count)",
        remedy: "split the array")
    }
    var hasher = ContentHasher()
    hasher.combine("vectors\0")
    hasher.combine(count)
    hasher.combine(dimension)
    vectors.withUnsafeValues { hasher.combine(UnsafeRawBufferPointer($0)) }
    return hasher.finalize()
  }

  /// The values of a row of the table by field. An empty cell of the table is no value.
  private func values(
    of row: CSVRow, _ typings: [ColumnTyping], _ fields: [UInt16?]
  ) throws -> [UInt16: FieldValue] {
    var values: [UInt16: FieldValue] = [:]
    for (column, field) in fields.enumerated() {
      guard let field else { continue }
      values[field] = try typings[column].value(
        of: row.fields[column], at: "\(table?.path ?? "") line \(row.line)")
    }
    return values
  }

  private func findSpace(
    _ name: String, keeping scalar: ScalarType?, _ transaction: inout WriteTransaction
  ) throws -> SpaceRecord {
    guard let space = transaction.space(named: name) else {
      try requireRange(of: scalar ?? .float32)
      return try transaction.addSpace(name: name, dimension: dimension, scalar: scalar ?? .float32)
    }
    try space.require(scalar)
    guard space.recipe == nil else {
      throw Fault(
        .usage, "space \"\(name)\"", "holds vectors that cellvec embedded from images",
        remedy: "import into another space with --space")
    }
    guard space.dimension == dimension else {
      throw Fault(
        .badData, path, expected: "vectors of dimension \(space.dimension), as space \"\(name)\" has",
        found: "\(dimension)", remedy: "import into another space with --space")
    }
    try requireRange(of: space.scalar)
    return space
  }

  /// - Throws: `badData` when a number would be infinite as one of the type.
  private func requireRange(of scalar: ScalarType) throws {
    // What float32 cannot hold was found before.
    guard scalar != .float32 else { return }
    try vectors.withUnsafeValues { values in
      guard let position = scalar.firstBeyond(in: values) else { return }
      throw Fault(
        .badData, path, expected: "numbers up to \(scalar.greatestText), which \(scalar.rawValue) can hold",
        found: "\(values[position]) in row \(position / dimension), column \(position % dimension)",
        remedy: "import into a space of another type with --store")
    }
  }
}

private func fileName(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
