import Dispatch
import Kernels
import Storage

/// Gives the vectors of some rows their codes, and stores them as one segment of an index.
struct SegmentWriter {
  /// Blocks of codes that one transaction takes up: 16 MiB.
  private static let blocksPerCommit = 64

  private let space: SpaceRecord
  private let codeSpace: CodeSpace
  private let table: CentreTable
  private let threads: Int
  /// In order.
  private let rows: [Row]
  /// The vectors of the space by block; nil where it has none of `rows`.
  private let bases: [UnsafeRawPointer?]

  /// - Parameter rows: rows that have a vector.
  init(
    of rows: RowSet, in space: SpaceRecord, _ table: CentreTable, _ codeSpace: CodeSpace, threads: Int,
    _ snapshot: borrowing Snapshot
  ) throws {
    self.space = space
    self.table = table
    self.codeSpace = codeSpace
    self.threads = threads
    self.rows = rows.toArray()
    bases = try snapshot.vectorBases(of: space, containing: rows)
  }

  /// Stores the segment's blocks, which nobody sees yet.
  /// - Parameter progress: told how many rows have been assigned to a list or given a code, of twice their number.
  func run(on writer: DatabaseWriter, segment: UInt32, progress: (Int) throws -> Void) throws {
    let order = ListOrder(of: try nearestLists(progress), listCount: table.count)
    let bounds = order.bounds.map(\.littleEndian)
    try bounds.withUnsafeBytes { bounds in
      let layout = IndexBlockLayout(.bounds, width: table.width)
      try writer.write { try $0.putIndexBlocks(bounds, from: 0, layout, segment: segment, of: space) }
    }
    let layout = IndexBlockLayout(.codes, width: table.width)
    let codesPerBlock = layout.itemsPerBlock * StoredIndex.codesPerGroup
    let codesPerCommit = Self.blocksPerCommit * codesPerBlock
    for start in stride(from: 0, to: rows.count, by: codesPerCommit) {
      let end = min(start + codesPerCommit, rows.count)
      let groups = encode(order, start..<end, codesPerBlock: codesPerBlock)
      try groups.withUnsafeBytes { groups in
        try writer.write {
          try $0.putIndexBlocks(groups, from: start / codesPerBlock, layout, segment: segment, of: space)
        }
      }
      try progress(rows.count + end)
    }
  }

  // MARK: Parts

  private func vector(of row: Row) -> UnsafeRawPointer {
    let perBlock = space.vectorsPerBlock
    guard let base = bases[Int(row) / perBlock] else {
      preconditionFailure("a row that has a vector has a block")
    }
    return base + Int(row) % perBlock * space.dimension * space.scalar.byteCount
  }

  private func nearestLists(_ progress: (Int) throws -> Void) throws -> [UInt32] {
    let rowsPerBatch = 64
    /// Rows between two reports of progress.
    let stretch = 16_384
    var lists = [UInt32](repeating: 0, count: rows.count)
    for start in stride(from: 0, to: rows.count, by: stretch) {
      let rowCount = min(stretch, rows.count - start)
      let batches = (rowCount + rowsPerBatch - 1) / rowsPerBatch
      let lanes = min(threads, batches)
      lists.withUnsafeMutableBufferPointer { lists in
        nonisolated(unsafe) let lists = lists
        withLanes(lanes) { writer, lane in
          var assignment = ListAssignment(writer.table, rowLimit: rowsPerBatch)
          var rotated = [Float](repeating: 0, count: rowsPerBatch * writer.table.width)
          rotated.withUnsafeMutableBufferPointer { rotated in
            guard let vectors = rotated.baseAddress, let lists = lists.baseAddress else { return }
            for batch in batches * lane / lanes..<batches * (lane + 1) / lanes {
              let first = start + batch * rowsPerBatch
              let count = min(rowsPerBatch, start + rowCount - first)
              for index in 0..<count {
                writer.codeSpace.rotateUnit(
                  of: writer.vector(of: writer.rows[first + index]), writer.space.scalar,
                  into: vectors + index * writer.table.width)
              }
              assignment.assign(vectors, rows: count, lists + first)
            }
          }
        }
      }
      try progress(start + rowCount)
    }
    return lists
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
            let row = writer.rows[Int(order.positions[code])]
            writer.codeSpace.rotateUnit(of: writer.vector(of: row), writer.space.scalar, into: vector)
            let slot = code - codes.lowerBound
            kernels_encode(
              width, vector, writer.table.values + list * width, row,
              groups + slot / perGroup * groupByteCount, slot % perGroup)
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

extension ListOrder {
  /// The list that a position in the order belongs to.
  fileprivate func list(at position: Int) -> Int {
    var (low, high) = (0, bounds.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(bounds[middle]) <= position { low = middle } else { high = middle }
    }
    return low
  }
}

extension Snapshot {
  /// The vectors of a space by block; nil where none of `rows` is.
  func vectorBases(of space: SpaceRecord, containing rows: RowSet) throws -> [UnsafeRawPointer?] {
    let perBlock = space.vectorsPerBlock
    var bases: [UnsafeRawPointer?] = Array(
      repeating: nil, count: rows.last.map { Int($0) / perBlock + 1 } ?? 0)
    try forEachBlock(of: space, containing: rows) { bases[Int($0.firstRow) / perBlock] = $0.base }
    return bases
  }
}
