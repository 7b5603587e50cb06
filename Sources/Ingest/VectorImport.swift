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
  private let metadataPath: String?
  private let typings: [ColumnTyping]

  package var count: Int { vectors.count }
  package var dimension: Int { vectors.dimension }

  /// Opens the array and checks it and its table before anything is written.
  /// - Parameters:
  ///   - path: a .npy file of float32 in C order, [cells, dimension].
  ///   - metadata: a CSV or TSV file with one row for each vector, in the same order; nil for none.
  /// - Throws: `badData` for another type or order, NaN, or a table with another number of rows.
  package init(
    vectors path: String, metadata: String?, types: [String: FieldType], existing: [Field]
  ) throws {
    self.path = path
    metadataPath = metadata
    vectors = try NPYMatrix(path: path)
    if let (row, column) = vectors.firstNonFinite() {
      throw Fault(
        .badData, path, expected: "finite numbers", found: "NaN or infinity in row \(row), column \(column)",
        remedy: "remove the row, or replace the number")
    }
    guard let metadata else {
      typings = []
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
    typings = try columnTypings(reader.columns, asked: types, existing: existing, inferred: inferred)
  }

  /// Writes the vectors into a space, made when it is new. An import that was interrupted continues where it
  /// was; one that is done changes nothing.
  /// - Parameter progress: called after each commit with the number of rows done.
  /// - Returns: cells added by this run.
  package func run(
    into spaceName: String, of writer: DatabaseWriter, isCancelled: () -> Bool,
    progress: (Int) -> Void
  ) throws -> Int {
    let identity = vectors.withUnsafeValues { ContentHash(of: UnsafeRawBufferPointer($0)) }
    let (space, image, done, isComplete) = try writer.write { transaction in
      let space = try findSpace(spaceName, &transaction)
      let image = try transaction.addImage(
        ImageRecord(
          identity: identity, name: fileName(path),
          files: [ChannelFile(role: "vectors", path: path, plane: 0)], width: 0, height: 0))
      let done = try transaction.rows(ofImage: image).count
      return (space, image, done, try transaction.hasOutcome(image: image, space: space))
    }
    if isComplete { return 0 }

    var table = try metadataPath.map { try CSVReader(path: $0) }
    for _ in 0..<done { _ = try table?.next() }
    var start = done
    while start < vectors.count && !isCancelled() {
      let end = min(start + VectorImport.rowsPerCommit, vectors.count)
      try writer.write { transaction in
        let fields = try typings.map { typing in
          typing.name.isEmpty ? nil : try transaction.field(named: typing.name, type: typing.type).id
        }
        var cells: [CellRecord] = []
        cells.reserveCapacity(end - start)
        for index in start..<end {
          var cell = CellRecord(image: image, object: .index(UInt32(index)), geometry: nil)
          if let row = try table?.next() { try setValues(&cell, row, fields) }
          cells.append(cell)
        }
        let rows = try transaction.appendCells(cells, of: image)
        try vectors.withUnsafeValues { values in
          let slice = values[start * dimension..<end * dimension]
          try transaction.setVectors(UnsafeBufferPointer(rebasing: slice), of: Array(rows), in: space)
        }
        if end == vectors.count {
          try transaction.setOutcome(
            IngestOutcome(found: count, kept: count, dropped: [:]), image: image, space: space)
        }
      }
      start = end
      progress(start)
    }
    return start - done
  }

  private func setValues(_ cell: inout CellRecord, _ row: CSVRow, _ fields: [UInt16?]) throws {
    for (column, field) in fields.enumerated() {
      guard let field else { continue }
      cell.values[field] = try typings[column].value(
        of: row.fields[column], at: "\(metadataPath ?? "") line \(row.line)")
    }
  }

  private func findSpace(_ name: String, _ transaction: inout WriteTransaction) throws -> SpaceRecord {
    guard let space = transaction.space(named: name) else {
      return try transaction.addSpace(
        name: name, dimension: dimension, recipe: nil, backboneHash: nil, backbonePath: nil)
    }
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
    return space
  }
}

private func fileName(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
