import Dispatch
import Faults
import Kernels
import Storage

/// Gives the vectors of some rows their lists and codes, and stores them as one segment of an index.
struct SegmentWriter {
  /// Blocks of codes that one transaction takes up: 16 MiB.
  private static let blocksPerCommit = 64

  private let space: SpaceRecord
  private let codeSpace: CodeSpace
  private let table: CentreTable
  private let threads: Int
  let listsPerRow: Int
  /// In order.
  let rows: [Row]
  /// The vectors of the space by block; nil where it has none of `rows`.
  private let bases: [UnsafeRawPointer?]

  /// - Parameter rows: rows that have a vector.
  init(
    of rows: RowSet, in space: SpaceRecord, _ table: CentreTable, _ codeSpace: CodeSpace, listsPerRow: Int,
    threads: Int, _ snapshot: borrowing Snapshot
  ) throws {
    self.space = space
    self.table = table
    self.codeSpace = codeSpace
    self.listsPerRow = listsPerRow
    self.threads = threads
    self.rows = rows.toArray()
    bases = try snapshot.vectorBases(of: space, containing: rows)
  }

  /// Stores the segment's blocks, which nobody sees yet: the disk has them with the commit that names the segment.
  /// - Parameters:
  ///   - unfinished: what a build has begun that is gone on with, with the same rows; what it lacks is stored on the
  ///     way. nil to begin anew without leaving anything to go on with.
  ///   - progress: told how many rows have got their lists or their codes, of twice their number.
  /// - Returns: [rows, listsPerRow], the lists of each row, the nearest first.
  @discardableResult
  func run(
    on writer: DatabaseWriter, segment: UInt32, goingOnWith unfinished: UnfinishedIndex? = nil,
    _ snapshot: borrowing Snapshot, progress: (Int) throws -> Void
  ) throws -> [UInt32] {
    let (lists, wereStored) = try findLists(on: writer, goingOnWith: unfinished, snapshot, progress)
    let order = ListOrder(of: lists, listCount: table.count)
    try write(order.bounds, as: .bounds, from: 0, on: writer, segment: segment)
    let layout = IndexBlockLayout(.codes, width: table.width)
    let codesPerBlock = layout.itemsPerBlock * StoredIndex.codesPerGroup
    let codesPerCommit = Self.blocksPerCommit * codesPerBlock
    var start = 0
    if let unfinished, wereStored {
      let groups = (lists.count + StoredIndex.codesPerGroup - 1) / StoredIndex.codesPerGroup
      let blocks = try snapshot.forEachBlock(of: unfinished, in: space, layout, itemCount: groups) { _ in }
      start = min(blocks * codesPerBlock, lists.count)
    }
    while start < lists.count {
      let end = min(start + codesPerCommit, lists.count)
      let groups = encode(order, start..<end, codesPerBlock: codesPerBlock)
      try groups.withUnsafeBytes { groups in
        try writer.write(durable: .withNext) {
          try $0.putIndexBlocks(groups, from: start / codesPerBlock, layout, segment: segment, of: space)
        }
      }
      start = end
      try progress(rows.count + end / listsPerRow)
    }
    return lists
  }

  /// [rows, listsPerRow], the lists of each row, the nearest first.
  func findLists(progress: (Int) throws -> Void) throws -> [UInt32] {
    var lists = [UInt32](repeating: 0, count: rows.count * listsPerRow)
    let stretch = 16_384
    for start in stride(from: 0, to: rows.count, by: stretch) {
      let end = min(start + stretch, rows.count)
      findLists(of: start..<end, into: &lists)
      try progress(end)
    }
    return lists
  }

  /// Writes the code of a row in a list to a slot of a group.
  /// - Parameter rotated: room for [width].
  func encode(
    _ row: Row, list: Int, to group: UnsafeMutablePointer<UInt8>, _ slot: Int,
    _ rotated: UnsafeMutablePointer<Float>
  ) {
    codeSpace.rotateUnit(of: vector(of: row), space.scalar, into: rotated)
    kernels_encode(table.width, rotated, table.values + list * table.width, row, group, slot)
  }

  // MARK: Parts

  private func vector(of row: Row) -> UnsafeRawPointer {
    let perBlock = space.rowsPerBlock
    guard let base = bases[Int(row) / perBlock] else {
      preconditionFailure("a row that has a vector has a block")
    }
    return base + Int(row) % perBlock * space.vectorByteCount
  }

