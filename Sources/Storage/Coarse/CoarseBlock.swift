import Faults
import Formats
import Identity
import Kernels

/// How the int8 copy of a block, whose vectors are coarse, is stored, in table "coarse" under the key of the block. Layout:
/// schema/store.md, "int8 copies".
///
/// A copy names the vectors that it was made from by their checksum: whoever changes vectors need not know of copies.
/// One that is not of the vectors beside it counts as none.
struct CoarseBlockLayout: Equatable {
  let vectors: BlockLayout
  let groupByteCount: Int

  init(of space: SpaceRecord) { self.init(vectors: BlockLayout(of: space)) }

  init(vectors: BlockLayout) {
    self.vectors = vectors
    groupByteCount = kernels_coarse_group_bytes(vectors.dimension)
  }

  static func key(space: UInt16, block: UInt32) -> Key { Key().appending(space).appending(block) }

  /// Bytes of the value of a copy: whole pages. All full blocks of a space have the same size, so that none of them
  /// leaves a run of pages that no other can use.
  func valueByteCount(slotCount: Int) -> Int {
    let needed =
      BlockLayout.pageOverhead + BlockLayout.headerByteCount + kernels_coarse_group_count(slotCount)
      * groupByteCount
    return (needed + BlockLayout.pageByteCount - 1) / BlockLayout.pageByteCount * BlockLayout.pageByteCount
      - BlockLayout.pageOverhead
  }

  /// Writes the copy of a block.
  func write(_ block: StoredBlock, to transaction: borrowing Transaction) throws {
    let slotCount = block.header.slotCount
    let key = CoarseBlockLayout.key(space: block.header.space, block: block.header.block)
    try transaction.put(.coarse, key, byteCount: valueByteCount(slotCount: slotCount)) { value in
      let end = BlockLayout.headerByteCount + kernels_coarse_group_count(slotCount) * groupByteCount
      let groups = UnsafeMutableRawBufferPointer(rebasing: value[BlockLayout.headerByteCount..<end])
      coarsen(block, into: groups)
      value.copyBytes(
        from: CoarseHeader(of: block.header, groups: checksum64(UnsafeRawBufferPointer(groups))).encoded())
      UnsafeMutableRawBufferPointer(rebasing: value[end...]).initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// Makes the vectors of a block coarse.
  /// - Parameter groups: room for the groups of its slots.
  func coarsen(_ block: StoredBlock, into groups: UnsafeMutableRawBufferPointer) {
    guard let base = block.payload.baseAddress, let target = groups.baseAddress else { return }
    kernels_coarsen(
      vectors.scalar.kernel, base, block.header.slotCount, vectors.dimension,
      target.assumingMemoryBound(to: UInt8.self))
  }

  /// The groups of a stored copy.
  /// - Returns: nil when the value is not a copy of a block with this header.
  func groups(of value: UnsafeRawBufferPointer, _ header: BlockHeader) -> UnsafeRawBufferPointer? {
    guard let copy = CoarseHeader(decoding: value), copy.isOf(header),
      value.count == valueByteCount(slotCount: header.slotCount)
    else { return nil }
    let start = BlockLayout.headerByteCount
    return UnsafeRawBufferPointer(
      rebasing: value[start..<start + kernels_coarse_group_count(header.slotCount) * groupByteCount])
  }
}

/// The fixed head of an int8 copy.
struct CoarseHeader: Equatable {
  private static let magic: UInt32 = 0x3151_5643  // "CVQ1" as bytes in file order

  let space: UInt16
  let block: UInt32
  let dimension: UInt32
  let slotCount: UInt32
  /// The checksum in the header of the block that was copied.
  let vectors: UInt64
  /// XXH3-64 of the groups.
  let groups: UInt64

  init(of block: BlockHeader, groups: UInt64) {
    space = block.space
    self.block = block.block
    dimension = UInt32(block.dimension)
    slotCount = UInt32(block.slotCount)
    vectors = block.checksum
    self.groups = groups
  }

  /// Whether a block has the vectors that were copied.
  func isOf(_ block: BlockHeader) -> Bool { self == CoarseHeader(of: block, groups: groups) }

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: CoarseHeader.magic)
    bytes.append(littleEndian: space)
    bytes.append(littleEndian: UInt16(0))
    bytes.append(littleEndian: block)
    bytes.append(littleEndian: dimension)
    bytes.append(littleEndian: slotCount)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: vectors)
    bytes.append(littleEndian: groups)
    bytes.append(contentsOf: repeatElement(0, count: BlockLayout.headerByteCount - bytes.count))
    return bytes
  }

  /// nil when the value begins with no such head.
  init?(decoding value: UnsafeRawBufferPointer) {
    guard value.count >= BlockLayout.headerByteCount else { return nil }
    func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
      Number(littleEndian: value.loadUnaligned(fromByteOffset: offset, as: type))
    }
    guard number(0, UInt32.self) == CoarseHeader.magic else { return nil }
    space = number(4, UInt16.self)
    block = number(8, UInt32.self)
    dimension = number(12, UInt32.self)
    slotCount = number(16, UInt32.self)
    vectors = number(24, UInt64.self)
    groups = number(32, UInt64.self)
  }
}

/// Looks for the copies of blocks that are asked for in order.
final class CoarseReader {
  private let layout: CoarseBlockLayout
  private let cursor: Transaction.Cursor
  /// Where the cursor stands.
  private var entry: Entry?
  private var isAtEnd = false

  init(_ transaction: borrowing Transaction, of space: SpaceRecord) throws {
    layout = CoarseBlockLayout(of: space)
    cursor = try Transaction.Cursor(transaction, .coarse)
  }

  /// The groups of the copy of a block; nil when there is none of its vectors.
  func groups(of block: BlockHeader) throws -> UnsafePointer<UInt8>? {
    let key = CoarseBlockLayout.key(space: block.space, block: block.block)
    if isAtEnd { return nil }
    // The copy of the next block is usually the next entry.
    if entry != nil { entry = try cursor.next() }
    if entry.map({ !$0.key.elementsEqual(key.bytes) }) ?? true { entry = try cursor.seek(key) }
    guard let (found, value) = entry else {
      isAtEnd = true
      return nil
    }
    guard found.elementsEqual(key.bytes) else { return nil }
    return layout.groups(of: value, block)?.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}
