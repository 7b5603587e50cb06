import Faults
import Kernels
package import Storage

/// Makes the graph of a space.
///
/// Vectors that share a list around one of some centres are compared with each other; each vertex has edges to near ones
/// that lie in different directions, and edges lead back. Then each vector is searched for, and edges are chosen anew
/// among what the search met.
///
/// Source: Rubel et al., PiPNN (arXiv 2602.21247) for the lists; Gou et al., SymphonyQG (arXiv 2411.12229) for the rest.
package struct GraphBuild {
  /// Fewer rows are searched faster without a graph.
  package static let leastRows = 1_000
  /// Vectors that are searched for to measure recall, before they become vertices.
  private static let heldOut = 1024
  /// Queries of each kind that are unlike vectors, which are searched for to measure theirs.
  private static let unlikeCount = 128
  /// How far the searches go that edges are chosen from.
  private static let refinement: (k: Int, reach: Float) = (24, 0.05)

  /// Vertices after whose searches a build says how far it is.
  private static let stretch = 4096

  /// What a build does, in this order.
  package enum Step: Sendable, CaseIterable {
    case dividing, comparing, refining, measuring, storing

    /// Hundredths of the build before the step, estimated.
    fileprivate var start: Int {
      switch self {
      case .dividing: 0
      case .comparing: 10
      case .refining: 45
      case .measuring: 85
      case .storing: 95
      }
    }
    fileprivate var end: Int { Step.allCases.first { $0.start > start }?.start ?? 100 }
  }

  /// - Parameters:
  ///   - done: work so far, of `total` in all; neither is a number of anything, but they go with time.
  package typealias Progress = (Step, _ done: Int, _ total: Int) throws -> Void

  package struct Summary: Sendable, Equatable {
    package let record: GraphRecord
    /// Whether the graph was made anew.
    package let isFresh: Bool
    /// Rows that are not in it.
    package let leftOut: Int
  }

  private let writer: DatabaseWriter
  private let space: SpaceRecord
  private let threads: Int

  package init(of space: SpaceRecord, in writer: DatabaseWriter, threads: Int) {
    self.space = space
    self.writer = writer
    self.threads = threads
  }

  /// Makes the graph, if there is none, measured as now, to which and from which less than a hundredth of its rows came
  /// and went. Nobody sees it before it is complete. No other thread may change the space meanwhile. Takes about three
  /// times the bytes of vectors of float32 in memory.
  ///
  /// - Parameters:
  ///   - isFresh: make it anew in any case.
  ///   - progress: called as the build goes on; a throw ends it.
  /// - Throws: `usage` when the space has too few different vectors.
  package func run(isFresh: Bool = false, progress: Progress = { _, _, _ in }) throws -> Summary {
    try writer.removeStrayIndexBlocks(of: space)
    return try writer.database.read { snapshot in
      let rows = try snapshot.rows(in: space)
      // Those without distances were not measured so that queries unlike vectors find enough.
      if !isFresh, let record = try soundRecord(snapshot), !record.distances.isEmpty {
        let held = try snapshot.rowsInGraph(of: space)
        let missing = rows.subtracting(held).count
        // Of rows that were left out, some may have gone and as many new ones come.
        let new = rows.subtracting(held).toArray().count { $0 >= record.rowLimit ?? .max }
        let changed = max(new, missing - record.leftOutCount) + record.vertexCount - held.count
        if changed * 100 <= record.vertexCount {
          return Summary(record: record, isFresh: false, leftOut: missing)
        }
      }
      return try make(rows, snapshot, progress)
    }
  }

  /// nil where there is no graph, or its record is damaged.
  private func soundRecord(_ snapshot: borrowing Snapshot) throws -> GraphRecord? {
    do {
      return try snapshot.graphRecord(of: space)
    } catch let fault as Fault where fault.kind == .badData {
      return nil
    }
  }

  private func make(
    _ rows: RowSet, _ snapshot: borrowing Snapshot, _ progress: Progress
  ) throws -> Summary {
    guard rows.count >= Self.leastRows else { throw tooFew(rows.count) }
    let codeSpace = CodeSpace(dimension: space.dimension, seed: 0)
    let vectors = try RotatedVectors(of: rows, in: space, codeSpace, snapshot)
    func tell(_ step: Step, _ done: Int = 0, of count: Int = 1) throws {
      try progress(step, step.start * count + (step.end - step.start) * done, 100 * count)
    }
    try tell(.dividing)
    let partition = try GraphPartition(of: rows, vectors, threads: threads)
    let table = VertexTable(partition, vectors, heldOut: Self.heldOut, threads: threads)
    guard table.count >= Self.leastRows, table.count >= rows.count / 4 * 3 else {
      throw tooFew(
        table.count, " that differ, and three in four",
        remedy: "make an index of the kind compact, or search without one")
    }
    let main = 0..<table.mainCount
    let lists = CandidateLists(of: table)
    try compareLists(lists, table, listCount: partition.listCount) {
      try tell(.comparing, $0, of: partition.listCount)
    }
    let edges = GraphEdges(of: table)
    let records = GraphRecords(of: table, dimension: space.dimension)
    edges.choose(from: lists, of: main, threads: threads)
    edges.lead(backAmong: main.count, threads: threads)
    records.write(main, edges, threads: threads)
    for start in stride(from: 0, to: main.count, by: Self.stretch) {
      try tell(.refining, start, of: main.count)
      try search(start..<min(start + Self.stretch, main.count), lists, table, edges, records)
    }
    edges.choose(from: lists, of: main, threads: threads)
    edges.lead(backAmong: main.count, threads: threads)
    records.write(main, edges, threads: threads)
    try tell(.measuring)
    let usual = try measured(
      try stored(Array(table.rows[table.mainCount...]), snapshot), table, codeSpace, snapshot)
    let unusual = try measured(
      QueryMixtures.directions(Self.unlikeCount, dimension: space.dimension), table, codeSpace, snapshot)
    // Of vectors in the graph, which are among the neighbors of their means.
    let between =
      try
      (QueryMixtures.means(
        of: try stored(table.mainRows(3 * Self.unlikeCount), snapshot), dimension: space.dimension,
        count: Self.unlikeCount)
      + QueryMixtures.between(
        usual.vectors, unusual.vectors, dimension: space.dimension, count: Self.unlikeCount))
      .map { try measured($0, table, codeSpace, snapshot) }
    // With some room: few queries beyond it are worth their longer way.
    let range = 1.25 * usual.range
    let measurement = GraphMeasurement(
      table: table, records: records, usual: usual, between: between, unusual: unusual, range: range,
      threads: threads)
    let distances = try measurement.distances()
    let calibrations = try measurement.calibrations(distances)
    if calibrations.isEmpty {
      throw Fault(
        .usage, "space \"\(space.name)\"", expected: "vectors that a graph leads to",
        found: "vectors so nearly equal that no search finds \(GraphMeasurement.recalls[0]) of the nearest",
        remedy: "make an index of the kind compact, or search without one")
    }
    let starts = try measurement.starts(calibrations)
    try takeUpHeldOut(lists, table, edges, records)
    records.write(edges.lead(to: edges.unreached(from: records.entries)), edges)

    try tell(.storing)
    let segment = try writer.removeStrayIndexBlocks(of: space)
    try records.store(in: space, segment: segment, writer)
    var held = RowSet(table.rows)
    for vertex in edges.unreached(from: records.entries) { held.remove(table.rows[vertex]) }
    let record = GraphRecord(
      dimension: space.dimension, seed: 0, segment: segment, vertexCount: table.count,
      entryCount: records.entries.count, leftOutCount: rows.count - held.count,
      rowLimit: try snapshot.rowLimit(), range: range, distances: distances,
      starts: starts,
      calibrations: calibrations)
    try writer.write { [held] in try $0.setGraph(record, of: space, rows: held) }
    // The blocks of the graph before.
    try writer.removeStrayIndexBlocks(of: space)
    try tell(.storing, 1)
    return Summary(record: record, isFresh: true, leftOut: record.leftOutCount)
  }

  private func tooFew(
    _ count: Int, _ condition: String = "", remedy: String = IndexBuild.adviceOnTooFew
  ) -> Fault {
    Fault(
      .usage, "space \"\(space.name)\"",
      expected: "at least \(Self.leastRows) vectors for a graph\(condition)", found: "\(count)",
      remedy: remedy)
  }

  private func compareLists(
    _ lists: CandidateLists, _ table: VertexTable, listCount: Int, progress: (Int) throws -> Void
  ) throws {
    let first = ListOrder(of: Array(table.lists.first[..<table.mainCount]), listCount: listCount)
    let second = ListOrder(of: Array(table.lists.second[..<table.mainCount]), listCount: listCount)
    for list in 0..<listCount {
      var members = Array(first.places(in: list))
      if listCount > 1 { members += second.places(in: list) }
      if !members.isEmpty { lists.compare(members, threads: threads) }
      try progress(list)
    }
  }

  /// Makes what a search for each of some vertices visits its candidates, with the edges that it has.
  private func search(
    _ vertices: Range<Int>, _ lists: CandidateLists, _ table: VertexTable, _ edges: GraphEdges,
    _ records: GraphRecords
  ) throws {
    try records.searchEach(
      vertices.count, of: table, k: Self.refinement.k, GraphReach(near: Self.refinement.reach),
      threads: threads, rotated: { table.widen(vertices.lowerBound + $0, into: $1) },
      body: { place, search in
        let vertex = vertices.lowerBound + place
        let path = UnsafeBufferPointer(start: search.path, count: search.visit_count)
        lists.set(edges.edges(of: vertex) + Array(path), of: vertex)
      })
  }

  /// Makes vertices of the vectors that were held out.
  private func takeUpHeldOut(
    _ lists: CandidateLists, _ table: VertexTable, _ edges: GraphEdges, _ records: GraphRecords
  ) throws {
    let late = table.mainCount..<table.count
    try search(late, lists, table, edges, records)
    edges.choose(from: lists, of: late, threads: threads)
    var changed: Set<UInt32> = []
    for vertex in late { changed.formUnion(edges.leadBack(to: vertex)) }
    records.write(late, edges, threads: threads)
    records.write(changed.sorted(), edges)
  }

  private func measured(
    _ queries: [Float], _ table: VertexTable, _ codeSpace: CodeSpace, _ snapshot: borrowing Snapshot
  ) throws -> MeasuredQueries {
    try MeasuredQueries(queries, of: table, in: space, codeSpace, snapshot, threads: threads)
  }

  /// The vectors of some rows, [count, dimension].
  private func stored(_ rows: [Row], _ snapshot: borrowing Snapshot) throws -> [Float] {
    var vectors = [Float](repeating: 0, count: rows.count * space.dimension)
    let places = Dictionary(uniqueKeysWithValues: zip(rows, 0...))
    try snapshot.forEachBlock(of: space, containing: RowSet(rows)) { block in
      for row in block.rows {
        guard let place = places[row] else { continue }
        vectors.replaceSubrange(
          place * space.dimension..<(place + 1) * space.dimension, with: block.vector(of: row))
      }
    }
    return vectors
  }
}
