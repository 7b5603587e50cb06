import ArgumentParser
import Query
import Storage

/// `cellvec index`: the approximate indexes of spaces.
struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "index",
    abstract: "Build, drop and describe the index of a space, which makes searches faster.",
    discussion: """
      A search through an index finds most of the nearest cells, with their exact
      similarities, without comparing every cell. Cells that come later are found
      too; building again takes them up. The kind "graph" is searched faster than
      "compact", and takes some two kilobytes for each vector; the kind "int8" makes
      exact searches faster.

      Examples:
        cellvec index build --db lab.cellvec --space dino
        cellvec index build --db lab.cellvec --space dino --kind graph
        cellvec index build --db lab.cellvec --space dino --kind int8
        cellvec index status --db lab.cellvec
        cellvec index drop --db lab.cellvec --space dino
      """,
    subcommands: [BuildIndex.self, DropIndex.self, IndexStatus.self], defaultSubcommand: IndexStatus.self)
}

/// `cellvec index build`.
struct BuildIndex: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "build", abstract: "Make the index of a space, or take new cells up.",
    usage: "cellvec index build [<options>]",
    discussion: """
      Where there are twice or half as many cells as the index was made of, or
      a third came later, it is made anew. Searches go on with the old one until
      the new one is complete. A build that was stopped is gone on with by the
      next one, unless vectors have changed.

      --kind graph takes no cells up: it is made anew when more than a hundredth of
      them came or went. "others" are vectors of the space that it leaves out: zeros,
      of equal ones all but one, and what came since it was made. A space may have a
      compact index beside it; each search takes what is estimated to be fastest.

      "vectors" are those that the index or the graph holds, "left" its codes or
      vertices of vectors that have gone since.

      --kind int8 copies the vectors in 8 bits a number: searches by cosine that
      compare every cell read a quarter of the bytes (of float16 a half), and
      find the same. A space of --dtype int8 needs none.
      """)

  /// Vectors up to which a search of one query compares all in the time in which one through an index begins, roughly.
  private static let fewVectors = 10_000

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @Option(help: ArgumentHelp("What to make: compact, graph or int8.", valueName: "kind")) var kind =
    IndexKind
    .compact
  @Flag(help: "Make it anew in any case.") var fresh = false
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let space = try writer.database.read { try self.space.resolve(in: $0) }
    Interruption.listen()
    let vectors = try writer.database.read { try $0.rows(in: space).count }
    let progress = ProgressLine(counting: "vectors", of: vectors, isQuiet: talk.quiet)
    switch kind {
    case .int8: return try makeCoarse(of: space, vectors, in: writer, progress)
    case .graph: return try makeGraph(of: space, in: writer, progress)
    case .compact: break
    }
    let summary = try IndexBuild(of: space, in: writer, threads: threads.count).run(isFresh: fresh) {
      step, done, total in
      if Interruption.isRequested {
        // Centres are stored when all are found, and codes from then on; what only takes new cells up is begun anew.
        let isBegun = try writer.database.read { try $0.unfinishedIndex(of: space) != nil }
        try Interruption.check(leaving: isBegun ? .part : .nothing)
      }
      progress.update(done: vectors * done / max(1, total), note: step.name)
    }
    if summary.isFresh || summary.added > 0 { progress.finish() }
    if vectors <= Self.fewVectors {
      talk.say(
        "space \(space.name) has \(vectors) vectors: of so few, most searches compare all that match")
    }
    let indexed = try writer.database.read { try $0.indexedRows(in: space).count }
    let rows: [[Value]] = [
      [
        .text(space.name), .integer(indexed), .integer(summary.record.rowCount - indexed),
        .integer(summary.added), .integer(summary.record.listCount),
        .text(summary.isFresh ? "made" : "completed"),
      ]
    ]
    try StandardOutput.write(
      Report(["space", "vectors", "left", "added", "lists", "index"], rows: rows), as: output.format)
  }
}

extension BuildIndex {
  /// Makes the int8 copies of a space.
  private func makeCoarse(
    of space: SpaceRecord, _ vectorCount: Int, in writer: DatabaseWriter, _ progress: ProgressLine
  ) throws {
    if fresh { try writer.dropCoarse(of: space) }
    let summary = try writer.makeCoarse(of: space) { done in
      progress.update(done: done)
      guard Interruption.isRequested else { return }
      // Each copy is kept, and then, when all are made, it is done.
      let copied = try writer.database.read { try $0.coarseExtent(of: space).vectors }
      if copied < vectorCount { try Interruption.check() }
    }
    progress.finish()
    let (vectors, byteCount) = try writer.database.read { try $0.coarseExtent(of: space) }
    try StandardOutput.write(
      Report(
        ["space", "int8_vectors", "added", "int8_bytes"],
        rows: [[.text(space.name), .integer(vectors), .integer(summary.vectors), .integer(byteCount)]]),
      as: output.format)
  }
}

extension BuildIndex {
  /// Makes the graph of a space.
  private func makeGraph(of space: SpaceRecord, in writer: DatabaseWriter, _ progress: ProgressLine) throws {
    let vectors = try writer.database.read { try $0.rows(in: space).count }
    let summary = try GraphBuild(of: space, in: writer, threads: threads.count).run(isFresh: fresh) {
      step, done, total in
      // A graph is stored at the end, and then it is done.
      if done < total { try Interruption.check(leaving: .nothing) }
      progress.update(done: vectors * done / total, note: step.name)
    }
    if summary.isFresh { progress.finish() }
    let held = try writer.database.read { try $0.rowsInGraph(of: space).count }
    let calibrations = summary.record.calibrations
    try StandardOutput.write(
      Report(
        ["space", "vectors", "left", "others", "graph", "recalls", "reach"],
        rows: [
          [
            .text(space.name), .integer(held), .integer(summary.record.vertexCount - held),
            .integer(summary.leftOut),
            .text(summary.isFresh ? "made" : "kept"),
            .numbers(calibrations.map(\.recall)), .numbers(calibrations.map { rounded($0.reach) }),
          ]
        ]),
      as: output.format)
  }
}

