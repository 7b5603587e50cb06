import Faults
import Identity

/// Fills a new database with what a snapshot of another one holds, its cells numbered without gaps.
///
/// Texts, fields, spaces, images and heads keep their numbers and names, and cells their identity and order. Indexes and
/// int8 copies, which would be of other rows, are left out.
struct RenumberedCopy {
  /// Bytes of one transaction, of records and of what they take in memory besides.
  private static let bytesPerCommit = 32 << 20
  private static let bytesPerRecord = 200

  private let writer: DatabaseWriter
  private let numbers: RowNumbers

  /// - Parameters:
  ///   - writer: of a database without any record but its header.
  ///   - numbers: those of the snapshot's cells.
  init(to writer: DatabaseWriter, numbers: RowNumbers) {
    self.writer = writer
    self.numbers = numbers
  }

  /// - Throws: `badData` for a record that cannot be read, for vectors that do not match their checksum, and where a
  ///   set or a column has a row without a cell.
  func fill(from snapshot: borrowing Snapshot) throws {
    try copyHeader(of: snapshot)
    for table in [Table.fields, .texts, .textIDs, .spaces, .imageIDs, .outcomes, .heads] {
      try forEach(table, of: snapshot) { key, value, transaction in
        try transaction.transaction.put(table, Key(bytes: Array(key)), value)
      }
    }
    try copyImages(of: snapshot)
    try copyCells(of: snapshot)
    try copySets(of: snapshot)
    try copyNumbers(of: snapshot)
    for space in snapshot.spaces { try copyVectors(of: space, in: snapshot) }
    try writer.write { try $0.setIndexFlags() }
  }

  // MARK: Records

  private func copyHeader(of snapshot: borrowing Snapshot) throws {
    let header = try snapshot.transaction.formatHeader()
    let nextImage = try snapshot.transaction.counter(.nextImage)
    try writer.write { transaction in
      try transaction.transaction.put(.header, FormatHeader.key, Document.encode(header))
      for (counter, next) in [(Counter.nextRow, numbers.count), (.nextImage, nextImage)] {
        try withUnsafeBytes(of: next.littleEndian) {
          try transaction.transaction.put(.header, counter.key, $0)
        }
      }
    }
  }

  private func copyImages(of snapshot: borrowing Snapshot) throws {
    try forEach(.images, of: snapshot) { key, value, transaction in
      guard key.count == 4 else { throw damaged(.images) }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      var image = try snapshot.transaction.decodeImage(value, number)
      image.rows = joined(image.rows.map { numbers[$0] })
      try transaction.putImage(image, number)
    }
  }

  private func copyCells(of snapshot: borrowing Snapshot) throws {
    var count: Row = 0
    try forEach(.cells, of: snapshot) { key, value, transaction in
      guard key.count == 4 else { throw damaged(.cells) }
      let number = try number(of: key.bigEndian(at: 0, as: Row.self), in: "table \"cells\"")
      try transaction.transaction.put(.cells, Key().appending(number), value)
      count += 1
    }
    guard count == numbers.count else {
      throw Fault(
        .badData, "table \"cells\"", expected: "\(numbers.count) cells, as the set of all has",
        found: "\(count)", remedy: "run cellvec check --repair")
    }
  }

  // MARK: Rows

  private func copySets(of snapshot: borrowing Snapshot) throws {
    try forEach(.sets, of: snapshot) { key, value, transaction in
      guard let name = RowSetName(key: key),
        let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self))
      else { throw damaged(.sets) }
      // Vectors bring theirs.
      if case .space = name { return }
      let moved = try rows.toArray().map { try number(of: $0, in: Table.sets.subject(of: key)) }
      try moved.withUnsafeBufferPointer {
        try transaction.sets.insert($0, into: name, transaction.transaction)
      }
    }
  }

  private func copyNumbers(of snapshot: borrowing Snapshot) throws {
    try forEach(.numbers, of: snapshot) { key, value, transaction in
      let column = try NumberColumn(decoding: value, key: key)
      let field = key.bigEndian(at: 0, as: UInt16.self)
      for slot in 0..<NumberChunk.rowCount where !column[slot].isNaN {
        let number = try number(of: column.firstRow + Row(slot), in: Table.numbers.subject(of: key))
        try transaction.numbers.set(column[slot], of: number, field: field, transaction.transaction)
      }
    }
  }

  private func copyVectors(of space: SpaceRecord, in snapshot: borrowing Snapshot) throws {
    let rows = try snapshot.rows(in: space)
    let layout = BlockLayout(of: space)
    let blocksPerCommit = max(1, Self.bytesPerCommit / (layout.rowsPerBlock * layout.vectorByteCount))
    var next = rows.next(from: 0)
    while let first = next {
      let start = UInt64(layout.firstRow(of: layout.block(of: first)))
      let end = Row(clamping: start + UInt64(blocksPerCommit * layout.rowsPerBlock))
      let part = rows.intersection(RowSet(first..<end))
      try writer.write { transaction in
        try snapshot.forEachVerifiedBlock(of: space, with: part) { block in
          try copy(block, of: space, &transaction)
        }
      }
      next = rows.next(from: end)
    }
  }

  private func copy(
    _ block: VectorBlock, of space: SpaceRecord, _ transaction: inout WriteTransaction
  ) throws {
    let rows = block.rows
    let moved = try rows.map { try number(of: $0, in: "the set of space \"\(space.name)\"") }
    var vectors = [Float](repeating: 0, count: rows.count * space.dimension)
    vectors.withUnsafeMutableBufferPointer { vectors in
      guard let start = vectors.baseAddress else { return }
      for (index, row) in rows.enumerated() { block.widen(row, into: start + index * space.dimension) }
    }
    try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: moved, in: space) }
  }

  // MARK: Parts

  /// Calls `body` with the entries of a table in their order, in transactions of bounded size.
  private func forEach(
    _ table: Table, of snapshot: borrowing Snapshot,
    _ body: (
      _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ transaction: inout WriteTransaction
    ) throws -> Void
  ) throws {
    let cursor = try Transaction.Cursor(snapshot.transaction, table)
    var entry = try cursor.seek(Key())
    while entry != nil {
      try writer.write { transaction in
        var byteCount = 0
        while let (key, value) = entry, byteCount < Self.bytesPerCommit {
          try body(key, value, &transaction)
          byteCount += key.count + value.count + Self.bytesPerRecord
          entry = try cursor.next()
        }
      }
    }
  }

  /// - Parameter owner: what names the row.
  private func number(of row: Row, in owner: @autoclosure () -> String) throws -> Row {
    if let number = numbers[row] { return number }
    throw Fault(
      .badData, owner(), expected: "cells of the database", found: "row \(row), which is none of them",
      remedy: "run cellvec check --repair")
  }

  private func damaged(_ table: Table) -> Fault {
    Fault(.badData, "table \"\(table.name)\"", "is damaged", remedy: "run cellvec check")
  }
}

/// Ranges in ascending order without those that are empty; those that touch become one.
private func joined(_ ranges: [Range<Row>]) -> [Range<Row>] {
  var joined: [Range<Row>] = []
  for range in ranges where !range.isEmpty {
    if let last = joined.last, last.upperBound == range.lowerBound {
      joined[joined.count - 1] = last.lowerBound..<range.upperBound
    } else {
      joined.append(range)
    }
  }
  return joined
}
