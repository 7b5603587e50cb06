import Faults

extension WriteTransaction {
  /// The rows of these cells of one image. Objects that the image has already keep their row, and the given
  /// values are merged into theirs; others are appended. An object of the same label but another shape, as a
  /// corrected mask makes it, is another cell.
  package mutating func addCells(_ cells: [CellRecord], of image: UInt32) throws -> [Row] {
    let known = try rowsByIdentity(ofImage: image)
    var fresh: [CellRecord] = []
    var position: [CellIdentity: Int] = [:]
    let identities = cells.map { CellIdentity($0.object, $0.geometry) }
    for (cell, identity) in zip(cells, identities) where known[identity] == nil && position[identity] == nil {
      position[identity] = fresh.count
      fresh.append(cell)
    }
    let added = try appendCells(fresh, of: image)
    return try zip(cells, identities).map { cell, identity in
      if let index = position[identity] { return added.lowerBound + Row(index) }
      guard let row = known[identity] else { throw unknownImage(image) }
      try setValues(cell.values.mapValues { $0 }, of: row)
      return row
    }
  }

  /// Appends cells of one image that the caller knows to be new; their rows follow one another.
  package mutating func appendCells(_ cells: [CellRecord], of image: UInt32) throws -> Range<Row> {
    let rows = try takeRows(cells.count, of: image)
    let records = try Transaction.Cursor(transaction, .cells)
    for (row, cell) in zip(rows, cells) {
      var stored = StoredCell(image: cell.image, object: cell.object, geometry: cell.geometry, values: [:])
      for (field, value) in cell.values {
        let value = try self.stored(value, field: field)
        try index(row, field: field, from: nil, to: value)
        stored.values[field] = value
      }
      try stored.encoded().withUnsafeBytes { bytes in
        try withUnsafeBytes(of: row.bigEndian) { try records.append($0, bytes) }
      }
    }
    return rows
  }

  /// Gives out new rows to an image. The caller puts a cell at each.
  mutating func takeRows(_ count: Int, of image: UInt32) throws -> Range<Row> {
    guard var record = try transaction.image(image) else { throw unknownImage(image) }
    if count == 0 { return 0..<0 }
    let first = try take(count, from: .nextRow)
    let rows = first..<first + UInt32(count)
    if let last = record.rows.last, last.upperBound == rows.lowerBound {
      record.rows[record.rows.count - 1] = last.lowerBound..<rows.upperBound
    } else {
      record.rows.append(rows)
    }
    try putImage(record, image)
    try sets.insert(rows, into: .cells, transaction)
    return rows
  }

  /// The rows of an image's cells, in order; those of deleted cells are left out.
  package func rows(ofImage image: UInt32) throws -> [Row] {
    guard let record = try transaction.image(image) else { throw unknownImage(image) }
    return try record.rows.flatMap { try sets.rows($0, in: .cells, transaction).toArray() }
  }

  /// The rows of an image's cells by what tells them apart.
  func rowsByIdentity(ofImage image: UInt32) throws -> [CellIdentity: Row] {
    var rows: [CellIdentity: Row] = [:]
    for row in try self.rows(ofImage: image) {
      if let cell = try transaction.storedCell(at: row) {
        rows[CellIdentity(cell.object, cell.geometry)] = row
      }
    }
    return rows
  }

  /// The rows of an import's cells by their place in the array, up to the last cell; nil where there is none.
  /// - Parameter count: vectors of the array.
  package func rows(ofImport image: UInt32, count: Int) throws -> [Row?] {
    var rows: [Row?] = []
    for row in try self.rows(ofImage: image) {
      if case .index(let position)? = try transaction.storedCell(at: row)?.object, position < count {
        if position >= rows.count {
          rows.append(contentsOf: repeatElement(nil, count: Int(position) + 1 - rows.count))
        }
        rows[Int(position)] = row
      }
    }
    return rows
  }

  private func unknownImage(_ image: UInt32) -> Fault {
    Fault(.badData, "image \(image)", "is not in the database", remedy: "run cellvec check")
  }

  /// Sets values of one cell; nil clears one. Fields that are not named keep their value.
  /// - Returns: whether that changed anything.
  @discardableResult
  package mutating func setValues(_ values: [UInt16: FieldValue?], of row: Row) throws -> Bool {
    guard var cell = try transaction.storedCell(at: row) else {
      throw Fault(.missingInput, "cell \(row)", "is not in the database")
    }
    let before = cell
    var isReplaced = false
    for (field, value) in values {
      let old = cell.values[field]
      let new = try value.map { try stored($0, field: field) }
      if old == new { continue }
      if old != nil, new != nil { isReplaced = true }
      try index(row, field: field, from: old, to: new)
      cell.values[field] = new
    }
    if cell == before { return false }
    if isReplaced { replacedCellCount += 1 }
    try transaction.put(.cells, Key().appending(row), cell.encoded())
    return true
  }

  /// Keeps the derived row sets and number columns in step with a changed value.
  mutating func index(
    _ row: Row, field: UInt16, from old: StoredValue?, to new: StoredValue?
  ) throws {
    let oldTexts = old?.textIDs ?? []
    let newTexts = new?.textIDs ?? []
    for id in oldTexts where !newTexts.contains(id) {
      try sets.remove(row, from: .text(field: field, id: id), transaction)
    }
    for id in newTexts where !oldTexts.contains(id) {
      try sets.insert(row, into: .text(field: field, id: id), transaction)
    }
    if old == nil, new != nil { try sets.insert(row, into: .hasValue(field: field), transaction) }
    if old != nil, new == nil { try sets.remove(row, from: .hasValue(field: field), transaction) }
    if case .number(let number) = new {
      try numbers.set(number, of: row, field: field, transaction)
    } else if case .number = old {
      try numbers.set(.nan, of: row, field: field, transaction)
    }
  }

  mutating func stored(_ value: FieldValue, field: UInt16) throws -> StoredValue {
    switch value {
    case .number(let number):
      guard number.isFinite else {
        throw Fault(.badData, "a number of field \(field)", expected: "a finite number", found: "\(number)")
      }
      return .number(number)
    case .string(let text):
      return .text(try texts.id(of: text, field: field, transaction))
    case .list(let list):
      var ids: [UInt32] = []
      for text in list {
        let id = try texts.id(of: text, field: field, transaction)
        if !ids.contains(id) { ids.append(id) }
      }
      return .texts(ids)
    }
  }
}

/// What tells the cells of one image apart, whatever the recipe.
struct CellIdentity: Hashable {
  let object: ObjectKey
  let box: BoundingBox?
  let areaPx: UInt32?

  init(_ object: ObjectKey, _ geometry: CellGeometry?) {
    self.object = object
    box = geometry?.box
    areaPx = geometry?.areaPx
  }
}
