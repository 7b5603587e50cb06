import Faults
import Formats
import Identity
import Kernels

/// What a block of table "codes" holds.
package enum IndexBlockKind: UInt8, Sendable, CaseIterable {
  /// The rotated centres of lists, f32.
  case centres = 1
  /// Where each list begins among a segment's codes, and the end of the last: u32.
  case bounds = 2
  /// Groups of codes, as Kernels lays them out.
  case codes = 3
  /// The lists of rows, u32, in an index that is being built.
  case lists = 4
  /// Records of a graph's vertices, as Kernels lays them out.
  case vertices = 5
  /// Groups of codes of the vertices that searches of a graph begin with.
  case entries = 6
}

/// The name of one block of an index.
struct IndexBlockName: Equatable {
  let space: UInt16
  let segment: UInt32
  let kind: IndexBlockKind
  let number: UInt32

  /// What the keys of all of a segment's blocks begin with.
  static func prefix(space: UInt16, segment: UInt32) -> Key { Key().appending(space).appending(segment) }

  var key: Key {
    IndexBlockName.prefix(space: space, segment: segment).appending(kind.rawValue).appending(number)
  }
}

/// How things of one kind are cut into blocks. As blocks of vectors, they fill whole pages, and their payload lies on a
/// 64-byte boundary.
package struct IndexBlockLayout: Sendable, Equatable {
  package let kind: IndexBlockKind
  package let itemByteCount: Int
  package let itemsPerBlock: Int

  package init(_ kind: IndexBlockKind, width: Int) {
    self.kind = kind
    itemByteCount =
      switch kind {
      case .centres: width * 4
      case .bounds, .lists: 4
      case .codes, .entries: kernels_group_bytes(width)
      case .vertices: kernels_vertex_bytes(width)
      }
    itemsPerBlock = BlockLayout.payloadLimit / itemByteCount
  }

  func blockCount(itemCount: Int) -> Int { (itemCount + itemsPerBlock - 1) / itemsPerBlock }

  /// How many of `itemCount` things a block holds.
  func itemCount(ofBlock number: Int, of itemCount: Int) -> Int {
    min(itemsPerBlock, itemCount - number * itemsPerBlock)
  }

  fileprivate func valueByteCount(itemCount: Int) -> Int {
    BlockLayout.valueByteCount(payloadByteCount: itemCount * itemByteCount)
  }

  /// Writes a block: header, items, and zeros up to the value's size.
  func write(_ items: UnsafeRawBufferPointer, _ name: IndexBlockName, to transaction: borrowing Transaction)
    throws
  {
    let itemCount = items.count / itemByteCount
    precondition(items.count == itemCount * itemByteCount && itemCount <= itemsPerBlock && name.kind == kind)
    let header = IndexBlockHeader(
      name: name, itemByteCount: itemByteCount, itemCount: itemCount, checksum: checksum64(items)
    ).encoded()
    try transaction.put(.codes, name.key, byteCount: valueByteCount(itemCount: itemCount)) { target in
      target.copyBytes(from: header)
      let end = header.count + items.count
      UnsafeMutableRawBufferPointer(rebasing: target[header.count..<end]).copyMemory(from: items)
      UnsafeMutableRawBufferPointer(rebasing: target[end...]).initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// The items of a stored block, of which there must be `itemCount`.
  /// - Parameter isVerified: whether to compare the checksum.
  /// - Returns: nil when the value is not such a block.
  func items(
    of value: UnsafeRawBufferPointer, _ name: IndexBlockName, itemCount: Int, isVerified: Bool = false
  ) -> UnsafeRawBufferPointer? {
    guard let header = IndexBlockHeader(decoding: value, name: name), header.itemByteCount == itemByteCount,
      header.itemCount == itemCount, value.count == valueByteCount(itemCount: itemCount)
    else { return nil }
    let start = BlockLayout.headerByteCount
    let items = UnsafeRawBufferPointer(rebasing: value[start..<start + itemCount * itemByteCount])
    return isVerified && checksum64(items) != header.checksum ? nil : items
  }
}

/// The fixed head of a block of an index.
private struct IndexBlockHeader {
  static let magic: UInt32 = 0x3143_5643  // "CVC1" as bytes in file order

  let name: IndexBlockName
  let itemByteCount: Int
  let itemCount: Int
  /// XXH3-64 of the items.
  let checksum: UInt64

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: IndexBlockHeader.magic)
    bytes.append(littleEndian: name.space)
    bytes.append(name.kind.rawValue)
    bytes.append(0)
    bytes.append(littleEndian: name.segment)
    bytes.append(littleEndian: name.number)
    bytes.append(littleEndian: UInt32(itemByteCount))
    bytes.append(littleEndian: UInt32(itemCount))
    bytes.append(littleEndian: checksum)
    bytes.append(contentsOf: repeatElement(0, count: BlockLayout.headerByteCount - bytes.count))
    return bytes
  }
}

extension IndexBlockHeader {
  /// nil when the value is not the block of that name.
  fileprivate init?(decoding value: UnsafeRawBufferPointer, name: IndexBlockName) {
    var reader = ByteReader(value) { "a block of an index" }
    guard let magic = try? reader.number(UInt32.self), let space = try? reader.number(UInt16.self),
      let kind = try? reader.number(UInt8.self), (try? reader.number(UInt8.self)) != nil,
      let segment = try? reader.number(UInt32.self), let number = try? reader.number(UInt32.self),
      let itemByteCount = try? reader.number(UInt32.self), let itemCount = try? reader.number(UInt32.self),
      let checksum = try? reader.number(UInt64.self),
      magic == IndexBlockHeader.magic, (space, segment, number) == (name.space, name.segment, name.number),
      kind == name.kind.rawValue
    else { return nil }
    self.init(
      name: name, itemByteCount: Int(itemByteCount), itemCount: Int(itemCount), checksum: checksum)
  }
}

func damagedIndex(of space: SpaceRecord, _ problem: String) -> Fault {
  Fault(
    .badData, "the index of space \"\(space.name)\"", "is damaged: \(problem)",
    remedy: "search with --exact, and make it anew with cellvec index build")
}
