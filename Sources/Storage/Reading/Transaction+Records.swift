import Faults
import Identity

/// Typed reads that snapshots and write transactions share.
extension Transaction {
  func formatHeader() throws -> FormatHeader {
    guard let bytes = try get(.header, FormatHeader.key) else {
      if count(.cells) == 0 { throw lmdbEmptyDatabase(environment.path) }
      throw Fault(
        .badData, environment.path, expected: "a cellvec database", found: "no format header",
        remedy: "name the directory that ingest or import made")
    }
    return try Document.decode(FormatHeader.self, from: bytes, of: environment.path)
  }

  func counter(_ counter: Counter) throws -> UInt32 {
    guard let bytes = try get(.header, counter.key) else { return 0 }
    var reader = ByteReader(bytes) { "counter \(counter.rawValue)" }
    return try reader.number()
  }

  func allFields() throws -> [Field] {
    var fields: [Field] = []
    try forEach(.fields) { fields.append(try Field(decoding: $1, key: $0, besides: fields)) }
    return fields
  }

  func allSpaces() throws -> [SpaceRecord] {
    var spaces: [SpaceRecord] = []
    try forEach(.spaces) { key, value in
      let known = environment.knownSpaces.value(of: value)
      let space = try SpaceRecord(decoding: value, as: known, key: key, besides: spaces)
      if known == nil { environment.knownSpaces.note(Array(value), is: space) }
      spaces.append(space)
    }
    return spaces
  }

  /// The image of a cell, without its values.
  func cellImage(at row: Row) throws -> UInt32? {
    try get(.cells, Key().appending(row)).map { try CellHead(decoding: $0, row: row).image }
  }

  func storedCell(at row: Row, reading fields: [UInt16]? = nil) throws -> StoredCell? {
    try get(.cells, Key().appending(row)).map {
      try StoredCell(decoding: $0, row: row, reading: fields)
    }
  }

  /// The cell with its texts; nil when there is none at the row.
  /// - Parameter fields: those whose values are wanted; nil for all.
  func cell(at row: Row, reading fields: [UInt16]? = nil) throws -> CellRecord? {
    guard let stored = try storedCell(at: row, reading: fields) else { return nil }
    var cell = CellRecord(
      image: stored.image, object: stored.object, geometry: stored.geometry,
      values: Dictionary(minimumCapacity: stored.values.count))
    for (field, value) in stored.values {
      cell.values[field] =
        switch value {
        case .number(let number): .number(number)
        case .text(let id): .string(try text(id, of: field))
        case .texts(let ids): .list(try ids.map { try text($0, of: field) })
        }
    }
    return cell
  }

  func image(_ number: UInt32) throws -> ImageRecord? {
    try get(.images, Key().appending(number)).map { try decodeImage($0, number) }
  }

