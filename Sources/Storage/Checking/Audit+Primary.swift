import Faults
import Identity

extension Audit {
  mutating func readFormat(of transaction: borrowing Transaction) {
    readIndexFlags(of: transaction)
    guard spaces.contains(where: { $0.scalar.readerFlag != nil }) else { return }
    do {
      var flags = Set(try transaction.formatHeader().readerFlags)
      for space in spaces {
        guard let flag = space.scalar.readerFlag, flags.insert(flag).inserted else { continue }
        reportPrimary("the format header", "has no flag \"\(flag)\", and space \"\(space.name)\" needs it")
      }
    } catch {
      let fault = error as? Fault
      reportPrimary(fault?.subject ?? "the format header", fault?.problem ?? "\(error)")
    }
  }

  /// Compares the flags that tell of indexes with what there is. What cannot be read is reported elsewhere.
  private mutating func readIndexFlags(of transaction: borrowing Transaction) {
    guard let header = try? transaction.formatHeader(),
      let problem = try? indexFlagProblem(of: header, transaction, spaces)
    else { return }
    reportDerived("the format header", problem)
  }

  mutating func readCells(of transaction: borrowing Transaction) {
    // Codes of types by fields' numbers.
    var types = [UInt16?](repeating: nil, count: Int(fields.map(\.id).max() ?? 0) + 1)
    for field in fields { types[Int(field.id)] = field.type.code }
    let limit = counter(.nextRow, of: transaction)
    survey(.cells, of: transaction) { audit, key, value in
      guard key.count == 4 else {
        return audit.reportPrimary("table \"cells\"", "has a key of \(key.count) bytes")
      }
      let row = key.bigEndian(at: 0, as: Row.self)
      if row >= limit { audit.reportPrimary("cell \(row)", "lies beyond the last row given out, \(limit)") }
      let cell = try StoredCell(decoding: value, row: row)
      audit.cells.add(cell, at: row)
      audit.cellsDigest.add(audit.cellSets.add(cell, at: row))
      for (field, value) in cell.values {
        if Int(field) >= types.count || types[Int(field)] != value.typeCode {
          audit.reportPrimary("cell \(row)", "has a value of the wrong type in field \(field)")
        }
        try value.forEachTextID { id in
          if try audit.isText(id, of: field, transaction) { return }
          audit.reportPrimary(
            "cell \(row)", "names text \(id) of field \(field), which is not in the dictionary")
        }
        if case .number(let number) = value {
          audit.compare(number, at: NumberChunk(field: field, row: row), row, transaction)
        }
      }
    }
    cellsDigest.add(cellSets.finish())
  }

  /// Whether the dictionary of a field has a text, which is looked up once.
  private mutating func isText(
    _ id: UInt32, of field: UInt16, _ transaction: borrowing Transaction
  ) throws -> Bool {
    while foundTexts.count <= Int(field) { foundTexts.append(RowSet()) }
    if foundTexts[Int(field)].contains(id) { return true }
    guard try transaction.get(.texts, Key().appending(field).appending(id)) != nil else { return false }
    foundTexts[Int(field)].insert(id)
    return true
  }

  /// A counter; the largest number where it cannot be read, which is reported.
  private mutating func counter(_ counter: Counter, of transaction: borrowing Transaction) -> UInt32 {
    do {
      return try transaction.counter(counter)
    } catch {
      let fault = error as? Fault
      reportPrimary(fault?.subject ?? "counter \(counter.rawValue)", fault?.problem ?? "\(error)")
      return .max
    }
  }

  mutating func readTexts(of transaction: borrowing Transaction) {
    survey(.texts, of: transaction) { audit, key, value in
      guard key.count == 6 else {
        return audit.reportPrimary("table \"texts\"", "has a key of \(key.count) bytes")
      }
      let field = key.bigEndian(at: 0, as: UInt16.self)
      let id = key.bigEndian(at: 2, as: UInt32.self)
      let found = try? transaction.textID(ContentHash(of: value), of: field)
      if found != id { audit.reportDerived("text \(id) of field \(field)", "cannot be found by its content") }
    }
    survey(.textIDs, of: transaction) { _, _, _ in }
    if transaction.count(.textIDs) != transaction.count(.texts) {
      reportDerived("table \"text_ids\"", "has entries of texts that do not exist")
    }
  }

  mutating func readImages(of transaction: borrowing Transaction) {
    let limit = counter(.nextImage, of: transaction)
    survey(.images, of: transaction) { audit, key, value in
      guard key.count == 4 else {
        return audit.reportPrimary("table \"images\"", "has a key of \(key.count) bytes")
      }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      if number >= limit {
        audit.reportPrimary("image \(number)", "lies beyond the last image given out, \(limit)")
      }
      let image = try transaction.decodeImage(value, number)
      audit.images[number] = image
      if (try? transaction.imageNumber(identity: image.identity)) != number {
        audit.reportDerived("image \(number) (\"\(image.name)\")", "cannot be found by its identity")
      }
    }
    survey(.imageIDs, of: transaction) { _, _, _ in }
    if transaction.count(.imageIDs) != transaction.count(.images) {
      reportDerived("table \"image_ids\"", "has entries of images that do not exist")
    }
  }

