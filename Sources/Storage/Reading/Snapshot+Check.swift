package import Faults
import Identity

extension Snapshot {
  /// Everything that contradicts itself in the database: damaged records and blocks, cells without their image,
  /// and row sets, number columns or dictionaries that differ from what the cells say. Empty for a sound one.
  ///
  /// - Complexity: reads every record and block once; holds the row sets and a number for each cell in memory.
  package func check() -> [Fault] {
    var audit = Audit(fields: fields, spaces: spaces)
    audit.readCells(of: transaction)
    audit.readTexts(of: transaction)
    audit.readImages(of: transaction)
    audit.readOutcomesAndHeads(of: transaction)
    audit.compareSets(of: transaction)
    audit.compareNumbers(of: transaction)
    for space in spaces { audit.readVectors(of: transaction, space) }
    return audit.faults
  }
}

/// What a check has gathered from primary records, and the faults it has found.
private struct Audit {
  private(set) var faults: [Fault] = []
  private let fields: [Field]
  private let spaces: [SpaceRecord]
  private var sets: [RowSetName: RowSet] = [:]
  private var numberRows: [UInt16: RowSet] = [:]
  private var imageOfRow: [Row: UInt32] = [:]

  init(fields: [Field], spaces: [SpaceRecord]) {
    self.fields = fields
    self.spaces = spaces
  }

  private mutating func report(_ subject: String, _ problem: String) {
    faults.append(
      Fault(.badData, subject, problem, remedy: "restore a copy, or export what is left and import it anew"))
  }

  /// Does one part of the check; a fault that ends the part is reported, and the other parts go on.
  private mutating func attempt(_ subject: String, _ body: (inout Audit) throws -> Void) {
    do {
      try body(&self)
    } catch let fault as Fault {
      report(fault.subject, fault.problem)
    } catch {
      report(subject, "cannot be read: \(error)")
    }
  }

  // MARK: Primary records

  mutating func readCells(of transaction: borrowing Transaction) {
    let types = Dictionary(fields.map { ($0.id, $0.type) }, uniquingKeysWith: { $1 })
    attempt("table \"cells\"") { audit in
      let limit = try transaction.counter(.nextRow)
      try transaction.forEach(.cells) { key, value in
        guard key.count == 4 else {
          return audit.report("table \"cells\"", "has a key of \(key.count) bytes")
        }
        let row = key.bigEndian(at: 0, as: Row.self)
        if row >= limit { audit.report("cell \(row)", "lies beyond the last row given out, \(limit)") }
        audit.attempt("cell \(row)") { audit in
          try audit.read(try StoredCell(decoding: value, row: row), at: row, types, transaction)
        }
      }
    }
  }

