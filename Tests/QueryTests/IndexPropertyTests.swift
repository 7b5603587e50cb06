import Faults
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

private let dimension = 32

/// What makes searches of a space faster.
enum FasterSearch: Sendable {
  case compact, graph, both, int8

  /// Makes it of the rows that are there.
  /// - Returns: false where it refuses them.
  func build(_ database: IndexedDatabase) throws -> Bool {
    do {
      switch self {
      case .compact: try database.build()
      case .graph: try database.buildGraph()
      case .both:
        try database.build()
        try database.buildGraph()
      case .int8: _ = try database.writer.makeCoarse(of: database.space)
      }
      return true
    } catch let fault as Fault where fault.kind == .usage {
      return false
    }
  }
}

/// Vectors that are unlike those of cells, and queries.
struct AdverseSet: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let vectors: @Sendable () -> [[Float]]
  var queries: @Sendable () -> [[Float]] = { AdverseSet.directions(12, seed: 7) }

  /// Random directions.
  static func directions(_ count: Int, seed: UInt64) -> [[Float]] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
  }

  static func clustered(_ count: Int, seed: UInt64 = 1) -> [[Float]] {
    clusteredVectors(count, dimension: dimension, seed: seed)
  }

  /// Points beside a few lines.
  static func lines(_ count: Int) -> [[Float]] {
    let ends = directions(8, seed: 3)
    var generator = SeededGenerator(seed: 4)
    return (0..<count).map { number in
      let (start, end) = (ends[number % 4], ends[4 + number % 4])
      let along = Float(generator.next() % 10_000) / 10_000
      return zip(start, end).map { $0 + along * ($1 - $0) + 0.001 * Float(generator.normal()) }
    }
  }

  static let all: [AdverseSet] = [
    .init(
      testDescription: "all equal", vectors: { Array(repeating: directions(1, seed: 2)[0], count: 1100) }),
    .init(
      testDescription: "one vector 3,000 times",
      vectors: { clustered(1000) + Array(repeating: clustered(1)[0], count: 3000) },
      queries: { Array(clustered(12)) }),
    .init(
      testDescription: "a fifth equal, some zero",
      vectors: {
        clustered(1200) + Array(repeating: clustered(1)[0], count: 240)
          + Array(repeating: [Float](repeating: 0, count: dimension), count: 30)
      }, queries: { clustered(12, seed: 6) }),
    .init(
      testDescription: "dimensions without variance",
      vectors: { clustered(1200).map { vector in vector.indices.map { $0 % 4 == 0 ? vector[$0] : 3 } } },
      queries: {
        clustered(12, seed: 6).map { vector in vector.indices.map { $0 % 4 == 0 ? vector[$0] : 3 } }
      }),
    .init(testDescription: "lines", vectors: { lines(1500) }, queries: { lines(1512).suffix(12) }),
    .init(testDescription: "one vector", vectors: { clustered(1) }),
    .init(testDescription: "seven vectors", vectors: { clustered(7) }),
    .init(testDescription: "too few for an index", vectors: { clustered(999) }),
    .init(testDescription: "queries unlike any vector", vectors: { clustered(1200) }),
    .init(
      testDescription: "queries opposite to all vectors",
      vectors: { clustered(1200).map { vector in vector.map { abs($0) } } },
      queries: { clustered(12, seed: 6).map { vector in vector.map { -abs($0) } } }),
  ]
}

@Suite struct IndexPropertyTests {
  /// Whatever comes, goes and changes after the build, and under conditions of all kinds.
  @Test(arguments: [FasterSearch.compact, .graph, .int8], AdverseSet.all)
  func resultsAreLiveMatchingExactAndNearest(way: FasterSearch, set: AdverseSet) throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vectors = set.vectors()
      try database.add(vectors)
      if way != .int8 { _ = try way.build(database) }
      var generator = SeededGenerator(seed: 5)
      if vectors.count > 1 {
        try database.delete(
          (0..<vectors.count / 50 + 1).map { _ in Row(generator.next() % UInt64(vectors.count)) })
      }
      try database.add(AdverseSet.clustered(15, seed: 8))
      let present = try database.present.toArray()
      let changed = Set((0..<5).map { _ in present[Int(generator.next() % UInt64(present.count))] }).sorted()
      try database.set(AdverseSet.clustered(changed.count, seed: 9), of: changed)