  /// The lists of all rows, and whether all were stored; where there is something to go on with, those that are missing
  /// are stored as they come.
  private func findLists(
    on writer: DatabaseWriter, goingOnWith unfinished: UnfinishedIndex?, _ snapshot: borrowing Snapshot,
    _ progress: (Int) throws -> Void
  ) throws -> (lists: [UInt32], wereStored: Bool) {
    guard let unfinished else { return (try findLists(progress: progress), false) }
    let layout = IndexBlockLayout(.lists, width: table.width)
    let itemCount = rows.count * listsPerRow
    var lists: [UInt32] = []
    lists.reserveCapacity(itemCount)
    try snapshot.forEachBlock(of: unfinished, in: space, layout, itemCount: itemCount) { block in
      for start in stride(from: 0, to: block.count, by: 4) {
        lists.append(UInt32(littleEndian: block.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
      }
    }
    // Only whole blocks are stored, which have both lists of a row: their items are an even number.
    var done = lists.allSatisfy { $0 < table.count } ? lists.count / listsPerRow : 0
    lists += Array(repeating: 0, count: itemCount - lists.count)
    if done == rows.count { return (lists, true) }
    let stretch = layout.itemsPerBlock / listsPerRow
    while done < rows.count {
      let end = min(done + stretch, rows.count)
      findLists(of: done..<end, into: &lists)
      try write(
        Array(lists[done * listsPerRow..<end * listsPerRow]), as: .lists,
        from: done * listsPerRow / layout.itemsPerBlock, on: writer, segment: unfinished.segment)
      done = end
      try progress(done)
    }
    return (lists, false)
  }

  private func write(
    _ numbers: [UInt32], as kind: IndexBlockKind, from block: Int, on writer: DatabaseWriter, segment: UInt32
  ) throws {
    try numbers.map(\.littleEndian).withUnsafeBytes { bytes in
      let layout = IndexBlockLayout(kind, width: table.width)
      try writer.write(durable: .withNext) {
        try $0.putIndexBlocks(bytes, from: block, layout, segment: segment, of: space)
      }
    }
  }

  private func findLists(of places: Range<Int>, into lists: inout [UInt32]) {
    let rowsPerBatch = 64
    let batches = (places.count + rowsPerBatch - 1) / rowsPerBatch
    let lanes = min(threads, batches)
    lists.withUnsafeMutableBufferPointer { lists in
      nonisolated(unsafe) let lists = lists
      withLanes(lanes) { writer, lane in
        var membership = ListMembership(writer.table, rowLimit: rowsPerBatch)
        var rotated = [Float](repeating: 0, count: rowsPerBatch * writer.table.width)
        rotated.withUnsafeMutableBufferPointer { rotated in
          guard let vectors = rotated.baseAddress, let lists = lists.baseAddress else { return }
          for batch in batches * lane / lanes..<batches * (lane + 1) / lanes {
            let first = places.lowerBound + batch * rowsPerBatch
            let count = min(rowsPerBatch, places.upperBound - first)
            for index in 0..<count {
              writer.codeSpace.rotateUnit(
                of: writer.vector(of: writer.rows[first + index]), writer.space.scalar,
                into: vectors + index * writer.table.width)
            }
            membership.find(
              of: vectors, rows: count, listsPerRow: writer.listsPerRow, lists + first * writer.listsPerRow)
          }
        }
      }
    }
  }

  /// The groups of a range of codes that begins with a block.
  private func encode(_ order: ListOrder, _ codes: Range<Int>, codesPerBlock: Int) -> [UInt8] {
    let (width, groupByteCount) = (table.width, codeSpace.groupByteCount)
    let perGroup = StoredIndex.codesPerGroup
    var groups = [UInt8](repeating: 0, count: (codes.count + perGroup - 1) / perGroup * groupByteCount)
    let blocks = (codes.count + codesPerBlock - 1) / codesPerBlock
    let lanes = min(threads, blocks)
    groups.withUnsafeMutableBufferPointer { groups in
      nonisolated(unsafe) let groups = groups
      withLanes(lanes) { writer, lane in
        var rotated = [Float](repeating: 0, count: width)
        let first = codes.lowerBound + blocks * lane / lanes * codesPerBlock
        let end = min(codes.upperBound, codes.lowerBound + blocks * (lane + 1) / lanes * codesPerBlock)
        var list = order.list(at: first)
        rotated.withUnsafeMutableBufferPointer { rotated in
          guard let vector = rotated.baseAddress, let groups = groups.baseAddress else { return }
          for code in first..<end {
            while Int(order.bounds[list + 1]) <= code { list += 1 }
            let slot = code - codes.lowerBound
            writer.encode(
              writer.rows[Int(order.positions[code]) / writer.listsPerRow], list: list,
              to: groups + slot / perGroup * groupByteCount, slot % perGroup, vector)
          }
        }
      }
    }
    return groups
  }

  /// Calls `body` once for each lane, at the same time. What it reads of the writer does not change meanwhile.
  private func withLanes(_ lanes: Int, _ body: (SegmentWriter, _ lane: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      nonisolated(unsafe) let writer = self
      DispatchQueue.concurrentPerform(iterations: lanes) { body(writer, $0) }
    }
  }
}

extension Snapshot {
  /// The vectors of a space by block; nil where none of `rows` is.
  func vectorBases(of space: SpaceRecord, containing rows: RowSet) throws -> [UnsafeRawPointer?] {
    let perBlock = space.rowsPerBlock
    var bases: [UnsafeRawPointer?] = Array(
      repeating: nil, count: rows.last.map { Int($0) / perBlock + 1 } ?? 0)
    try forEachBlock(of: space, containing: rows) { bases[Int($0.firstRow) / perBlock] = $0.base }
    return bases
  }
}
