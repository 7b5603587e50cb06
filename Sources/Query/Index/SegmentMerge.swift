import Kernels
import Storage

/// Puts the codes of an index's rows, which may lie in several segments and between those of rows that left it, together
/// with those of new rows, as one segment. Codes are copied as they are.
struct SegmentMerge {
  /// Blocks of codes that one transaction takes up: 16 MiB.
  private static let blocksPerCommit = 64

  private let index: StoredIndex
  /// Rows whose codes are kept.
  private let kept: RowMask
  private let table: CentreTable
  private let fresh: SegmentWriter
  private let segments: [CodeBlocks]

  /// - Parameters:
  ///   - kept: rows of the index.
  ///   - fresh: the other rows, which get codes.
  init(of index: StoredIndex, _ table: CentreTable, keeping kept: RowSet, with fresh: SegmentWriter) {
    self.index = index
    self.kept = RowMask(kept)
    self.table = table
    self.fresh = fresh
    segments = index.segments.map { CodeBlocks(of: $0, in: index) }
  }

  /// Stores the segment's blocks, which nobody sees yet.
  /// - Parameter progress: told how many rows have got their codes; a throw ends the merge.
  /// - Throws: `badData` when the segments lack codes of rows of the index.
  func run(on writer: DatabaseWriter, segment: UInt32, progress: (Int) throws -> Void) throws {
    let rotated = UnsafeMutablePointer<Float>.allocate(capacity: table.width)
    defer { rotated.deallocate() }
    let lists = try fresh.findLists { _ in try progress(0) }
    let order = ListOrder(of: lists, listCount: table.count)
    var output = CodeOutput(IndexBlockLayout(.codes, width: table.width), blocks: Self.blocksPerCommit)
    func store(_ groups: UnsafeRawBufferPointer, _ layout: IndexBlockLayout, from block: Int) throws {
      try writer.write(durable: .withNext) {
        try $0.putIndexBlocks(groups, from: block, layout, segment: segment, of: index.space)
      }
    }
    var bounds: [UInt32] = [0]
    for list in 0..<table.count {
      for source in try sources(in: list, order) {
        if output.isFull {
          try output.flush(store)
          try progress(output.count / index.record.listsPerRow)
        }
        output.append { group, slot in
          if let stored = source.group {
            kernels_copy_code(table.width, stored, source.slot, group, slot)
          } else {
            fresh.encode(source.row, list: list, to: group, slot, rotated)
          }
        }
      }
      bounds.append(UInt32(output.count).littleEndian)
    }
    guard output.count == (kept.count + fresh.rows.count) * index.record.listsPerRow else {
      throw index.leadsAstray("it lacks codes of its rows")
    }
    try output.flush(store)
    try bounds.withUnsafeBytes { try store($0, IndexBlockLayout(.bounds, width: table.width), from: 0) }
  }

  /// A code of a list.
  private struct Source {
    let row: Row
    /// Where it is; nil where the row has none yet.
    let group: UnsafePointer<UInt8>?
    let slot: Int
  }

  /// In order of rows.
  private func sources(in list: Int, _ order: ListOrder) throws -> [Source] {
    var sources: [Source] = []
    for segment in segments {
      try segment.forEachRun(of: list) { groups, codes in
        for code in codes {
          let group = groups + code / StoredIndex.codesPerGroup * index.codeLayout.itemByteCount
          let slot = code % StoredIndex.codesPerGroup
          let row = group.row(slot, width: index.width)
          if kept.contains(row) { sources.append(Source(row: row, group: group, slot: slot)) }
        }
      }
    }
    for place in order.places(in: list) {
      sources.append(Source(row: fresh.rows[Int(place) / fresh.listsPerRow], group: nil, slot: 0))
    }
    sources.sort { $0.row < $1.row }
    return sources
  }
}

/// Groups of codes that collect in memory until they fill a transaction.
private struct CodeOutput {
  /// Codes so far.
  private(set) var count = 0

  private let layout: IndexBlockLayout
  private let capacity: Int
  /// Codes that were given to the database.
  private var stored = 0
  private var groups: [UInt8]

  init(_ layout: IndexBlockLayout, blocks: Int) {
    self.layout = layout
    capacity = blocks * layout.itemsPerBlock * StoredIndex.codesPerGroup
    groups = [UInt8](repeating: 0, count: blocks * layout.itemsPerBlock * layout.itemByteCount)
  }

  var isFull: Bool { count - stored == capacity }

  mutating func append(_ write: (_ group: UnsafeMutablePointer<UInt8>, _ slot: Int) -> Void) {
    let place = count - stored
    groups.withUnsafeMutableBufferPointer { groups in
      guard let base = groups.baseAddress else { return }
      write(
        base + place / StoredIndex.codesPerGroup * layout.itemByteCount, place % StoredIndex.codesPerGroup)
    }
    count += 1
  }

  mutating func flush(
    _ store: (_ groups: UnsafeRawBufferPointer, IndexBlockLayout, _ firstBlock: Int) throws -> Void
  ) throws {
    let perGroup = StoredIndex.codesPerGroup
    let byteCount = (count - stored + perGroup - 1) / perGroup * layout.itemByteCount
    try groups.withUnsafeBytes {
      let block = stored / (layout.itemsPerBlock * perGroup)
      try store(UnsafeRawBufferPointer(rebasing: $0[..<byteCount]), layout, block)
    }
    stored = count
    groups.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
  }
}