      let queries = set.queries()
      var conditions: [RowSet?] = [nil]
      for share in [0.001, 0.5, 0.99] {
        conditions.append(
          RowSet(
            (0..<Row(vectors.count + 15)).filter { _ in Double(generator.next() % 10_000) < share * 10_000 }))
      }
      // Before there are copies: what is found with them is compared with what is found without.
      let truths = try conditions.map { try database.exact(queries, k: 10, among: $0) }
      if way == .int8 { _ = try way.build(database) }
      for (condition, truth) in zip(conditions, truths) {
        let comment = Comment(rawValue: "\(way), \(set.testDescription), \(condition?.count ?? -1) match")
        // More than there are: of few vectors, for all are sorted.
        let most = vectors.count <= 2000 && condition == nil ? vectors.count + 20 : 30
        for (k, queries) in [(1, queries), (10, queries), (most, [queries[0]])] {
          let found =
            way == .int8
            ? try database.exact(queries, k: k, among: condition)
            : try database.search(queries, k: k, among: condition).neighbors
          try database.expectSound(found, queries, k: k, among: condition, comment)
          if k != 10 { continue }
          // Of twelve queries one may lose most of its neighbors, which lie together. Equal ones come in any order.
          if way == .int8 {
            #expect(found == truth, comment)
          } else {
            #expect(similarRecall(found, truth) >= 0.9, comment)
          }
        }
      }
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  /// The share of the true neighbors' similarities that what was found has at the same place, or more.
  private func similarRecall(_ found: [[Neighbor]], _ truth: [[Neighbor]]) -> Double {
    var (hits, total) = (0, 0)
    for (found, truth) in zip(found, truth) {
      total += truth.count
      guard let last = truth.last else { continue }
      hits += min(truth.count, found.count { $0.similarity >= last.similarity })
    }
    return total == 0 ? 1 : Double(hits) / Double(total)
  }
}

/// Conditions that go with the queries, against them, or have nothing to do with them.
@Suite struct ConditionTests {
  private static let count = 8000

  /// The rows of a share of the vectors that are most or least like a query, or that are chosen at random.
  private static func rows(_ vectors: [[Float]], _ share: Double, like query: [Float]?, sign: Float) -> RowSet
  {
    let number = Int(share * Double(vectors.count))
    var generator = SeededGenerator(seed: 3)
    let order = vectors.indices.map { place -> (Float, Int) in
      guard let query else { return (Float(generator.next() % 1_000_000), place) }
      let norm = vectors[place].reduce(0) { $0 + $1 * $1 }.squareRoot()
      return (-sign * zip(vectors[place], query).reduce(0) { $0 + $1.0 * $1.1 } / norm, place)
    }
    return RowSet(order.sorted { $0 < $1 }.prefix(number).map { Row($0.1) })
  }

  @Test(arguments: [FasterSearch.compact, .graph, .both])
  func conditionsWithAndAgainstTheQueryLoseNothing(way: FasterSearch) throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vectors = clusteredVectors(Self.count, dimension: dimension, seed: 1)
      try database.add(vectors)
      #expect(try way.build(database))
      // Around one of the vectors.
      var generator = SeededGenerator(seed: 2)
      let queries = (0..<20).map { _ in vectors[17].map { $0 + 0.4 * Float(generator.normal()) } }
      for share in [0.01, 0.3, 0.5, 0.99] {
        for (name, query, sign) in [
          ("with", vectors[17], 1), ("against", vectors[17], -1), ("beside", nil, 1),
        ] as [(String, [Float]?, Float)] {
          let condition = Self.rows(vectors, share, like: query, sign: sign)
          let found = try database.search(queries, k: 10, among: condition).neighbors
          let comment = Comment(rawValue: "\(way), \(share) \(name)")
          try database.expectSound(found, queries, k: 10, among: condition, comment)
          // 200 neighbors: three standard deviations of a share of .99 are .02.
          #expect(recall(found, try database.exact(queries, k: 10, among: condition)) >= 0.965, comment)
          guard way == .both, share == 0.5, name == "against" else { continue }
          let (again, plan) = try Self.throughGraph(database, queries, condition)
          try database.expectSound(again, queries, k: 10, among: condition, comment)
          // What is visited in vain against a condition takes a part of what the index of lists does.
          #expect(plan.usesGraph && plan.work.vertices <= queries.count * 100, comment)
          let fallback = try #require(plan.fallbacks.first)
          guard case .index = fallback.way else { return #expect(Bool(false), "\(fallback.way)") }
          #expect(fallback.queries <= queries.count && fallback.work.codes > 0)
        }
      }
    }
  }

  /// Through the graph first, whatever is estimated, and through the index what is given up.
  private static func throughGraph(
    _ database: IndexedDatabase, _ queries: [[Float]], _ condition: RowSet
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    try database.writer.database.read { snapshot in
      let task = SearchTask(
        queries: queries.flatMap { $0 }, count: queries.count, k: 10, space: database.space,
        matching: condition, recall: 0.99, threads: 2,
        costs: SearchCosts(
          of: database.space, rowCount: count, queries: 1_000_000, hasCopies: false,
          scanWeight: SearchPlan.indexWeight))
      let lists = try snapshot.listUse(task)
      guard case .graph(let choice) = try snapshot.graphUse(task) else {
        throw Fault(.badData, "the graph", "does not serve")
      }
      return try snapshot.nearestByGraph(
        task, choice, lists,
        .init(exact: .infinity, index: lists.estimate(task), graph: choice.estimate(task)))
    }
  }
}
