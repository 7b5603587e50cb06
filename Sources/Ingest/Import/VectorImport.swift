import Faults
import Formats
import Identity
package import Storage

/// Cells made from an array of vectors, without images.
package struct VectorImport {
  private let vectors: NPYMatrix
  private let path: String
  /// What faults call the array.
  private let name: String
  private let table: ImportTable?
  /// Digest of the array's shape and numbers (schema/store.md, "images").
  private let identity: ContentHash

  package var count: Int { vectors.count }
  package var dimension: Int { vectors.dimension }
  /// Columns of the table that become no field, since reports have columns of these names.
  package var skippedColumns: [String] { table?.skippedColumns ?? [] }

  /// Bytes of vectors committed at a time at most, which the transaction holds in memory. Few large commits wait less for
  /// the disk, once each and once more for the last, and with ext4 for what other programs have written. But memory that the
  /// transaction has not used before has to be found and cleared by the system, which takes longer than copying vectors into
  /// it: an import of 100 MiB in one commit spends half of its time on that.
  static let bytesPerCommit = 32 << 20

  /// Rows committed at a time where nobody asks for fewer: whole blocks.
  static func rowsPerCommit(dimension: Int, scalar: ScalarType = .float32) -> Int {
    let rows = min(65_536, bytesPerCommit / scalar.byteCount(dimension: dimension))
    let block = SpaceRecord.rowsPerBlock(dimension: dimension, scalar: scalar)
    return max(1, rows / block) * block
  }

  /// What an import has done.
  package struct Outcome: Sendable, Equatable {
    /// Vectors that were not in the space before.
    package let added: Int
    /// From the least cell of the array to the greatest, of those that the run came to; nil where there is none. The cells
    /// between are its own too, one after another in the array's order, unless cells of it were ever deleted, be they imported
    /// anew since, or cells of others came between in an import that was interrupted.
    package let cells: ClosedRange<Row>?

    package init(added: Int, cells: ClosedRange<Row>?) {
      self.added = added
      self.cells = cells
    }

    /// The same of both together.
    package func joined(with other: Outcome) -> Outcome {
      Outcome(added: added + other.added, cells: Ingest.joined(cells, other.cells))
    }
  }

  /// Opens the array and checks all of it and of its table before anything is written.
  /// - Parameters:
  ///   - path: a .npy file of float32 in C order, [cells, dimension].
  ///   - metadata: a CSV or TSV file with one row for each vector, in the same order; nil for none.
  /// - Throws: `badData` for another type or order, NaN, a table with another number of rows, or a text in a column
  ///   of numbers; `usage` for a type that does not fit.
  package init(
    vectors path: String, metadata: String?, types: [String: FieldType], existing: [Field]
  ) throws {
    self.path = path
    name = path
    let vectors = try NPYMatrix(path: path)
    let table = metadata.map { metadata in
      BackgroundResult {
        try ImportTable(
          path: metadata, rowCount: vectors.count, of: path, asked: types, existing: existing)
      }
    }
    self.vectors = vectors
    // What is wrong with the array is said before what is wrong with the table.
    identity = try Self.identity(of: vectors, path)
    self.table = try table?.value()
    if table == nil { try checkAskedTypes(types, among: []) }
  }

  /// An array without a table, as a stream has it.
  /// - Parameter name: what faults call it.
  /// - Throws: `badData` as above.
  init(_ vectors: NPYMatrix, name: String) throws {
    path = vectors.path
    self.name = name
    self.vectors = vectors
    table = nil
    identity = try Self.identity(of: vectors, name)
  }

  /// Writes the vectors into a space, made when it is new. The cells of an array are the same in every space.
  ///
  /// An import that was interrupted continues where it was; of one that is done only the table's values are
  /// written again. While one part is written and synchronised, another thread reads the next part of the table.
  /// - Parameters:
  ///   - asked: the numbers that the space keeps; nil for those that it has, or float32 for a new one.
  ///   - limit: rows committed at a time at most; nil for as many as are written fastest.
  ///   - durability: when the disk has all of them; commits before the last are durable with the next one.
  ///   - progress: called after each commit with the number of rows done.
  /// - Throws: the first error, also of `progress`. Parts that were written before it remain, on the disk if it takes them.
  package func run(
    into spaceName: String, keeping asked: ScalarType? = nil, of writer: DatabaseWriter,
    rowsPerCommit limit: Int? = nil, durable durability: Durability = .atOnce, isCancelled: () -> Bool,
    progress: (Int) throws -> Void
  ) throws -> Outcome {
    // Nobody else writes until the run is over.
    let (present, existing, scalar) = try writer.database.read { snapshot in
      let space = snapshot.space(named: spaceName)
      try space?.require(asked)
      // None of the cells of a new array has a vector, and the set of all that have one may be large.
      let isKnown = try snapshot.imageNumber(identity: identity) != nil
      return (
        try isKnown ? space.map { try snapshot.rows(in: $0) } ?? RowSet() : RowSet(), snapshot.fields,
        space?.scalar ?? asked ?? .float32
      )
    }
    try requireRange(of: scalar)
    let fields = try table?.fields(existing: existing) ?? []
    let reader = try table.map { try ImportTableReader($0, fields: fields) }
    let rowsPerCommit = min(limit ?? .max, Self.rowsPerCommit(dimension: dimension, scalar: scalar))
    func nextValues(from start: Int) -> BackgroundResult<[FieldRun.Values?]>? {
      guard let reader, start < count else { return nil }
      let rowCount = min(rowsPerCommit, count - start)
      return BackgroundResult { try reader.next(rowCount) }
    }
    if isCancelled() { return Outcome(added: 0, cells: nil) }
    // Cells and indexes take a little besides; what is not used costs nothing.
    writer.keepMemory(byteCount: min(count, rowsPerCommit) * scalar.byteCount(dimension: dimension) * 5 / 4)
    var known: KnownCells?
    var start = 0
    var added = 0
    var appended: ClosedRange<Row>?
    var values = nextValues(from: 0)
    do {
      repeat {
        let columns = try values?.value()
        // Where most is there already, the first part can be the last one, too.
        let isLast = count - start <= rowsPerCommit
        try writer.write(durable: isLast ? durability : .withNext) { transaction in
          let place = try self.place(in: spaceName, keeping: scalar, &transaction)
          let cells: KnownCells
          if let known {
            cells = known
          } else {
            cells = try KnownCells(of: place, count: count, present: present, &transaction)
            known = cells
            // Cells that are there already get the table's values.
            if reader == nil { start = (0..<count).first(where: cells.isMissing) ?? count }
          }
          let part = Part(
            positions: start..<min(start + rowsPerCommit, count), columns: columns, fields: fields)
          values = nextValues(from: part.positions.upperBound)
          let written = try write(part, cells, place, &transaction)
          added += written.added
          appended = joined(appended, written.appended)
          start = part.positions.upperBound
        }
        try progress(start)
      } while start < count && !isCancelled()
    } catch {
      // What was written before is to be safe too, and the first error is the one that says why this ends.
      _ = Result { try writer.makeDurable(upTo: writer.lastCommit) }
      throw error
    }
    if durability == .atOnce { try writer.makeDurable(upTo: writer.lastCommit) }
    return Outcome(added: added, cells: joined(known?.extent, appended))
  }

  // MARK: Writing

  /// Where an array goes.
  private struct Place {
    let space: SpaceRecord
    let image: UInt32
  }

  /// The cells of an array that were there before.
  private struct KnownCells {
    /// By position, up to the last cell.
    let rows: [Row?]
    /// Rows with a vector in the space.
    let present: RowSet
    /// Whether all of the array was imported: cells are missing because they were deleted.
    let isDone: Bool

    init(of place: Place, count: Int, present: RowSet, _ transaction: inout WriteTransaction) throws {
      rows = try transaction.rows(ofImport: place.image, count: count)
      self.present = present
      isDone = try transaction.hasOutcome(image: place.image, space: place.space)
    }

    /// From the least to the greatest, which need be neither the first nor the last: those that were deleted and imported
    /// anew have the greatest numbers.
    var extent: ClosedRange<Row>? {
      let known = rows.lazy.compactMap { $0 }
      guard let least = known.min(), let greatest = known.max() else { return nil }
      return least...greatest
    }

    func row(at position: Int) -> Row? { position < rows.count ? rows[position] : nil }

    func isMissing(_ position: Int) -> Bool { row(at: position).map { !present.contains($0) } ?? !isDone }

    /// The longest run of positions from `start` whose vectors are missing and whose cells are all there, or all not;
    /// empty where no vector is missing.
    func missingRun(from start: Int, to end: Int) -> Range<Int> {
      let isKnown = row(at: start) != nil
      var position = start
      while position < end, isMissing(position), (row(at: position) != nil) == isKnown { position += 1 }
      return start..<position
    }
  }

  /// What is committed at a time.
  private struct Part {
    let positions: Range<Int>
    /// Values of the table's rows at these positions by column; nil without a table.
    let columns: [FieldRun.Values?]?
    let fields: [ColumnTyping?]

    /// The values by field; fields are made when they are new.
    func runs(_ transaction: inout WriteTransaction) throws -> [FieldRun] {
      try zip(fields, columns ?? []).compactMap { field, values in
        guard let field, let values else { return nil }
        return FieldRun(field: try transaction.field(named: field.name, type: field.type).id, values: values)
      }
    }
  }

  private func place(
    in spaceName: String, keeping scalar: ScalarType, _ transaction: inout WriteTransaction
  ) throws -> Place {
    let space = try findSpace(spaceName, keeping: scalar, &transaction)
    let image = try transaction.addImage(
      ImageRecord(
        identity: identity, name: fileName(path),
        files: [ChannelFile(role: "vectors", path: path, plane: 0)], width: 0, height: 0))
    return Place(space: space, image: image)
  }

  /// - Returns: how many vectors were added, and the new ones of their cells.
  private func write(
    _ part: Part, _ cells: KnownCells, _ place: Place, _ transaction: inout WriteTransaction
  ) throws -> (added: Int, appended: ClosedRange<Row>?) {
    let runs = try part.runs(&transaction)
    let first = part.positions.lowerBound
    for position in part.positions {
      guard !runs.isEmpty, let row = cells.row(at: position) else { continue }
      // What is empty in the table stays what it is.
      var values: [UInt16: FieldValue?] = [:]
      for run in runs {
        if let value = run[position - first] { values[run.field] = value }
      }
      try transaction.setValues(values, of: row)
    }
    var added = 0
    var appended: ClosedRange<Row>?
    var position = first
    while position < part.positions.upperBound {
      let run = cells.missingRun(from: position, to: part.positions.upperBound)
      position = max(run.upperBound, position + 1)
      if run.isEmpty { continue }
      if cells.row(at: run.lowerBound) == nil {
        let rows = try transaction.appendCells(
          at: UInt32(run.lowerBound)..<UInt32(run.upperBound), of: place.image,
          runs.map { $0[run.lowerBound - first..<run.upperBound - first] })
        appended = joined(appended, rows.lowerBound...rows.upperBound - 1)
        try write(run, to: rows, of: place.space, &transaction)
      } else {
        try vectors.readVectors(run) {
          try transaction.setVectors($0, of: run.compactMap(cells.row(at:)), in: place.space)
        }
      }
      added += run.count
    }
    if part.positions.upperBound == count, !cells.isDone {
      try transaction.setOutcome(
        IngestOutcome(found: count, kept: count, dropped: [:]), image: place.image, space: place.space)
    }
    return (added, appended)
  }

  /// Copies vectors to rows that follow one another, a few blocks at a time: what is copied is given back.
  private func write(
    _ positions: Range<Int>, to rows: Range<Row>, of space: SpaceRecord, _ transaction: inout WriteTransaction
  ) throws {
    let rowsPerBlock = SpaceRecord.rowsPerBlock(dimension: dimension, scalar: space.scalar)
    let step = max(1, (4 << 20) / (dimension * rowsPerBlock * MemoryLayout<Float>.size)) * rowsPerBlock
    var start = 0
    while start < rows.count {
      // Ends where a block does, so that blocks are written whole.
      let row = rows.lowerBound + Row(start)
      let end = min(rows.count, start + step - Int(row) % rowsPerBlock)
      let part = positions.lowerBound + start..<positions.lowerBound + end
      try vectors.readVectors(part) {
        try transaction.setVectors($0, of: row..<rows.lowerBound + Row(end), in: space)
      }
      start = end
    }
  }

  /// Digest of the array's shape and numbers, all of which are looked at.
  /// - Throws: `badData` for NaN or infinity, and for more or longer vectors than a database takes.
  private static func identity(of vectors: NPYMatrix, _ name: String) throws -> ContentHash {
    guard let count = UInt32(exactly: vectors.count), let dimension = UInt32(exactly: vectors.dimension)
    else {
      throw Fault(
        .badData, name, expected: "at most 4,294,967,295 vectors", found: "\(vectors.count)",
        remedy: "split the array")
    }
    guard vectors.dimension <= SpaceRecord.dimensionLimit else {
      throw Fault(
        .badData, name, expected: "vectors of 1 to \(SpaceRecord.dimensionLimit) numbers",
        found: "\(vectors.dimension)")
    }
    var hasher = ContentHasher()
    hasher.combine("vectors\0")
    hasher.combine(count)
    hasher.combine(dimension)
    let (step, numbersPerLook) = (max(1, (1 << 18) / vectors.dimension), 1 << 14)
    for start in stride(from: 0, to: vectors.count, by: step) {
      try vectors.readVectors(start..<min(start + step, vectors.count)) { part in
        // Little enough to be in the processor's cache for the second look.
        for first in stride(from: 0, to: part.count, by: numbersPerLook) {
          let numbers = UnsafeBufferPointer(
            rebasing: part[first..<min(first + numbersPerLook, part.count)])
          if let index = numbers.firstNonFinite {
            let (row, column) = (first + index).quotientAndRemainder(dividingBy: vectors.dimension)
            throw Fault(
              .badData, name, expected: "finite numbers",
              found: "NaN or infinity in row \(start + row), column \(column)",
              remedy: "remove the row, or replace the number")
          }
          hasher.combine(UnsafeRawBufferPointer(numbers))
        }
      }
    }
    return hasher.finalize()
  }

  /// - Throws: `badData` when a number would be infinite as one of the type.
  private func requireRange(of scalar: ScalarType) throws {
    // What float32 cannot hold was found before.
    guard scalar != .float32 else { return }
    let step = max(1, (1 << 18) / dimension)
    for start in stride(from: 0, to: count, by: step) {
      try vectors.readVectors(start..<min(start + step, count)) { part in
        try requireBits(of: part, from: start, in: scalar)
        guard let index = scalar.firstBeyond(in: part) else { return }
        throw Fault(
          .badData, name, expected: "numbers up to \(scalar.greatestText), which \(scalar.rawValue) can hold",
          found: "\(part[index]) in row \(start + index / dimension), column \(index % dimension)",
          remedy: "import into a space of another type with --dtype")
      }
    }
  }

  /// - Parameters:
  ///   - part: [vectors, dimension], the first of which is number `start`.
  /// - Throws: `badData` for a vector that is not zero and of which the type would keep too little, or nothing.
  private func requireBits(
    of part: UnsafeBufferPointer<Float>, from start: Int, in scalar: ScalarType
  ) throws {
    guard let least = scalar.leastLargest else { return }
    for vector in 0..<part.count / dimension {
      let largest = part[vector * dimension..<(vector + 1) * dimension].reduce(0) { max($0, abs($1)) }
      guard largest > 0, largest < least.value else { continue }
      throw Fault(
        .badData, name,
        expected: "vectors with a number of \(least.text) or more, which \(scalar.rawValue) keeps as others",
        found: "none above \(largest) in row \(start + vector)",
        remedy: "scale the vectors, or import them with --dtype bfloat16")
    }
  }

  private func findSpace(
    _ name: String, keeping scalar: ScalarType, _ transaction: inout WriteTransaction
  ) throws -> SpaceRecord {
    guard let space = transaction.space(named: name) else {
      try requirePlainName(name, of: "space")
      return try transaction.addSpace(name: name, dimension: dimension, scalar: scalar)
    }
    guard space.recipe == nil else {
      throw Fault(
        .usage, "space \"\(name)\"", "holds vectors that cellvec embedded from images",
        remedy: "import into another space with --space")
    }
    guard space.dimension == dimension else {
      throw Fault(
        .badData, self.name, expected: "vectors of dimension \(space.dimension), as space \"\(name)\" has",
        found: "\(dimension)", remedy: "import into another space with --space")
    }
    return space
  }
}

private func fileName(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}

/// From the least of both to the greatest.
private func joined(_ left: ClosedRange<Row>?, _ right: ClosedRange<Row>?) -> ClosedRange<Row>? {
  guard let left, let right else { return left ?? right }
  return min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
}
