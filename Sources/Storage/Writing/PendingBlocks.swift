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
    /// The vectors that the block has where they lie in the map, in front of those of `payload`. None once any of them
    /// changes: then they are in `payload`.
    ///
    /// LMDB never writes over pages that a transaction has found, so that they stay what they are until it ends.
    private var stored: UnsafeRawBufferPointer
    /// Vectors of the scalar type, those of the slots behind `stored`.
    private var payload: [UInt8] = []

    /// - Parameter stored: vectors in the map; none for a new block.
    init(layout: BlockLayout, stored: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
      self.layout = layout
      self.stored = stored
    }

    var byteCount: Int { stored.count + payload.count }
    var slotCount: Int { byteCount / layout.vectorByteCount }

    mutating func set(_ vectors: UnsafeBufferPointer<Float>, at slot: Int) {
      if slot * layout.vectorByteCount < stored.count { copyStored() }
      let start = slot * layout.vectorByteCount - stored.count
      let missing = start + vectors.count / layout.dimension * layout.vectorByteCount - payload.count
      if missing > 0 { payload += [UInt8](repeating: 0, count: missing) }
      payload.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        layout.scalar.narrow(vectors, dimension: layout.dimension, into: base + start)
      }
    }

    /// Zeros slots and ends the block behind the first `count`.
    mutating func clear(_ slots: [Int], slotCount count: Int) {
      copyStored()
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

    /// Takes the vectors out of the map.
    mutating func copyStored() {
      if stored.isEmpty { return }
      // Memory that is not written costs nothing.
      let all = [UInt8](unsafeUninitializedCapacity: layout.rowsPerBlock * layout.vectorByteCount) {
        copy(to: UnsafeMutableRawBufferPointer($0))
        $1 = byteCount
      }
      (payload, stored) = (all, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    func put(as name: Name, _ transaction: borrowing Transaction) throws {
      try Block.put(slotCount, as: name, layout, transaction) { copy(to: $0) }
    }

    private func copy(to target: UnsafeMutableRawBufferPointer) {
      target.copyMemory(from: stored)
      payload.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: target[stored.count...]).copyMemory(from: $0)
      }
    }

    /// Writes header and payload straight into the pages that LMDB sets aside.
    /// - Parameter fill: writes the vectors of `slotCount` slots to where it is told.
    static func put(
      _ slotCount: Int, as name: Name, _ layout: BlockLayout, _ transaction: borrowing Transaction,
      _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws {
      let byteCount = layout.valueByteCount(slotCount: slotCount)
      try transaction.put(.vectors, name.key, byteCount: byteCount) { value in
        let end = BlockLayout.headerByteCount + slotCount * layout.vectorByteCount
        let payload = UnsafeMutableRawBufferPointer(rebasing: value[BlockLayout.headerByteCount..<end])
        fill(payload)
        let header = BlockHeader(
          space: name.space, block: name.block, layout: layout, slotCount: slotCount,
          checksum: checksum64(UnsafeRawBufferPointer(payload)))
        value.copyBytes(from: header.encoded())
        UnsafeMutableRawBufferPointer(rebasing: value[end...]).initializeMemory(as: UInt8.self, repeating: 0)
      }
    }
  }

  /// Blocks held in memory before they are written early: 8 MiB.
  private static let limit = 32
  private var open: [Name: Block] = [:]
  /// Blocks that the transaction has written before: what is put again in their place may be in the same memory.
  private var written: Set<Name> = []

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
      written.insert(name)
      return try Block.put(layout.rowsPerBlock, as: name, layout, transaction) { target in
        guard let base = target.baseAddress else { return }
        layout.scalar.narrow(vectors, dimension: layout.dimension, into: base)
      }
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
    var block = Block(layout: layout, stored: stored.payload)
    if written.contains(name) { block.copyStored() }
    return block
  }

  mutating func flush(to transaction: borrowing Transaction) throws {
    for name in open.keys.sorted(by: { ($0.space, $0.block) < ($1.space, $1.block) }) {
      try open[name]?.put(as: name, transaction)
      written.insert(name)
    }
    open = [:]
  }
}
