import Faults
import Formats
import Identity

/// How the vectors of one space are cut into blocks. Layout: schema/store.md, "vectors".
///
/// LMDB puts a value that does not fit a page on pages of its own, 16 bytes behind their start. A value of
/// k pages less 16 bytes fills them exactly, and a header of 48 bytes puts the payload on a 64-byte boundary.
struct BlockLayout: Equatable {
  static let pageByteCount = 4096
  static let pageOverhead = 16
  static let headerByteCount = 48
  /// Pages of a full block: 256 KiB hold 170 vectors of 384 float32.
  static let fullPageCount = 64

  /// Bytes that a full block holds behind its header.
  static let payloadLimit = fullPageCount * pageByteCount - pageOverhead - headerByteCount

  let dimension: Int
  let scalar: ScalarType
  let rowsPerBlock: Int

  init(of space: SpaceRecord) { self.init(dimension: space.dimension, scalar: space.scalar) }

  init(dimension: Int, scalar: ScalarType = .float32) {
    precondition((1...SpaceRecord.dimensionLimit).contains(dimension))
    self.dimension = dimension
    self.scalar = scalar
    rowsPerBlock = BlockLayout.payloadLimit / scalar.byteCount(dimension: dimension)
  }

  var vectorByteCount: Int { scalar.byteCount(dimension: dimension) }

  func block(of row: Row) -> UInt32 { row / UInt32(rowsPerBlock) }
  func slot(of row: Row) -> Int { Int(row) % rowsPerBlock }
  func firstRow(of block: UInt32) -> Row { block * UInt32(rowsPerBlock) }

  /// The rows of a block. The last of all blocks ends with the largest row that can be given out.
  func rows(of block: UInt32) -> Range<Row> {
    let first = firstRow(of: block)
    return first..<first + min(Row(rowsPerBlock), .max - first)
  }

  /// Bytes of the value of a block of which the first `slotCount` slots are in use.
  func valueByteCount(slotCount: Int) -> Int {
    BlockLayout.valueByteCount(payloadByteCount: slotCount * vectorByteCount)
  }

  /// Bytes of the value of a block: the smallest power of two of pages that holds header and payload, so that the
  /// growing last block leaves runs that others can use again.
  static func valueByteCount(payloadByteCount: Int) -> Int {
    let needed = BlockLayout.pageOverhead + BlockLayout.headerByteCount + payloadByteCount
    var pages = 1
    while pages * BlockLayout.pageByteCount < needed { pages *= 2 }
    return pages * BlockLayout.pageByteCount - BlockLayout.pageOverhead
  }
}

/// The fixed head of a block of vectors.
struct BlockHeader: Equatable {
  static let magic: UInt32 = 0x3142_5643  // "CVB1" as bytes in file order
  let space: UInt16
  let scalar: ScalarType
  let block: UInt32
  let dimension: Int
  let rowsPerBlock: Int
  /// One more than the highest slot in use; slots above hold zeros.
  let slotCount: Int
  /// XXH3-64 of the payload up to `slotCount`.
  let checksum: UInt64

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: BlockHeader.magic)
    bytes.append(littleEndian: space)
    bytes.append(scalar.code)
    bytes.append(0)
    bytes.append(littleEndian: block)
    bytes.append(littleEndian: UInt32(dimension))
    bytes.append(littleEndian: UInt32(rowsPerBlock))
    bytes.append(littleEndian: UInt32(slotCount))
    bytes.append(littleEndian: checksum)
    bytes.append(contentsOf: repeatElement(0, count: BlockLayout.headerByteCount - bytes.count))
    return bytes
  }

  /// Reads and validates the header of a stored block against what its key and space promise.
  init(decoding value: UnsafeRawBufferPointer, space: UInt16, block: UInt32, layout: BlockLayout) throws {
    func damaged(_ problem: String) -> Fault {
      Fault(
        .badData, "block \(block) of space \(space)", "is damaged: \(problem)", remedy: "run cellvec check")
    }
    guard value.count >= BlockLayout.headerByteCount else {
      throw damaged("it has \(value.count) bytes, and its header \(BlockLayout.headerByteCount)")
    }
    // Read in place: a scan does this for each block.
    func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
      Number(littleEndian: value.loadUnaligned(fromByteOffset: offset, as: type))
    }
    self.space = number(4, UInt16.self)
    self.block = number(8, UInt32.self)
    dimension = Int(number(12, UInt32.self))
    rowsPerBlock = Int(number(16, UInt32.self))
    slotCount = Int(number(20, UInt32.self))
    checksum = number(24, UInt64.self)
    let code = number(6, UInt8.self)
    guard let scalar = ScalarType(code: code), scalar == layout.scalar else {
      let found = ScalarType(code: code)?.rawValue ?? "numbers of the unknown type \(code)"
      throw damaged("it holds \(found), and its space \(layout.scalar.rawValue)")
    }
    self.scalar = scalar
    guard
      number(0, UInt32.self) == BlockHeader.magic, self.space == space, self.block == block,
      dimension == layout.dimension, rowsPerBlock == layout.rowsPerBlock, slotCount <= rowsPerBlock,
      UInt64(block) * UInt64(rowsPerBlock) + UInt64(slotCount) <= UInt64(Row.max),
      value.count == layout.valueByteCount(slotCount: slotCount)
    else { throw damaged("its header does not fit its place") }
  }

  init(space: UInt16, block: UInt32, layout: BlockLayout, slotCount: Int, checksum: UInt64) {
    self.space = space
    scalar = layout.scalar
    self.block = block
    dimension = layout.dimension
    rowsPerBlock = layout.rowsPerBlock
    self.slotCount = slotCount
    self.checksum = checksum
  }
}

extension UnsafeRawBufferPointer {
  /// The vectors of a block's value, `slotCount` of them.
  func payload(_ layout: BlockLayout, slotCount: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: self[
        BlockLayout.headerByteCount..<BlockLayout.headerByteCount + slotCount * layout.vectorByteCount])
  }
}
