import Faults

@testable import Storage

/// The first byte of the input chooses a decoder of stored records, the rest is the record.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 0 else { return 0 }
  let record = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
  do {
    switch start[0] % 14 {
    case 0: try exerciseCell(record)
    case 1: _ = try Document.decode(ImageRecord.self, from: record, of: "image")
    case 2: _ = try Document.decode(SpaceRecord.self, from: record, of: "space")
    case 3: _ = try Document.decode(IngestOutcome.self, from: record, of: "outcome")
    case 4: _ = try Document.decode(FormatHeader.self, from: record, of: "header")
    case 5: try exerciseHead(record)
    case 6: exerciseRowSet(record)
    case 7: try exerciseNumbers(record)
    case 8: try exerciseBlock(record)
    case 10: _ = try IndexRecord(decoding: record, space: indexedSpace)
    case 11: exerciseIndexBlock(record)
    case 12: exerciseFront(record)
    case 13: _ = try GraphRecord(decoding: record, space: indexedSpace)
    default: exerciseKey(record)
    }
  } catch {
    checkSentence(error)
  }
  return 0
}

/// What was read and is written again is what was read.
private func exerciseCell(_ record: UnsafeRawBufferPointer) throws {
  let cell = try StoredCell(decoding: record, row: 7)
  let again = try cell.encoded().withUnsafeBytes { try StoredCell(decoding: $0, row: 7) }
  guard again.values.count == cell.values.count, again.object == cell.object else { fatalError("another cell") }
}

private func exerciseHead(_ record: UnsafeRawBufferPointer) throws {
  let head = try HeadRecord(decoding: record, name: "h")
  guard head.weights.count <= record.count else { fatalError("more weights than bytes") }
}

private func exerciseRowSet(_ record: UnsafeRawBufferPointer) {
  guard let rows = RowSet(decoding: record, chunk: 3) else { return }
  guard rows.encoded().elementsEqual(record), rows.toArray().allSatisfy({ $0 >> 16 == 3 }) else {
    fatalError("another set")
  }
}

private func exerciseNumbers(_ record: UnsafeRawBufferPointer) throws {
  guard record.count >= 6 else { return }
  let key = UnsafeRawBufferPointer(rebasing: record[..<6])
  // A chunk has one size: the input is its front.
  var chunk = [UInt8](repeating: 0, count: NumberChunk.rowCount * 8)
  chunk.withUnsafeMutableBytes { $0.copyBytes(from: record.prefix(NumberChunk.rowCount * 8)) }
  _ = try chunk.withUnsafeBytes { try NumberColumn(decoding: $0, key: key)[NumberChunk.rowCount - 1] }
  _ = try? NumberColumn(decoding: record, key: key)
}

/// The input is a block's header and the front of its payload; space, block and dimension are those that it names.
private func exerciseBlock(_ record: UnsafeRawBufferPointer) throws {
  guard record.count >= BlockLayout.headerByteCount else { return }
  let dimension = Int(record.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
  guard (1...SpaceRecord.dimensionLimit).contains(dimension) else { return }
  let layout = BlockLayout(dimension: dimension, scalar: ScalarType(code: record[6]) ?? .float32)
  let slotCount = min(Int(record.loadUnaligned(fromByteOffset: 20, as: UInt32.self)), layout.rowsPerBlock)
  var value = [UInt8](repeating: 0, count: layout.valueByteCount(slotCount: slotCount))
  value.withUnsafeMutableBytes { $0.copyBytes(from: record.prefix($0.count)) }
  try value.withUnsafeBytes { bytes in
    let block = bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
    let stored = try StoredBlock(
      decoding: bytes, space: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self), block: block, layout)
    guard stored.payload.count == stored.header.slotCount * layout.vectorByteCount else { fatalError("another payload") }
    _ = layout.firstRow(of: block) + Row(stored.header.slotCount)
  }
}

private let indexedSpace = SpaceRecord(id: 0, name: "s", dimension: 8)

/// The input is a block's header and the front of its items; its place, and how many there are, is what they name.
private func exerciseIndexBlock(_ record: UnsafeRawBufferPointer) {
  guard record.count >= BlockLayout.headerByteCount, let kind = IndexBlockKind(rawValue: record[6]) else { return }
  let name = IndexBlockName(
    space: record.loadUnaligned(fromByteOffset: 4, as: UInt16.self),
    segment: record.loadUnaligned(fromByteOffset: 8, as: UInt32.self), kind: kind,
    number: record.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
  let layout = IndexBlockLayout(kind, width: 64)
  let count = Int(record.loadUnaligned(fromByteOffset: 20, as: UInt32.self)) % (layout.itemsPerBlock + 1)
  _ = layout.items(of: record, name, itemCount: count)
  var value = [UInt8](repeating: 0, count: BlockLayout.valueByteCount(payloadByteCount: count * layout.itemByteCount))
  value.withUnsafeMutableBytes { $0.copyBytes(from: record.prefix($0.count)) }
  value.withUnsafeBytes { bytes in
    guard let items = layout.items(of: bytes, name, itemCount: count, isVerified: true) else { return }
    if items.count != count * layout.itemByteCount { fatalError("other items") }
  }
}

/// The input is the front of a page with its seal.
private func exerciseFront(_ record: UnsafeRawBufferPointer) {
  var page = [UInt8](repeating: 0, count: 512)
  page.withUnsafeMutableBytes { $0.copyBytes(from: record.prefix(512)) }
  page.withUnsafeBytes { bytes in
    guard let base = bytes.baseAddress else { return }
    let front = FrontPage(base)
    if front.hasAlteredNumber, front.isAsSealed(tables: { _ in nil }), front.seal?.transaction == front.meta?.transaction {
      fatalError("a number that is and is not that of the seal")
    }
  }
}

private func exerciseKey(_ record: UnsafeRawBufferPointer) {
  _ = RowSetName(key: record)
  for table in Table.allCases { _ = table.subject(of: record) }
  if record.count >= 4 {
    let key = UnsafeRawBufferPointer(rebasing: record[..<4])
    _ = Seal.open(key: key, sealed: UnsafeRawBufferPointer(rebasing: record[4...]))
  }
}
