import Identity

/// Blocks of vectors that a write transaction has touched.
struct PendingBlocks {
  private struct Name: Hashable {
    let space: UInt16
    let block: UInt32
    var key: Key { Key().appending(space).appending(block) }
  }

  fileprivate struct Block {
    let layout: BlockLayout
    var slotCount = 0
    /// [rowsPerBlock, dimension] numbers of the scalar type; zeros behind the first `slotCount`.
    var payload: [UInt8]

    var byteCount: Int { slotCount * layout.vectorByteCount }
  }

  /// Blocks held in memory before they are written early: 8 MiB.
  private static let limit = 32
  private var open: [Name: Block] = [:]

  /// Stores vectors of consecutive rows of one block.
  /// - Shape: `vectors` is [rows.count, dimension], row-major, of numbers that the scalar type can hold.
  mutating func set(
    _ vectors: UnsafeBufferPointer<Float>, of rows: Range<Row>, space: UInt16, _ layout: BlockLayout,
    _ transaction: borrowing Transaction
  ) throws {
    let name = Name(space: space, block: layout.block(of: rows.lowerBound))
    try ready(name, layout, transaction)
    open[name]?.set(vectors, at: layout.slot(of: rows.lowerBound), count: rows.count)
  }

  /// Zeros the vectors of some rows of a block, of which the rows `kept` have vectors still: behind the last of them
  /// it ends, and without any it goes.
  mutating func clear(
    _ rows: RowSet, keeping kept: RowSet, block: UInt32, space: UInt16, _ layout: BlockLayout,
    _ transaction: borrowing Transaction
  ) throws {
    let name = Name(space: space, block: block)
    guard let last = kept.last else {
      open[name] = nil
      return try transaction.delete(.vectors, name.key)
    }
    try ready(name, layout, transaction)
    open[name]?.clear(rows.toArray().map(layout.slot(of:)), slotCount: layout.slot(of: last) + 1)
  }

  private mutating func ready(
    _ name: Name, _ layout: BlockLayout, _ transaction: borrowing Transaction
  ) throws {
    guard open[name] == nil else { return }
    if open.count >= PendingBlocks.limit { try flush(to: transaction) }
    open[name] = try load(name, layout, transaction)
  }

  private func load(
    _ name: Name, _ layout: BlockLayout, _ transaction: borrowing Transaction
  ) throws -> Block {
    var block = Block(
      layout: layout, payload: [UInt8](repeating: 0, count: layout.rowsPerBlock * layout.vectorByteCount))
    if let stored = try transaction.block(name.block, of: name.space, layout) {
      block.slotCount = stored.header.slotCount
      block.payload.withUnsafeMutableBytes { $0.copyMemory(from: stored.payload) }
    }
    return block
  }

  mutating func flush(to transaction: borrowing Transaction) throws {
    for name in open.keys.sorted(by: { ($0.space, $0.block) < ($1.space, $1.block) }) {
      guard let block = open[name] else { continue }
      try transaction.put(
        .vectors, name.key, byteCount: block.layout.valueByteCount(slotCount: block.slotCount)
      ) {
        block.write(to: $0, space: name.space, block: name.block)
      }
    }
    open = [:]
  }
}

extension PendingBlocks.Block {
  fileprivate mutating func set(_ vectors: UnsafeBufferPointer<Float>, at slot: Int, count: Int) {
    payload.withUnsafeMutableBytes { bytes in
      if let base = bytes.baseAddress {
        layout.scalar.narrow(vectors, into: base + slot * layout.vectorByteCount)
      }
    }
    slotCount = max(slotCount, slot + count)
  }

  /// Zeros slots and ends the block behind the first `count`.
  fileprivate mutating func clear(_ slots: [Int], slotCount count: Int) {
    let end = byteCount
    slotCount = min(slotCount, count)
    zero(byteCount..<end)
    for slot in slots where slot < slotCount {
      zero(slot * layout.vectorByteCount..<(slot + 1) * layout.vectorByteCount)
    }
  }

  private mutating func zero(_ range: Range<Int>) {
    _ = payload.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[range]).initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// Writes header and payload straight into the pages that LMDB has set aside.
  fileprivate func write(to value: UnsafeMutableRawBufferPointer, space: UInt16, block: UInt32) {
    payload.withUnsafeBytes { bytes in
      let used = UnsafeRawBufferPointer(rebasing: bytes[..<byteCount])
      let header = BlockHeader(
        space: space, block: block, layout: layout, slotCount: slotCount, checksum: checksum64(used))
      value.copyBytes(from: header.encoded())
      let body = UnsafeMutableRawBufferPointer(rebasing: value[BlockLayout.headerByteCount...])
      body.copyMemory(from: used)
      UnsafeMutableRawBufferPointer(rebasing: body[used.count...]).initializeMemory(
        as: UInt8.self, repeating: 0)
    }
  }
}