/// What makes searches of a space faster.
enum IndexKind: String, ExpressibleByArgument, CaseIterable {
  /// Lists around centres, with codes of one bit a number.
  case compact
  /// Edges from each vector to near ones.
  case graph
  /// Copies of the vectors in 8 bits a number, for exact searches.
  case int8
}

/// `cellvec index drop`.
struct DropIndex: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "drop",
    abstract: "Remove the index and the graph of a space; searches compare every cell again.",
    usage: "cellvec index drop [<options>]",
    discussion: """
      --kind removes one of the two and leaves the other, or removes the int8 copies,
      which stay without it.
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var space: SpaceOptions
  @Option(
    help: ArgumentHelp(
      "What to drop: compact, graph or int8. (default: compact and graph)", valueName: "kind"))
  var kind: IndexKind?
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let (space, hasIndex, hasGraph) = try writer.database.read { snapshot in
      let space = try self.space.resolve(in: snapshot)
      return (space, try snapshot.hasIndex(space), try snapshot.hasGraph(space))
    }
    func tell(_ had: Bool, _ name: String) {
      talk.say(had ? "dropped the \(name) of space \(space.name)" : "space \(space.name) had no \(name)")
    }
    switch kind {
    case .int8:
      let had = try writer.dropCoarse(of: space)
      talk.say("\(had ? "dropped the" : "there were no") int8 copies of space \(space.name)")
    case .graph:
      try writer.dropGraph(of: space)
      tell(hasGraph, "graph")
    case .compact:
      try writer.dropLists(of: space)
      tell(hasIndex, "compact index")
    case nil:
      try writer.write { try $0.dropIndex(of: space) }
      tell(hasIndex || hasGraph, hasGraph ? (hasIndex ? "index and the graph" : "graph") : "index")
    }
  }
}

/// `cellvec index status`.
struct IndexStatus: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "status", abstract: "Say which spaces have an index, and what it holds.",
    discussion: """
      "vectors" are those of the space, "indexed" those that the index or the graph
      holds; "fresh" are those that it lacks, which a search compares besides; "left"
      are codes or vertices of vectors that are gone, which it passes over. "hot" is
      how many bytes of the index a search may read for each vector: those that are
      best kept in memory.
      "recalls" are the recalls that searches can be asked for, "reach" how far they
      go for each: the more, the longer. "int8_vectors" are those with an int8 copy,
      which exact searches read. A space with a compact index and a graph has a
      line for each.
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = try database.open().read { snapshot in
      var report = Report([
        "space", "vectors", "indexed", "fresh", "left", "segments", "lists", "bytes",
        Column("hot", decimals: 1),
        "recalls", "reach", "int8_vectors", "int8_bytes", "kind",
      ])
      for space in snapshot.spaces {
        let present = try snapshot.rows(in: space)
        let coarse = try snapshot.coarseExtent(of: space)
        let int8: [Value] = [.integer(coarse.vectors), .integer(coarse.byteCount)]
        let graph = try snapshot.graphRecord(of: space)
        if let graph { report.append(try line(of: graph, of: space, present, int8, snapshot)) }
        guard let record = try snapshot.indexRecord(of: space) else {
          if graph == nil {
            report.append(
              [.text(space.name), .integer(present.count), .integer(0), .integer(present.count)]
                + Array(repeating: .null, count: 7) + int8 + [.null])
          }
          continue
        }
        let indexed = try snapshot.indexedRows(in: space).count
        let codes = record.rowCount
        report.append(
          [
            .text(space.name), .integer(present.count), .integer(indexed), .integer(present.count - indexed),
            .integer(codes - indexed), .integer(record.segments.count), .integer(record.listCount),
            .integer(try snapshot.indexByteCount(of: space, segments: record.segments.map(\.number))),
            .real(record.codeByteCount),
            .numbers(record.calibrations.map(\.recall)),
            .numbers(record.calibrations.map { rounded($0.reaches[0].reach) }),
          ] + int8 + [.text(IndexKind.compact.rawValue)])
      }
      return report
    }
    try StandardOutput.write(report, as: output.format)
  }

  private func line(
    of graph: GraphRecord, of space: SpaceRecord, _ present: RowSet, _ int8: [Value],
    _ snapshot: borrowing Snapshot
  ) throws -> [Value] {
    let held = try snapshot.rowsInGraph(of: space).count
    return [
      .text(space.name), .integer(present.count), .integer(held), .integer(present.count - held),
      .integer(graph.vertexCount - held), .integer(1), .null,
      .integer(try snapshot.indexByteCount(of: space, segments: [graph.segment])),
      .real(Float(graph.vertexByteCount)),
      .numbers(graph.calibrations.map(\.recall)), .numbers(graph.calibrations.map { rounded($0.reach) }),
    ] + int8 + [.text(IndexKind.graph.rawValue)]
  }
}

/// To the thousandth: searches differ less by more.
private func rounded(_ reach: Float) -> Double { (Double(reach) * 1000).rounded() / 1000 }

extension GraphBuild.Step {
  fileprivate var name: String {
    switch self {
    case .dividing: "dividing"
    case .comparing: "comparing"
    case .refining: "refining"
    case .measuring: "measuring recall"
    case .storing: "storing"
    }
  }
}

extension IndexBuild.Step {
  fileprivate var name: String {
    switch self {
    case .training: "finding centres"
    case .coding: "coding"
    case .measuring: "measuring recall"
    }
  }
}
