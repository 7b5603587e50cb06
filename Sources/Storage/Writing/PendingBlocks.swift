import Identity

/// Blocks of vectors that a write transaction has touched.
struct PendingBlocks {
  fileprivate struct Name: Hashable {
    let space: UInt16
    let block: UInt32
    var key: Key { Key().appending(space).appending(block) }
  }

  fileprivate struct Block {
    let layout: BlockLayout
    /// [slotCount, dimension] numbers of the scalar type.
    var payload: [UInt8]

    /// - Parameter stored: the vectors that the block has.
    init(layout: BlockLayout, stored: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
      self.layout = layout
      // Memory that is not written costs nothing.
      payload = Array(unsafeUninitializedCapacity: layout.rowsPerBlock * layout.vectorByteCount) {
        UnsafeMutableRawBufferPointer($0).copyMemory(from: stored)
        $1 = stored.count
      }
    }

    var slotCount: Int { payload.count / layout.vectorByteCount }
  }

  /// Blocks held in memory before they are written early: 8 MiB.
  private static let limit = 32
  private var open: [Name: Block] = [:]

  /// Stores the vectors of rows that follow one another in one block, of which `row` is the first.
  /// - Shape: `vectors` is [rows, dimension], row-major, of numbers that the scalar type can hold.
  mutating func set(
    _ vectors: UnsafeBufferPointer<Float>, from row: Row, space: UInt16, _ layout: BlockLayout,
    _ transaction: borrowing Transaction
  ) throws {
    let name = Name(space: space, block: layout.block(of: row))
    guard vectors.count < layout.rowsPerBlock * layout.dimension else {
      // Nothing remains of what the block was.
      open[name] = nil
      if layout.scalar == .float32 {
        let payload = UnsafeRawBufferPointer(vectors)
        return try Block.put(payload, layout.rowsPerBlock, as: name, layout, transaction)
      }
      var block = Block(layout: layout)
      block.set(vectors, at: 0)
      return try block.put(as: name, transaction)
    }
    try ready(name, layout, transaction)
    open[name]?.set(vectors, at: layout.slot(of: row))
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
    guard let stored = try transaction.block(name.block, of: name.space, layout) else {
      return Block(layout: layout)
    }
    // What is written again gets a new checksum, and damage would count as right from then on.
    try stored.requireChecksum(of: transaction.allSpaces().first { $0.id == name.space })
    return Block(layout: layout, stored: stored.payload)
  }

  mutating func flush(to transaction: borrowing Transaction) throws {
    for name in open.keys.sorted(by: { ($0.space, $0.block) < ($1.space, $1.block) }) {
      try open[name]?.put(as: name, transaction)
    }
    open = [:]
  }
}

extension PendingBlocks.Block {
  fileprivate mutating func set(_ vectors: UnsafeBufferPointer<Float>, at slot: Int) {
    let start = slot * layout.vectorByteCount
    let missing = start + vectors.count * layout.scalar.byteCount - payload.count
    if missing > 0 { payload += [UInt8](repeating: 0, count: missing) }
    payload.withUnsafeMutableBytes { bytes in
      if let base = bytes.baseAddress { layout.scalar.narrow(vectors, into: base + start) }
    }
  }

  /// Zeros slots and ends the block behind the first `count`.
  fileprivate mutating func clear(_ slots: [Int], slotCount count: Int) {
    payload.removeLast(max(0, payload.count - count * layout.vectorByteCount))
    for slot in slots where slot < slotCount {
      zero(slot * layout.vectorByteCount..<(slot + 1) * layout.vectorByteCount)
    }
  }

  private mutating func zero(_ range: Range<Int>) {
    _ = payload.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[range]).initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  fileprivate func put(as name: PendingBlocks.Name, _ transaction: borrowing Transaction) throws {
    try payload.withUnsafeBytes { try Self.put($0, slotCount, as: name, layout, transaction) }
  }

  /// Writes header and payload straight into the pages that LMDB sets aside.
  fileprivate static func put(
    _ payload: UnsafeRawBufferPointer, _ slotCount: Int, as name: PendingBlocks.Name, _ layout: BlockLayout,
    _ transaction: borrowing Transaction
  ) throws {
    let header = BlockHeader(
      space: name.space, block: name.block, layout: layout, slotCount: slotCount,
      checksum: checksum64(payload))
    try transaction.put(.vectors, name.key, byteCount: layout.valueByteCount(slotCount: slotCount)) { value in
      value.copyBytes(from: header.encoded())
      let body = UnsafeMutableRawBufferPointer(rebasing: value[BlockLayout.headerByteCount...])
      body.copyMemory(from: payload)
      UnsafeMutableRawBufferPointer(rebasing: body[payload.count...]).initializeMemory(
        as: UInt8.self, repeating: 0)
    }
  }
}
