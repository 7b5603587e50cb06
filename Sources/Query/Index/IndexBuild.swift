import Faults
import Kernels
package import Storage

/// Makes or completes the index of a space.
package struct IndexBuild {
  /// Fewer rows are searched faster without an index.
  package static let leastRows = 1_000
  static let adviceOnTooFew =
    "search without one, which is fast for so few; cellvec index drop removes one that is there"
  private static let iterations = 5
  private static let segmentLimit = 8
  /// Rows of the sample for each list.
  private static let sampleRowsPerList = 32
  /// Bytes of the rotated sample.
  private static let sampleByteLimit = 256 << 20

  /// What a build does.
  package enum Step: Sendable {
    case training, coding, measuring
  }

  /// - Parameters:
  ///   - done: work so far, of `total` in all; neither is a number of anything, but they go with time.
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

  /// Gives codes to rows that have none. Where searches were not measured as they are now, there are more than twice or less than half of the rows that it was made
  /// of, or more than a third came later, the index is made anew. Nobody sees it before it is complete. What was stored
  /// of an index by a build that ended early is gone on with, if no vector of it has changed. No other thread may change
  /// the space meanwhile.
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
      if !isFresh, try snapshot.unfinishedIndex(of: space) == nil,
        let summary = try completed(snapshot, progress)
      {
        return summary
      }
      return try make(snapshot, progress)
    }
  }

  /// Gives codes to rows that have none, where the space has an index, and puts what is left of it together where much
  /// is gone. Cheap: what changes the vectors of a space ends with it. A damaged index is left to `check` and searches to
  /// tell of: what was changed is safe without it.
  /// - Returns: how many rows got codes.
  @discardableResult
  package func follow() throws -> Int {
    do {
      return try writer.database.read { snapshot in
        guard let index = try snapshot.index(of: space) else { return 0 }
        return try takeUp(index, snapshot) { _, _, _ in }.added
      }
    } catch let fault as Fault where fault.kind == .badData {
      return 0
    }
  }

  /// The index brought up to date; nil when there is none, it is damaged, or it had better be made anew.
  private func completed(_ snapshot: borrowing Snapshot, _ progress: Progress) throws -> Summary? {
    do {
      guard let index = try snapshot.index(of: space) else { return nil }
      let present = try snapshot.rows(in: space)
      let fitting = Double(Self.listCount(rows: present.count))
      let ratio = fitting / Double(index.record.listCount)
      let late = index.record.lateRowCount + present.subtracting(try snapshot.indexedRows(in: space)).count
      // Once, searches were not measured so that queries unlike rows find enough.
      let isMeasured = index.record.calibrations.allSatisfy { $0.reaches.contains { $0.farReach != nil } }
      guard present.count >= Self.leastRows, isMeasured, (0.7...1.45).contains(ratio),
        late * 3 <= present.count
      else { return nil }
      return try takeUp(index, snapshot, progress)
    } catch let fault as Fault where fault.kind == .badData {
      return nil
    }
  }

  /// Gives codes to rows that the index lacks. Few get a segment of their own; with more, or where many codes have lost
  /// their rows, all that is of use becomes one segment.
  private func takeUp(
    _ index: StoredIndex, _ snapshot: borrowing Snapshot, _ progress: Progress
  ) throws -> Summary {
    let indexed = try snapshot.indexedRows(in: space)
    let missing = try snapshot.rows(in: space).subtracting(indexed)
    let first = index.segments[0].rowCount
    let lost = index.rowCount - indexed.count
    let later = index.rowCount - first + missing.count
    // A row may have a code of what it was: then it must go before the row gets another one.
    var record = index.record
    let perhapsCoded = missing.intersection(RowSet(0..<record.codedRowLimit))
    let hasStale =
      try !perhapsCoded.isEmpty && lost > 0 && !perhapsCoded.intersection(index.codedRows()).isEmpty
    let isMerged =
      lost * 16 > first || hasStale
      || !missing.isEmpty && (later * 32 > first || record.segments.count >= Self.segmentLimit)
    var all = indexed
    all.formUnion(missing)
    guard isMerged || !missing.isEmpty, !all.isEmpty else {
      return Summary(record: record, added: 0, isFresh: false)
    }
    let segment = try writer.removeStrayIndexBlocks(of: space)
    let table = try CentreTable(of: index)
    let fresh = try SegmentWriter(
      of: missing, in: space, table, index.codeSpace, listsPerRow: record.listsPerRow, threads: threads,
      snapshot)
    if isMerged {
      try SegmentMerge(of: index, table, keeping: indexed, with: fresh).run(on: writer, segment: segment) {
        try progress(.coding, $0, all.count)
      }
      record.segments = [.init(number: segment, rowCount: all.count)]
    } else {
      try fresh.run(on: writer, segment: segment, snapshot) { try progress(.coding, $0, 2 * missing.count) }
      record.segments.append(.init(number: segment, rowCount: missing.count))
    }
    record.lateRowCount += missing.count
    let limit = all.last.map { $0 + 1 } ?? 0
    record.codedRowLimit = isMerged ? limit : max(record.codedRowLimit, limit)
    try writer.write { try $0.setIndex(record, of: space, rows: all) }
    // The segments before.
    if isMerged { try writer.removeStrayIndexBlocks(of: space) }
    return Summary(record: record, added: missing.count, isFresh: false)
  }

  private func make(_ snapshot: borrowing Snapshot, _ progress: Progress) throws -> Summary {
    let present = try snapshot.rows(in: space)
    guard present.count >= Self.leastRows else {
      throw Fault(
        .usage, "space \"\(space.name)\"", expected: "at least \(Self.leastRows) vectors for an index",
        found: "\(present.count)", remedy: Self.adviceOnTooFew)
    }
    let (begun, centres) = try self.begun(present, snapshot, progress)
    let rows = present.intersection(RowSet(0..<begun.rowLimit))
    let codeSpace = CodeSpace(dimension: begun.dimension, seed: begun.seed)
    let table = CentreTable(centres, width: codeSpace.width)
    let work = BuildWork(rows: rows.count, sample: sampleCount(rows: rows.count, begun.listCount, codeSpace))
    let segmentWriter = try SegmentWriter(
      of: rows, in: space, table, codeSpace, listsPerRow: begun.listsPerRow, threads: threads, snapshot)
    let lists = try segmentWriter.run(
      on: writer, segment: begun.segment, goingOnWith: begun, snapshot
    ) { try progress(.coding, work.coding(done: $0), work.total) }
    var record = IndexRecord(
      dimension: space.dimension, seed: begun.seed, listCount: begun.listCount,
      listsPerRow: begun.listsPerRow,
      centres: begun.segment, segments: [.init(number: begun.segment, rowCount: rows.count)],
      codedRowLimit: begun.rowLimit)
    try progress(.measuring, work.coding(done: 2 * rows.count), work.total)
    // The blocks are in the database, but not in this snapshot.
    (record.calibrations, record.starts) = try writer.database.read {
      let measurement = try IndexMeasurement(
        of: MeasuredLists(
          index: $0.index(record, of: space), table: table, rows: segmentWriter.rows, lists: lists),
        threads: threads, $0)
      let calibrations = try measurement.calibrations()
      return (calibrations, try measurement.starts(calibrations))
    }
    try progress(.measuring, work.total, work.total)
    try writer.write {
      try $0.setIndex(record, of: space, rows: rows)
      try $0.setUnfinishedIndex(nil, of: space)
    }
    // The blocks of the index before, and those that only a build needs.
    try writer.removeStrayIndexBlocks(of: space)
    // What came after the build was begun.
    let late = try follow()
    return Summary(record: record, added: rows.count + late, isFresh: true)
  }

  /// Centres that a build before this one has left, or new ones, which are stored.
  private func begun(
    _ present: RowSet, _ snapshot: borrowing Snapshot, _ progress: Progress
  ) throws -> (UnfinishedIndex, centres: [Float]) {
    if let left = try snapshot.unfinishedIndex(of: space), left.dimension == space.dimension,
      present.count(in: 0..<left.rowLimit) == left.rowCount,
      left.rowCount * 2 > present.count
    {
      let width = CodeSpace(dimension: left.dimension, seed: left.seed).width
      let layout = IndexBlockLayout(.centres, width: width)
      var centres: [Float] = []
      try snapshot.forEachBlock(of: left, in: space, layout, itemCount: left.listCount) {
        centres.append(contentsOf: $0.bindMemory(to: Float.self))
      }
      if centres.count == left.listCount * width { return (left, centres) }
    }
    try writer.write { try $0.setUnfinishedIndex(nil, of: space) }
    let listCount = Self.listCount(rows: present.count)
    let begun = UnfinishedIndex(
      dimension: space.dimension, seed: 0, listCount: listCount, listsPerRow: listCount > 1 ? 2 : 1,
      segment: try writer.removeStrayIndexBlocks(of: space), rowLimit: (present.last ?? 0) + 1,
      rowCount: present.count)
    let codeSpace = CodeSpace(dimension: begun.dimension, seed: begun.seed)
    let centres = try trainedCentres(of: present, listCount: listCount, codeSpace, snapshot, progress)
    try centres.withUnsafeBytes { centres in
      let layout = IndexBlockLayout(.centres, width: codeSpace.width)
      try writer.write(durable: .withNext) {
        try $0.putIndexBlocks(centres, from: 0, layout, segment: begun.segment, of: space)
        try $0.setUnfinishedIndex(begun, of: space)
      }
    }
    return (begun, centres)
  }

  /// Six times the square root: so many centres are compared about as fast as the lists that are then scanned.
  static func listCount(rows: Int) -> Int {
    max(1, min(rows / 32, Int(6 * Double(rows).squareRoot())))
  }

  private func sampleCount(rows: Int, _ listCount: Int, _ codeSpace: CodeSpace) -> Int {
    let limit = max(listCount, Self.sampleByteLimit / (4 * codeSpace.width))
    return min(rows, listCount * Self.sampleRowsPerList, limit)
  }

  private func trainedCentres(
    of rows: RowSet, listCount: Int, _ codeSpace: CodeSpace, _ snapshot: borrowing Snapshot,
    _ progress: Progress
  ) throws -> [Float] {
    let all = rows.toArray()
    let width = codeSpace.width
    let count = sampleCount(rows: all.count, listCount, codeSpace)
    let chosen = (0..<count).map { all[$0 * all.count / count] }
    let vectors = try RotatedVectors(of: RowSet(chosen), in: space, codeSpace, snapshot)
    let sample = [Float](unsafeUninitializedCapacity: count * width) { sample, filled in
      guard let target = sample.baseAddress else { return }
      inLanes(threads, of: count) { _, share in
        for place in share { vectors.copy(chosen[place], into: target + place * width) }
      }
      filled = sample.count
    }
    let work = BuildWork(rows: all.count, sample: count)
    var done = 0
    try progress(.training, 0, work.total)
    return try ListTraining(width: width, listCount: listCount, threads: threads)
      .centres(of: sample, iterations: Self.iterations) {
        done += 1
        try progress(.training, work.training(iterations: done), work.total)
      }
  }

  /// The work of a build, in vectors that are compared with all centres.
  private struct BuildWork {
    let rows: Int
    let sample: Int

    private var training: Int { IndexBuild.iterations * sample }
    var total: Int { training + rows + rows / 2 + (rows + sample) / 4 }
    func training(iterations: Int) -> Int { iterations * sample }

    /// - Parameter done: rows that have got their lists or their codes, of twice their number.
    func coding(done: Int) -> Int { training + min(done, rows) + max(0, done - rows) / 2 }
  }
}
