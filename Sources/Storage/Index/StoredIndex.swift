package import Faults

/// A space's index in the memory map, with the vectors that it leads to. Valid as long as its snapshot; threads may
/// share it.
package struct StoredIndex: Sendable {
  /// Codes of one segment, in order of lists and of rows within them. The lists follow one another without a gap, so
  /// that a group may hold codes of several.
  package struct Segment: Sendable {
    fileprivate let number: UInt32
    /// Every row once.
    package let rowCount: Int
    /// Codes of list l are bounds[l]..<bounds[l + 1]; ascending.
    package let bounds: [UInt32]
    package var codeCount: Int { bounds.last.map { Int($0) } ?? 0 }
    fileprivate var groupCount: Int { (codeCount + codesPerGroup - 1) / codesPerGroup }
    package func blockCount(_ layout: IndexBlockLayout) -> Int { layout.blockCount(itemCount: groupCount) }
  }

  package static let codesPerGroup = 32

  package let space: SpaceRecord
  package let record: IndexRecord
  package let codeSpace: CodeSpace
  package let segments: [Segment]
  package let codeLayout: IndexBlockLayout
  /// One more than the highest row that was ever given out.
  package let rowLimit: Row
  let reader: RecordReader
  let vectorLayout: BlockLayout

  /// - Throws: `badData` when blocks are missing or contradict one another.
  init(_ record: IndexRecord, of space: SpaceRecord, rowLimit: Row, _ reader: RecordReader) throws {
    self.space = space
    self.record = record
    self.rowLimit = rowLimit
    self.reader = reader
    codeSpace = CodeSpace(dimension: record.dimension, seed: record.seed)
    codeLayout = IndexBlockLayout(.codes, width: codeSpace.width)
    vectorLayout = BlockLayout(of: space)
    let layout = IndexBlockLayout(.bounds, width: codeSpace.width)
    segments = try record.segments.map { segment in
      var bounds: [UInt32] = []
      let count = record.listCount + 1
      for number in 0..<layout.blockCount(itemCount: count) {
        let name = IndexBlockName(
          space: space.id, segment: segment.number, kind: .bounds, number: UInt32(number))
        let size = layout.itemCount(ofBlock: number, of: count)
        guard let value = try reader.value(.codes, name.key),
          let items = layout.items(of: value, name, itemCount: size)
        else { throw damagedIndex(of: space, "the bounds of lists in segment \(segment.number) are missing") }
        for index in 0..<size {
          bounds.append(UInt32(littleEndian: items.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
        }
      }
      guard bounds.first == 0, Int(bounds[record.listCount]) == segment.rowCount * record.listsPerRow,
        zip(bounds, bounds.dropFirst()).allSatisfy({ $0 <= $1 })
      else { throw damagedIndex(of: space, "the bounds of lists in segment \(segment.number) do not ascend") }
      return Segment(number: segment.number, rowCount: segment.rowCount, bounds: bounds)
    }
  }

  package var width: Int { codeSpace.width }
  package var rowCount: Int { segments.reduce(0) { $0 + $1.rowCount } }

  /// Calls `body` with the rotated centres of the lists, [count, width], in runs.
  package func forEachRunOfCentres(
    _ body: (_ firstList: Int, _ count: Int, UnsafePointer<Float>) throws -> Void
  ) throws {
    let layout = IndexBlockLayout(.centres, width: width)
    for number in 0..<layout.blockCount(itemCount: record.listCount) {
      let name = IndexBlockName(
        space: space.id, segment: record.centres, kind: .centres, number: UInt32(number))
      let size = layout.itemCount(ofBlock: number, of: record.listCount)
      guard let value = try reader.value(.codes, name.key),
        let base = layout.items(of: value, name, itemCount: size)?.baseAddress
      else { throw damagedIndex(of: space, "centres of lists are missing") }
      fetch(UnsafeRawBufferPointer(start: base, count: size * layout.itemByteCount))
      try body(number * layout.itemsPerBlock, size, base.assumingMemoryBound(to: Float.self))
    }
  }

  /// Every row that has a code, whether it is in the index still or not.
  package func codedRows() throws -> RowSet {
    var rows: [Row] = []
    for segment in segments {
      for block in 0..<segment.blockCount(codeLayout) {
        let groups = UnsafeRawPointer(try codes(ofBlock: block, in: segment))
        let first = block * codeLayout.itemsPerBlock * StoredIndex.codesPerGroup
        let end = min(segment.codeCount, first + codeLayout.itemsPerBlock * StoredIndex.codesPerGroup)
        for code in first..<end {
          let (group, slot) = ((code - first) / StoredIndex.codesPerGroup, code % StoredIndex.codesPerGroup)
          rows.append(
            Row(
              littleEndian: groups.loadUnaligned(
                fromByteOffset: group * codeLayout.itemByteCount + 4 * width + 256 + 4 * slot, as: Row.self)))
        }
      }
    }
    return RowSet(rows)
  }

  /// The groups of a block of a segment's codes.
  package func codes(ofBlock number: Int, in segment: Segment) throws -> UnsafePointer<UInt8> {
    guard let base = try codes(ofBlock: number, in: segment, isVerified: false)?.baseAddress else {
      throw damagedIndex(of: space, "block \(number) of segment \(segment.number) is missing")
    }
    return base.assumingMemoryBound(to: UInt8.self)
  }

  /// The same; nil when it is missing or, if it is to be verified, does not match its checksum.
  func codes(ofBlock number: Int, in segment: Segment, isVerified: Bool) throws -> UnsafeRawBufferPointer? {
    let name = IndexBlockName(
      space: space.id, segment: segment.number, kind: .codes, number: UInt32(number))
    let size = codeLayout.itemCount(ofBlock: number, of: segment.groupCount)
    return try reader.value(.codes, name.key).flatMap {
      codeLayout.items(of: $0, name, itemCount: size, isVerified: isVerified)
    }
  }

  /// The fault of an index that leads to what is not there.
  package func leadsAstray(_ problem: String) -> Fault { damagedIndex(of: space, problem) }

  /// The vectors of a block, [slots, dimension] numbers of the space's scalar type.
  /// - Throws: `badData` when the space has no such block.
  package func vectors(ofBlock number: Int) throws -> UnsafeRawBufferPointer {
    guard let vectors = try reader.vectors(ofBlock: number, of: space, vectorLayout) else {
      throw damagedIndex(of: space, "it leads to block \(number) of the vectors, which is missing")
    }
    return vectors
  }
}

/// Reads values of tables without seals in a snapshot's pages. Threads may share it.
struct RecordReader: Sendable {
  private let trees: TableTrees

  init(_ trees: TableTrees) { self.trees = trees }

  func value(_ table: Table, _ key: Key) throws -> UnsafeRawBufferPointer? {
    precondition(!table.isSealed)
    return try key.bytes.withUnsafeBytes { try trees.borrowed.find($0, in: table)?.bytes }
  }

  /// The vectors of a block, [slots, dimension] numbers of the space's scalar type; nil when it is missing.
  func vectors(
    ofBlock number: Int, of space: SpaceRecord, _ layout: BlockLayout
  ) throws -> UnsafeRawBufferPointer? {
    try value(.vectors, Key().appending(space.id).appending(UInt32(number))).map {
      try StoredBlock(decoding: $0, space: space.id, block: UInt32(number), layout).payload
    }
  }
}

extension Snapshot {
  /// The record of a space's index; nil when the space has none.
  package func indexRecord(of space: SpaceRecord) throws -> IndexRecord? {
    try transaction.get(.indexes, IndexRecord.key(of: space.id)).map {
      try IndexRecord(decoding: $0, space: space)
    }
  }

  package func hasIndex(_ space: SpaceRecord) throws -> Bool {
    try transaction.get(.indexes, IndexRecord.key(of: space.id)) != nil
  }

  /// The space's index; nil when the space has none.
  /// - Complexity: O(lists), whatever the number of rows.
  package func index(of space: SpaceRecord) throws -> StoredIndex? {
    try indexRecord(of: space).map { try index($0, of: space) }
  }

  /// An index of which the blocks are stored.
  package func index(_ record: IndexRecord, of space: SpaceRecord) throws -> StoredIndex {
    guard let trees = transaction.trees else { preconditionFailure("an index is read in a snapshot") }
    return try StoredIndex(record, of: space, rowLimit: rowLimit(), RecordReader(trees))
  }

  /// Cells whose vector in the space is in its index as it was when that was built.
  package func indexedRows(in space: SpaceRecord) throws -> RowSet {
    try transaction.rowSet(.indexed(space: space.id))
  }

  /// Bytes of the keys and values of segments of a space's index or graph.
  package func indexByteCount(of space: SpaceRecord, segments: [UInt32]) throws -> Int {
    var byteCount = 0
    for segment in segments {
      try transaction.forEach(.codes, prefix: IndexBlockName.prefix(space: space.id, segment: segment)) {
        byteCount += $0.count + $1.count
      }
    }
    return byteCount
  }
}