  mutating func readOutcomesAndHeads(of transaction: borrowing Transaction) {
    survey(.outcomes, of: transaction) { audit, key, value in
      let image = key.count == 6 ? key.bigEndian(at: 2, as: UInt32.self) : .max
      let space = key.count == 6 ? key.bigEndian(at: 0, as: UInt16.self) : .max
      guard audit.spaces.contains(where: { $0.id == space }),
        try transaction.get(.images, Key().appending(image)) != nil
      else { return audit.reportPrimary("outcome of image \(image)", "is of an unknown image or space") }
      _ = try Document.decode(IngestOutcome.self, from: value, of: "outcome of image \(image)")
    }
    survey(.heads, of: transaction) { audit, key, value in
      let name = String(decoding: key, as: UTF8.self)
      let head = try HeadEntry(decoding: value, name: name)
      if !audit.spaces.contains(where: { $0.id == head.space }) {
        audit.reportPrimary("head \"\(name)\"", "belongs to an unknown space")
      }
    }
  }

  /// Compares the cells with the images that claim them, and names the cells that images have lost.
  mutating func compareCells() {
    var claimed = RowSet()
    for (number, image) in images.sorted(by: { $0.key < $1.key }) {
      var rows = RowSet()
      for range in image.rows { rows.formUnion(RowSet(range)) }
      let present = rows.intersection(cells.rows)
      for row in present.toArray() where cells.image(of: row) != number || claimed.contains(row) {
        reportPrimary("cell \(row)", "does not belong to image \(number), or not to it alone")
      }
      claimed.formUnion(present)
      // Rows that are in the set of cells no more were deleted. Where that is damaged, they may be lost if others are.
      var lost = rows.subtracting(cells.rows)
      if !hasDamagedSets || !hasDamagedCells { lost = lost.intersection(storedSets[.cells] ?? RowSet()) }
      if !lost.isEmpty { reportPrimary("image \"\(image.name)\"", "has lost \(cellRanges(lost))") }
    }
    var orphans: [UInt32: RowSet] = [:]
    for row in cells.rows.subtracting(claimed).toArray() {
      if let image = cells.image(of: row) { orphans[image, default: RowSet()].insert(row) }
    }
    for (number, rows) in orphans.sorted(by: { $0.key < $1.key }) {
      let state = images[number] == nil ? "cannot be read" : "does not claim them"
      reportPrimary("image \(number)", "\(state); it had \(cellRanges(rows))")
    }
  }

  mutating func readVectors(of transaction: borrowing Transaction, _ space: SpaceRecord) {
    let layout = BlockLayout(of: space)
    var held = RowSet()
    survey(.vectors, of: transaction) { audit, key, value in
      guard key.count == 6 else {
        return audit.reportPrimary("table \"vectors\"", "has a key of \(key.count) bytes")
      }
      guard key.bigEndian(at: 0, as: UInt16.self) == space.id else { return }
      let block = key.bigEndian(at: 2, as: UInt32.self)
      let stored = try StoredBlock(decoding: value, space: space.id, block: block, layout)
      try stored.requireChecksum(of: space)
      let first = layout.firstRow(of: block)
      held.formUnion(RowSet(first..<first + Row(stored.header.slotCount)))
    }
    let missing = (storedSets[.space(space.id)] ?? RowSet()).subtracting(held)
    if !missing.isEmpty {
      let owners = Set(missing.toArray().compactMap { cells.image(of: $0) }).sorted()
      let names = owners.prefix(5).map { images[$0].map { "\"\($0.name)\"" } ?? "\($0)" }
      let more = owners.count > 5 ? " and \(owners.count - 5) more" : ""
      reportPrimary(
        "space \"\(space.name)\"",
        "has lost the vectors of \(cellRanges(missing)); images: \(names.joined(separator: ", "))\(more)")
    }
  }
}

/// "cells 3, 7 to 9 and 40 more": the first runs of a set of rows.
func cellRanges(_ rows: RowSet) -> String {
  var runs: [ClosedRange<Row>] = []
  var shown = 0
  for row in rows.toArray() {
    if let last = runs.last, last.upperBound + 1 == row {
      runs[runs.count - 1] = last.lowerBound...row
    } else {
      guard runs.count < 8 else { break }
      runs.append(row...row)
    }
    shown += 1
  }
  let texts = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
  let more = rows.count > shown ? " and \(rows.count - shown) more" : ""
  return (rows.count == 1 ? "cell " : "cells ") + texts.joined(separator: ", ") + more
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

/// In what the writer flags of a header that tell of indexes differ from the records of indexes; nil where they do not.
func indexFlagProblem(
  of header: FormatHeader, _ transaction: borrowing Transaction, _ spaces: [SpaceRecord]
) throws -> String? {
  let needed = try transaction.neededIndexFlags(of: spaces)
  // An index that was made with the earlier flag needs no other.
  let found = Set(
    header.writerFlags.filter(FormatHeader.indexFlags.contains)
      .map { $0 == FormatHeader.earlierIndexFlag ? FormatHeader.indexFlag : $0 })
  if let flag = needed.subtracting(found).sorted().first {
    return "has no flag \"\(flag)\", which an index of the database needs"
  }
  return found.subtracting(needed).sorted().first.map {
    "has flag \"\($0)\", which nothing in the database needs"
  }
}