  /// Ranges of rows are checked against the rows given out before anybody walks through them.
  func decodeImage(_ value: UnsafeRawBufferPointer, _ number: UInt32) throws -> ImageRecord {
    let image =
      try environment.knownImages.value(of: value)
      ?? Document.decode(ImageRecord.self, from: value, of: "image \(number)")
    let limit = try counter(.nextRow)
    guard image.rows.allSatisfy({ $0.upperBound <= limit }),
      zip(image.rows, image.rows.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound })
    else {
      throw Fault(
        .badData, "image \(number)", "is damaged: it claims rows that were never given out",
        remedy: "run cellvec check")
    }
    return image
  }

  func imageNumber(identity: ContentHash) throws -> UInt32? {
    try get(.imageIDs, Key().appending(identity)).map { bytes in
      var reader = ByteReader(bytes) { "image \(identity)" }
      return try reader.number()
    }
  }

  func text(_ id: UInt32, of field: UInt16) throws -> String {
    guard let bytes = try get(.texts, Key().appending(field).appending(id)) else {
      throw Fault(
        .badData, "text \(id) of field \(field)", "is missing from the dictionary",
        remedy: "run cellvec check")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func textID(_ digest: ContentHash, of field: UInt16) throws -> UInt32? {
    try get(.textIDs, Key().appending(field).appending(digest)).map { bytes in
      var reader = ByteReader(bytes) { "text \(digest) of field \(field)" }
      return try reader.number()
    }
  }

  /// The union of a set's chunks.
  func rowSet(_ name: RowSetName) throws -> RowSet {
    var rows = JoinedChunks()
    try forEach(name.table, prefix: name.prefix) { key, value in
      if !rows.append(try decodeChunk(key, value)) { throw damagedChunk() }
    }
    return rows.rowSet()
  }

  func rowSet(_ chunk: SetChunk) throws -> RowSet? {
    try get(chunk.name.table, chunk.key).map { value in
      guard let rows = RowSet(decoding: value, chunk: chunk.chunk) else { throw damagedChunk() }
      return rows
    }
  }

  /// Cells whose value in a field is, or contains, one of these texts.
  func rowSet(ofTexts ids: Set<UInt32>, field: UInt16) throws -> RowSet {
    var rows = RowBits()
    let cursor = try Cursor(self, .sets)
    var entry: Entry?
    for id in ids.sorted() {
      let prefix = RowSetName.text(field: field, id: id).prefix
      // The set after the last one is often that of the next text.
      if entry.map({ !$0.key.starts(with: prefix.bytes) }) ?? true { entry = try cursor.seek(prefix) }
      while let (key, value) = entry, key.starts(with: prefix.bytes) {
        rows.formUnion(try decodeChunk(key, value))
        entry = try cursor.next()
      }
    }
    return rows.rowSet()
  }

  private func decodeChunk(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws
    -> StoredChunk
  {
    guard key.count == 9,
      let chunk = StoredChunk(value, chunk: key.bigEndian(at: 7, as: UInt16.self))
    else { throw damagedChunk() }
    return chunk
  }

  private func damagedChunk() -> Fault {
    Fault(.badData, "a chunk of table \"sets\"", "is damaged", remedy: "run cellvec check")
  }

  func head(named name: String) throws -> HeadRecord? {
    // LMDB refuses an empty key and one over 511 bytes; no head can have such a name.
    guard (1...HeadRecord.nameLimit).contains(name.utf8.count) else { return nil }
    return try get(.heads, Key().appending(name)).map { try HeadRecord(decoding: $0, name: name) }
  }

  /// The stored block of a space; nil when none of its rows was ever written.
  func block(_ block: UInt32, of space: UInt16, _ layout: BlockLayout) throws -> StoredBlock? {
    try get(.vectors, Key().appending(space).appending(block)).map { value in
      try StoredBlock(decoding: value, space: space, block: block, layout)
    }
  }
}

/// A block in the memory map.
struct StoredBlock {
  let header: BlockHeader
  let payload: UnsafeRawBufferPointer

  init(decoding value: UnsafeRawBufferPointer, space: UInt16, block: UInt32, _ layout: BlockLayout) throws {
    header = try BlockHeader(decoding: value, space: space, block: block, layout: layout)
    payload = value.payload(layout, slotCount: header.slotCount)
  }

  /// - Parameter space: asked for only when the checksum is wrong, to name it; nil where there is no record of it.
  /// - Throws: `badData` when the vectors are not those that were written.
  func requireChecksum(of space: @autoclosure () throws -> SpaceRecord?) throws {
    guard checksum64(payload) == header.checksum else {
      let name = try space().map { "\"\($0.name)\"" } ?? "number \(header.space)"
      throw Fault(
        .badData, "block \(header.block) of space \(name)", "does not match its checksum",
        remedy: "restore a copy, or save the rest with cellvec export --salvage")
    }
  }
}

extension Field {
  /// - Parameter others: fields read before, none of which has the name.
  init(decoding value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, besides others: [Field]) throws {
    guard key.count == 2, let code = value.first, let type = FieldType(code: UInt16(code)) else {
      throw Fault(.badData, "table \"fields\"", "is damaged", remedy: "run cellvec check")
    }
    let name = String(decoding: value.dropFirst(), as: UTF8.self)
    guard !others.contains(where: { $0.name == name }) else {
      throw Fault(.badData, "table \"fields\"", "names a field twice", remedy: "run cellvec check")
    }
    self.init(id: key.bigEndian(at: 0, as: UInt16.self), name: name, type: type)
  }
}

extension SpaceRecord {
  /// - Parameters:
  ///   - known: what the bytes stand for, if that is known.
  ///   - others: spaces read before, none of which has the name.
  init(
    decoding value: UnsafeRawBufferPointer, as known: SpaceRecord? = nil, key: UnsafeRawBufferPointer,
    besides others: [SpaceRecord]
  ) throws {
    self = try known ?? Document.decode(SpaceRecord.self, from: value, of: "a record of table \"spaces\"")
    guard (1...SpaceRecord.dimensionLimit).contains(dimension), key.count == 2,
      key.bigEndian(at: 0, as: UInt16.self) == id, !others.contains(where: { $0.name == name })
    else {
      throw Fault(
        .badData, "space \"\(name)\"", "is damaged: its number, name or dimension cannot be right",
        remedy: "run cellvec check")
    }
  }
}
