import Faults
import Kernels
package import Storage

/// Makes or completes the index of a space.
package struct IndexBuild {
  /// Fewer rows are searched faster without an index.
  package static let leastRows = 1_000
  private static let iterations = 8
  private static let segmentLimit = 8
  /// Rows of the sample for each list.
  private static let sampleRowsPerList = 32
  /// Bytes of the rotated sample.
  private static let sampleByteLimit = 256 << 20

  /// What a build does.
  package enum Step: Sendable {
    case training
    /// Done so far, of twice the number of rows.
    case coding
    case measuring
  }

  package typealias Progress = (Step, _ done: Int, _ total: Int) throws -> Void

  package struct Summary: Sendable, Equatable {
    package let record: IndexRecord
    /// Rows that got codes.
    package let added: Int
    /// Whether centres and codes were made anew.
    package let isFresh: Bool
  }

  private let writer: DatabaseWriter
  private let space: SpaceRecord
  private let threads: Int

  package init(of space: SpaceRecord, in writer: DatabaseWriter, threads: Int) {
    self.space = space
    self.writer = writer
    self.threads = threads
  }

  /// Gives codes to rows that have none. Where the index has lost or lacks a quarter of its rows, or rows changed their
  /// vectors, it is made anew. Nobody sees it before it is complete; the next build removes what one that ended early
  /// has left. No other thread may change the space meanwhile.
  ///
  /// - Parameters:
  ///   - isFresh: make it anew in any case.
  ///   - progress: called as the build goes on; a throw ends it.
  /// - Throws: `usage` when the space has too few rows.
  package func run(
    isFresh: Bool = false, progress: Progress = { _, _, _ in }
  ) throws -> Summary {
    try writer.removeStrayIndexBlocks(of: space)
    return try writer.database.read { snapshot in
      if !isFresh, let (index, fresh) = try soundIndex(snapshot) {
        return try extend(index, by: fresh, snapshot, progress)
      }
      return try make(try snapshot.rows(in: space), snapshot, progress)
    }
  }

  /// Gives codes to rows that have none, where the space has an index that need not be made anew for that. Cheap: what
  /// adds vectors to a space ends with it.
  /// - Returns: how many rows got codes.
  @discardableResult
  package func follow() throws -> Int {
    try writer.database.read { snapshot in
      guard let (index, fresh) = try missingRows(snapshot) else { return 0 }
      return try extend(index, by: fresh, snapshot) { _, _, _ in }.added
    }
  }

  /// The same as `missingRows`; nil also for an index that is damaged.
  private func soundIndex(_ snapshot: borrowing Snapshot) throws -> (StoredIndex, RowSet)? {
    do {
      return try missingRows(snapshot)
    } catch let fault as Fault where fault.kind == .badData {
      return nil
    }
  }

  /// The index and the rows that it lacks; nil when there is none, or it has to be made anew.
  private func missingRows(_ snapshot: borrowing Snapshot) throws -> (StoredIndex, RowSet)? {
    guard let index = try snapshot.index(of: space) else { return nil }
    let indexed = try snapshot.indexedRows(in: space)
    let missing = try snapshot.rows(in: space).subtracting(indexed)
    let first = index.record.segments[0].rowCount
    let lost = index.rowCount - indexed.count
    guard index.rowCount - first + missing.count + lost <= first / 4,
      try missing.isEmpty || missing.intersection(index.codedRows()).isEmpty
    else { return nil }
    return (index, missing)
  }

  private func extend(
    _ index: StoredIndex, by rows: RowSet, _ snapshot: borrowing Snapshot, _ progress: Progress
  ) throws -> Summary {
    if rows.isEmpty { return Summary(record: index.record, added: 0, isFresh: false) }
    let segment = try writer.removeStrayIndexBlocks(of: space)
    var indexed = try snapshot.indexedRows(in: space)
    var record = index.record
    var members = rows
    if record.segments.count >= Self.segmentLimit {
      // The later segments become one with the new rows, so that a list stays in few places.
      members.formUnion(indexed.subtracting(try index.codedRows(inFirst: 1)))
      record.segments.removeLast(record.segments.count - 1)
    }
    try writeSegment(segment, of: members, try CentreTable(of: index), index.codeSpace, snapshot, progress)
    record.segments.append(.init(number: segment, rowCount: members.count))
    indexed.formUnion(rows)
    try writer.write { try $0.setIndex(record, of: space, rows: indexed) }
    return Summary(record: record, added: rows.count, isFresh: false)
  }

  private func make(
    _ rows: RowSet, _ snapshot: borrowing Snapshot, _ progress: Progress
  ) throws -> Summary {
    guard rows.count >= Self.leastRows else {
      throw Fault(
        .usage, "space \"\(space.name)\"", expected: "at least \(Self.leastRows) vectors for an index",
        found: "\(rows.count)", remedy: "search without one, which is fast for so few")
    }
    let segment = try writer.removeStrayIndexBlocks(of: space)
    let seed: UInt64 = 0
    let codeSpace = CodeSpace(dimension: space.dimension, seed: seed)
    let listCount = Self.listCount(rows: rows.count)
    let centres = try trainedCentres(of: rows, listCount: listCount, codeSpace, snapshot, progress)
    try centres.withUnsafeBytes { centres in
      let layout = IndexBlockLayout(.centres, width: codeSpace.width)
      try writer.write { try $0.putIndexBlocks(centres, from: 0, layout, segment: segment, of: space) }
    }
    let table = CentreTable(centres, width: codeSpace.width)
    try writeSegment(segment, of: rows, table, codeSpace, snapshot, progress)
    var record = IndexRecord(
      dimension: space.dimension, seed: seed, listCount: listCount, centres: segment,
      segments: [.init(number: segment, rowCount: rows.count)])
    try progress(.measuring, 0, 1)
    // The blocks are in the database, but not in this snapshot.
    record.calibrations = try writer.database.read {
      try IndexMeasurement(of: $0.index(record, of: space), table, rows: rows, threads: threads, $0)
        .calibrations()
    }
    try progress(.measuring, 1, 1)
    try writer.write { try $0.setIndex(record, of: space, rows: rows) }
    // The blocks of the index before.
    try writer.removeStrayIndexBlocks(of: space)
    return Summary(record: record, added: rows.count, isFresh: true)
  }

  /// Four times the square root: so many centres are compared about as fast as the lists that are then scanned.
  static func listCount(rows: Int) -> Int {
    max(1, min(rows / 32, Int(4 * Double(rows).squareRoot())))
  }

  private func trainedCentres(
    of rows: RowSet, listCount: Int, _ codeSpace: CodeSpace, _ snapshot: borrowing Snapshot,
    _ progress: Progress
  ) throws -> [Float] {
    let all = rows.toArray()
    let width = codeSpace.width
    let limit = max(listCount, Self.sampleByteLimit / (4 * width))
    let count = min(all.count, listCount * Self.sampleRowsPerList, limit)
    let chosen = RowSet((0..<count).map { all[$0 * all.count / count] })
    var sample = [Float](repeating: 0, count: count * width)
    var filled = 0
    try sample.withUnsafeMutableBufferPointer { sample in
      guard let target = sample.baseAddress else { return }
      try snapshot.forEachBlock(of: space, containing: chosen) { block in
        for row in block.rows {
          codeSpace.rotateUnit(of: block.location(of: row), space.scalar, into: target + filled * width)
          filled += 1
        }
      }
    }
    var done = 0
    try progress(.training, 0, Self.iterations)
    return try ListTraining(width: width, listCount: listCount, threads: threads)
      .centres(of: sample, iterations: Self.iterations) {
        done += 1
        try progress(.training, done, Self.iterations)
      }
  }

  private func writeSegment(
    _ segment: UInt32, of rows: RowSet, _ table: CentreTable, _ codeSpace: CodeSpace,
    _ snapshot: borrowing Snapshot, _ progress: (Step, Int, Int) throws -> Void
  ) throws {
    try SegmentWriter(of: rows, in: space, table, codeSpace, threads: threads, snapshot)
      .run(on: writer, segment: segment) { try progress(.coding, $0, 2 * rows.count) }
  }
}
