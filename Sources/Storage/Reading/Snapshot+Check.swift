package import Faults
import Identity

extension Snapshot {
  /// Everything that contradicts itself in the database: damaged blocks, cells without their image, and row
  /// sets, number columns or dictionaries that differ from what the cells say. Empty for a sound database.
  ///
  /// - Complexity: reads every record and block once; holds the row sets of the database in memory.
  package func check() throws -> [Fault] {
    var audit = Audit()
    try audit.readCells(of: transaction, fields: fields)
    try audit.readImages(of: transaction, spaces: spaces)
    try audit.compareSets(of: transaction, spaces: spaces)
    try audit.compareNumbers(of: transaction)
    for space in spaces { try audit.readVectors(of: transaction, space) }
    return audit.faults
  }
}

/// What a check has gathered from primary records, and the faults it has found.
private struct Audit {
  private(set) var faults: [Fault] = []
  private var sets: [RowSetName: RowSet] = [:]
  private var numberRows: [UInt16: RowSet] = [:]
  private var imageOfRow: [Row: UInt32] = [:]

  mutating func report(_ subject: String, _ problem: String) {
    faults.append(Fault(.badData, subject, problem, remedy: "restore a copy, or export and import again"))
  }

  mutating func readCells(of transaction: borrowing Transaction, fields: [Field]) throws {
    let types = Dictionary(uniqueKeysWithValues: fields.map { ($0.id, $0.type) })
    let rowLimit = try transaction.counter(.nextRow)
    try transaction.forEach(.cells) { key, value in
      guard key.count == 4 else { return report("table \"cells\"", "has a key of \(key.count) bytes") }
      let row = key.bigEndian(at: 0, as: Row.self)
      let cell: StoredCell
      do {
        cell = try StoredCell(decoding: value, row: row)
      } catch let fault as Fault {
        return faults.append(fault)
      }
      if row >= rowLimit { report("cell \(row)", "lies beyond the last row given out, \(rowLimit)") }
      imageOfRow[row] = cell.image
      sets[.cells, default: RowSet()].insert(row)
      for (field, value) in cell.values {
        if types[field]?.code != value.typeCode {
          report("cell \(row)", "has a value of the wrong type in field \(field)")
        }
        sets[.hasValue(field: field), default: RowSet()].insert(row)
        for id in value.textIDs {
          sets[.text(field: field, id: id), default: RowSet()].insert(row)
          if try transaction.get(.texts, Key().appending(field).appending(id)) == nil {
            report("cell \(row)", "names text \(id) of field \(field), which is not in the dictionary")
          }
        }
        if case .number(let number) = value {
          numberRows[field, default: RowSet()].insert(row)
          let chunk = NumberChunk(field: field, row: row)
          let stored = try transaction.get(.numbers, chunk.key).map { value in
            try chunk.key.bytes.withUnsafeBytes { try NumberColumn(decoding: value, key: $0) }
          }
          if stored?[NumberChunk.slot(of: row)] != number {
            report("cell \(row)", "differs from the number column of field \(field)")
          }
        }
      }
    }
    try transaction.forEach(.texts) { key, value in
      guard key.count == 6 else { return report("table \"texts\"", "has a key of \(key.count) bytes") }
      let field = key.bigEndian(at: 0, as: UInt16.self)
      let id = key.bigEndian(at: 2, as: UInt32.self)
      if try transaction.textID(String(decoding: value, as: UTF8.self), of: field) != id {
        report("text \(id) of field \(field)", "cannot be found by its content")
      }
    }
  }

  mutating func readImages(of transaction: borrowing Transaction, spaces: [SpaceRecord]) throws {
    var claimed = RowSet()
    try transaction.forEach(.images) { key, value in
      guard key.count == 4 else { return report("table \"images\"", "has a key of \(key.count) bytes") }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      let image = try Document.decode(ImageRecord.self, from: value, of: "image \(number)")
      if try transaction.imageNumber(identity: image.identity) != number {
        report("image \(number)", "cannot be found by its identity")
      }
      for row in image.rows.joined() where imageOfRow[row] != nil {
        if imageOfRow[row] != number {
          report("cell \(row)", "belongs to another image than image \(number) says")
        }
        claimed.insert(row)
      }
    }
    let orphans = (sets[.cells] ?? RowSet()).subtracting(claimed)
    if !orphans.isEmpty { report("\(orphans.count) cells", "belong to no image") }
  }

  mutating func compareSets(of transaction: borrowing Transaction, spaces: [SpaceRecord]) throws {
    var stored: [RowSetName: RowSet] = [:]
    try transaction.forEach(.sets) { key, value in
      guard let name = RowSetName(key: key),
        let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self))
      else { return report("a chunk of table \"sets\"", "is damaged") }
      stored[name, default: RowSet()].formUnion(rows)
    }
    let cells = sets[.cells] ?? RowSet()
    for space in spaces {
      // Which rows have a vector is primary: only its bounds can be checked.
      let rows = stored.removeValue(forKey: .space(space.id)) ?? RowSet()
      if !rows.subtracting(cells).isEmpty {
        report("space \"\(space.name)\"", "has vectors of unknown cells")
      }
    }
    for name in Set(sets.keys).union(stored.keys)
    where (sets[name] ?? RowSet()) != (stored[name] ?? RowSet()) {
      report("row set \(name)", "differs from what the cells say")
    }
  }

  mutating func compareNumbers(of transaction: borrowing Transaction) throws {
    var stored: [UInt16: RowSet] = [:]
    try transaction.forEach(.numbers) { key, value in
      let column = try NumberColumn(decoding: value, key: key)
      let field = key.bigEndian(at: 0, as: UInt16.self)
      for slot in 0..<NumberChunk.rowCount where !column[slot].isNaN {
        stored[field, default: RowSet()].insert(column.firstRow + Row(slot))
      }
    }
    for field in Set(stored.keys).union(numberRows.keys)
    where (stored[field] ?? RowSet()) != (numberRows[field] ?? RowSet()) {
      report("the number column of field \(field)", "has numbers that no cell has")
    }
  }

  mutating func readVectors(of transaction: borrowing Transaction, _ space: SpaceRecord) throws {
    let layout = BlockLayout(dimension: space.dimension)
    var held = RowSet()
    try transaction.forEach(.vectors, prefix: Key().appending(space.id)) { key, value in
      guard key.count == 6 else { return report("table \"vectors\"", "has a key of \(key.count) bytes") }
      let block = key.bigEndian(at: 2, as: UInt32.self)
      do {
        let header = try BlockHeader(decoding: value, space: space.id, block: block, layout: layout)
        if checksum64(value.payload(layout, slotCount: header.slotCount)) != header.checksum {
          report("block \(block) of space \"\(space.name)\"", "does not match its checksum")
        }
        let first = layout.firstRow(of: block)
        held.formUnion(RowSet(first..<first + Row(header.slotCount)))
      } catch let fault as Fault {
        faults.append(fault)
      }
    }
    let missing = try transaction.rowSet(.space(space.id)).subtracting(held)
    if !missing.isEmpty {
      report("space \"\(space.name)\"", "has no block for \(missing.count) of its cells")
    }
  }
}

extension StoredValue {
  fileprivate var typeCode: UInt16 {
    switch self {
    case .text: FieldType.string.code
    case .texts: FieldType.list.code
    case .number: FieldType.number.code
    }
  }
}
