import Glibc
import Kernels
import Storage

/// The codes of rows that are looked for, of a list's segments together, copied when the list is first met: searches for
/// some of the rows scan codes of no others. One for each thread.
final class PackedLists {
  /// A list's codes from the first slot of the first group on.
  struct Codes {
    let groups: UnsafePointer<UInt8>?
    let count: Int
    /// Codes of all rows of the list.
    let total: Int
  }

  /// Shares of the index's rows from which on codes of the others are passed over one by one, and not packed away.
  static let leastShare = 0.9

  /// Bytes of the copies of all threads of a search, beyond which each forgets its share and makes copies again as it
  /// meets lists.
  private static let searchByteLimit = 256 << 20

  private let byteLimit: Int
  private let index: StoredIndex
  private let segments: [CodeBlocks]
  private let wanted: RowMask
  private var lists: [Codes?]
  private var byteCount = 0

  /// - Parameter lanes: threads of the search.
  init(of segments: [CodeBlocks], in index: StoredIndex, wanted: RowMask, lanes: Int) {
    byteLimit = Self.searchByteLimit / max(1, lanes)
    self.index = index
    self.segments = segments
    self.wanted = wanted
    lists = Array(repeating: nil, count: index.record.listCount)
  }

  deinit { forget() }

  func codes(of list: Int) throws -> Codes {
    if let known = lists[list] { return known }
    if byteCount > byteLimit { forget() }
    let codes = try pack(list)
    lists[list] = codes
    return codes
  }

  /// The codes of a list, if it was met already.
  func known(_ list: Int) -> Codes? { lists[list] }

  private func forget() {
    for place in lists.indices {
      lists[place]?.groups?.deallocate()
      lists[place] = nil
    }
    byteCount = 0
  }

  private func pack(_ list: Int) throws -> Codes {
    let groupByteCount = index.codeLayout.itemByteCount
    var found: [(group: UnsafePointer<UInt8>, slot: Int)] = []
    var total = 0
    for segment in segments {
      try segment.forEachRun(of: list) { groups, codes in
        total += codes.count
        for code in codes {
          let group = groups + code / StoredIndex.codesPerGroup * groupByteCount
          let slot = code % StoredIndex.codesPerGroup
          if wanted.contains(group.row(slot, width: index.width)) { found.append((group, slot)) }
        }
      }
    }
    if found.isEmpty { return Codes(groups: nil, count: 0, total: total) }
    let groupCount = (found.count + StoredIndex.codesPerGroup - 1) / StoredIndex.codesPerGroup
    byteCount += groupCount * groupByteCount
    let target = UnsafeMutableRawPointer.allocate(byteCount: groupCount * groupByteCount, alignment: 64)
      .initializeMemory(as: UInt8.self, repeating: 0, count: groupCount * groupByteCount)
    for (place, source) in found.enumerated() {
      kernels_copy_code(
        index.width, source.group, source.slot,
        target + place / StoredIndex.codesPerGroup * groupByteCount, place % StoredIndex.codesPerGroup)
    }
    return Codes(groups: UnsafePointer(target), count: found.count, total: total)
  }
}

/// Blocks of a segment's codes that a thread has met.
final class CodeBlocks {
  let bounds: UnsafePointer<UInt32>
  let codesPerBlock: Int
  private let index: StoredIndex
  private let segment: StoredIndex.Segment
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>

  init(of segment: StoredIndex.Segment, in index: StoredIndex) {
    self.index = index
    self.segment = segment
    codesPerBlock = index.codeLayout.itemsPerBlock * StoredIndex.codesPerGroup
    let bounds = UnsafeMutablePointer<UInt32>.allocate(capacity: segment.bounds.count)
    bounds.initialize(from: segment.bounds, count: segment.bounds.count)
    self.bounds = UnsafePointer(bounds)
    let count = segment.blockCount(index.codeLayout)
    blocks = .allocate(capacity: count)
    blocks.initialize(repeating: nil, count: count)
  }

  deinit {
    bounds.deallocate()
    blocks.deallocate()
  }

  /// Calls `body` with the groups of each block that has codes of a list, and which of the block's codes they are.
  @inline(__always)
  func forEachRun(
    of list: Int, _ body: (_ groups: UnsafePointer<UInt8>, _ codes: Range<Int>) throws -> Void
  ) throws {
    var first = Int(bounds[list])
    let end = Int(bounds[list + 1])
    while first < end {
      let start = first / codesPerBlock * codesPerBlock
      let stop = min(end, start + codesPerBlock)
      try body(groups(ofBlock: first / codesPerBlock), first - start..<stop - start)
      first = stop
    }
  }

  /// The group with the first code of a list, where its block was met already.
  func firstGroup(of list: Int) -> UnsafePointer<UInt8>? {
    let first = Int(bounds[list])
    guard first < Int(bounds[list + 1]), let groups = blocks[first / codesPerBlock] else { return nil }
    return groups + first % codesPerBlock / StoredIndex.codesPerGroup * index.codeLayout.itemByteCount
  }

  private func groups(ofBlock block: Int) throws -> UnsafePointer<UInt8> {
    if let known = blocks[block] { return known }
    let groups = try index.codes(ofBlock: block, in: segment)
    blocks[block] = groups
    return groups
  }
}

extension UnsafePointer<UInt8> {
  /// The row of a slot of a group of codes.
  func row(_ slot: Int, width: Int) -> Row {
    Row(
      littleEndian: UnsafeRawPointer(self).loadUnaligned(
        fromByteOffset: 4 * width + 256 + 4 * slot, as: Row.self))
  }
}