  private mutating func read(
    _ cell: StoredCell, at row: Row, _ types: [UInt16: FieldType], _ transaction: borrowing Transaction
  ) throws {
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
      guard case .number(let number) = value else { continue }
      numberRows[field, default: RowSet()].insert(row)
      let chunk = NumberChunk(field: field, row: row)
      let column = try transaction.get(.numbers, chunk.key).map { value in
        try chunk.key.bytes.withUnsafeBytes { try NumberColumn(decoding: value, key: $0) }
      }
      if column?[NumberChunk.slot(of: row)] != number {
        report("cell \(row)", "differs from the number column of field \(field)")
      }
    }
  }

  mutating func readTexts(of transaction: borrowing Transaction) {
    attempt("table \"texts\"") { audit in
      try transaction.forEach(.texts) { key, value in
        guard key.count == 6 else {
          return audit.report("table \"texts\"", "has a key of \(key.count) bytes")
        }
        let field = key.bigEndian(at: 0, as: UInt16.self)
        let id = key.bigEndian(at: 2, as: UInt32.self)
        if try transaction.textID(ContentHash(of: value), of: field) != id {
          audit.report("text \(id) of field \(field)", "cannot be found by its content")
        }
      }
      if transaction.count(.textIDs) != transaction.count(.texts) {
        audit.report("table \"text_ids\"", "has entries of texts that do not exist")
      }
    }
  }

  mutating func readImages(of transaction: borrowing Transaction) {
    var claimed = RowSet()
    attempt("table \"images\"") { audit in
      let limit = try transaction.counter(.nextImage)
      try transaction.forEach(.images) { key, value in
        guard key.count == 4 else {
          return audit.report("table \"images\"", "has a key of \(key.count) bytes")
        }
        let number = key.bigEndian(at: 0, as: UInt32.self)
        if number >= limit {
          audit.report("image \(number)", "lies beyond the last image given out, \(limit)")
        }
        audit.attempt("image \(number)") { audit in
          let image = try transaction.decodeImage(value, number)
          if try transaction.imageNumber(identity: image.identity) != number {
            audit.report("image \(number)", "cannot be found by its identity")
          }
          for row in image.rows.joined() where audit.imageOfRow[row] != nil {
            if audit.imageOfRow[row] != number || claimed.contains(row) {
              audit.report("cell \(row)", "does not belong to image \(number), or not to it alone")
            }
            claimed.insert(row)
          }
        }
      }
      if transaction.count(.imageIDs) != transaction.count(.images) {
        audit.report("table \"image_ids\"", "has entries of images that do not exist")
      }
    }
    let orphans = (sets[.cells] ?? RowSet()).subtracting(claimed)
    if !orphans.isEmpty { report("\(orphans.count) cells", "belong to no image") }
  }

  mutating func readOutcomesAndHeads(of transaction: borrowing Transaction) {
    attempt("table \"outcomes\"") { audit in
      try transaction.forEach(.outcomes) { key, value in
        let image = key.count == 6 ? key.bigEndian(at: 2, as: UInt32.self) : .max
        let space = key.count == 6 ? key.bigEndian(at: 0, as: UInt16.self) : .max
        guard audit.spaces.contains(where: { $0.id == space }),
          try transaction.get(.images, Key().appending(image)) != nil
        else { return audit.report("outcome of image \(image)", "is of an unknown image or space") }
        audit.attempt("outcome of image \(image)") { _ in
          _ = try Document.decode(IngestOutcome.self, from: value, of: "outcome of image \(image)")
        }
      }
    }
    attempt("table \"heads\"") { audit in
      try transaction.forEach(.heads) { key, value in
        let name = String(decoding: key, as: UTF8.self)
        audit.attempt("head \"\(name)\"") { audit in
          let head = try HeadRecord(decoding: value, name: name)
          if !audit.spaces.contains(where: { $0.id == head.space }) {
            audit.report("head \"\(name)\"", "belongs to an unknown space")
          }
        }
      }
    }
  }

  // MARK: Derived records

  mutating func compareSets(of transaction: borrowing Transaction) {
    var stored: [RowSetName: RowSet] = [:]
    attempt("table \"sets\"") { audit in
      try transaction.forEach(.sets) { key, value in
        guard let name = RowSetName(key: key),
          let rows = RowSet(decoding: value, chunk: key.bigEndian(at: 7, as: UInt16.self))
        else { return audit.report("a chunk of table \"sets\"", "is damaged") }
        stored[name, default: RowSet()].formUnion(rows)
      }
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

  mutating func compareNumbers(of transaction: borrowing Transaction) {
    var stored: [UInt16: RowSet] = [:]
    attempt("table \"numbers\"") { _ in
      try transaction.forEach(.numbers) { key, value in
        let column = try NumberColumn(decoding: value, key: key)
        let field = key.bigEndian(at: 0, as: UInt16.self)
        for slot in 0..<NumberChunk.rowCount where !column[slot].isNaN {
          stored[field, default: RowSet()].insert(column.firstRow + Row(slot))
        }
      }
    }
    for field in Set(stored.keys).union(numberRows.keys)
    where (stored[field] ?? RowSet()) != (numberRows[field] ?? RowSet()) {
      report("the number column of field \(field)", "has numbers that no cell has")
    }
  }

  mutating func readVectors(of transaction: borrowing Transaction, _ space: SpaceRecord) {
    let layout = BlockLayout(dimension: space.dimension)
    attempt("space \"\(space.name)\"") { audit in
      var held = RowSet()
      try transaction.forEach(.vectors, prefix: Key().appending(space.id)) { key, value in
        guard key.count == 6 else {
          return audit.report("table \"vectors\"", "has a key of \(key.count) bytes")
        }
        let block = key.bigEndian(at: 2, as: UInt32.self)
        audit.attempt("block \(block) of space \"\(space.name)\"") { audit in
          let header = try BlockHeader(decoding: value, space: space.id, block: block, layout: layout)
          if checksum64(value.payload(layout, slotCount: header.slotCount)) != header.checksum {
            audit.report("block \(block) of space \"\(space.name)\"", "does not match its checksum")
          }
          let first = layout.firstRow(of: block)
          held.formUnion(RowSet(first..<first + Row(header.slotCount)))
        }
      }
      let missing = try transaction.rowSet(.space(space.id)).subtracting(held)
      if !missing.isEmpty {
        audit.report("space \"\(space.name)\"", "has no block for \(missing.count) of its cells")
      }
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
