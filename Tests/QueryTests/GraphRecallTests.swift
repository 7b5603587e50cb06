import Faults
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

/// What queries find by the graph alone, each its ten nearest; nil where it is given up for another way.
/// - Parameter startLimit: in place of what the build measured, where there is one.
private func foundByGraph(
  _ queries: [[Float]], recall: Double, startLimit: Float? = nil, in database: IndexedDatabase
) throws -> [[Neighbor]?] {
  try database.writer.database.read { snapshot in
    let rows = try snapshot.rows(in: database.space)
    let task = SearchTask(
      queries: queries.flatMap { $0 }, count: queries.count, k: 10, space: database.space, matching: rows,
      recall: recall, threads: 2,
      costs: SearchCosts(
        of: database.space, rowCount: rows.count, queries: queries.count, hasCopies: false,
        scanWeight: SearchPlan.indexWeight))
    guard case .graph(let measured) = try snapshot.graphUse(task) else {
      throw Fault(.badData, "the graph", "does not serve")
    }
    let calibration = measured.calibration
    let use = GraphUse.Choice(
      record: measured.record,
      calibration: .init(
        recall: calibration.recall, reach: calibration.reach, wideReach: calibration.wideReach,
        range: calibration.range,
        startLimit: startLimit ?? calibration.startLimit, farReach: calibration.farReach,
        effort: calibration.effort),
      inGraph: measured.inGraph)
    let (reach, limits) = use.limits(
      task, .none(nil),
      .init(exact: task.costs.scan(rows: rows.count, k: 10), index: nil, graph: use.estimate(task)))
    return try GraphSearch(
      graph: snapshot.graph(use.record, of: database.space), reach: reach, k: 10, limits: limits, wanted: nil
    ).run(task.queries, threads: 2).neighbors
  }
}

@Suite struct GraphRecallTests {
  @Test func recallIsThatWhichWasAskedFor() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 64)
      try database.add(clusteredVectors(10_000, dimension: 64, clusters: 200, seed: 1, spread: 0.8))
      let record = try database.buildGraph().record
      #expect(record.calibrations.map(\.recall) == [0.9, 0.95, 0.99, 0.999])
      #expect(zip(record.calibrations, record.calibrations.dropFirst()).allSatisfy { $0.reach <= $1.reach })
      let queries = clusteredVectors(200, dimension: 64, clusters: 200, seed: 3, spread: 0.8)
      let truth = try database.exact(queries, k: 10)
      // Of few neighbors as many are found.
      let manyQueries = clusteredVectors(1_000, dimension: 64, clusters: 200, seed: 4, spread: 0.8)
      for k in [1, 2, 5, 100] {
        let (found, plan) = try database.search(manyQueries, k: k, recall: 0.95)
        // A share of 0.95 of 1,000: three standard deviations are 0.02.
        let nearest = try database.exact(manyQueries, k: k)
        #expect(plan.usesGraph && recall(found, nearest) >= 0.93)
        #expect(found.allSatisfy { $0.count == k })
      }
      var visited = 0
      for asked in [0.9, 0.95, 0.99, 0.999] {
        let (found, plan) = try database.search(queries, k: 10, recall: asked)
        // 2,000 neighbors: three standard deviations of a share of 0.9 are 0.02.
        #expect(plan.usesGraph && recall(found, truth) >= asked - 0.02)
        #expect(plan.work.vertices >= visited)
        visited = plan.work.vertices
      }
    }
  }

  /// Queries at other angles than those that the build measures.
  @Test func recallIsReachedBetweenTheVectorsAndRandomDirections() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 64)
      try database.add(clusteredVectors(10_000, dimension: 64, clusters: 200, seed: 1, spread: 0.8))
      let record = try database.buildGraph().record
      #expect(record.calibrations.contains { $0.wideReach != nil })
      for calibration in record.calibrations {
        guard let wide = calibration.wideReach else { continue }
        #expect(calibration.reach < wide.reach && wide.nearLast < wide.wideLast)
      }
      let like = clusteredVectors(400, dimension: 64, clusters: 200, seed: 3, spread: 0.8)
      for angle in [25.0, 40, 60, 80] {
        let queries = turned(like, degrees: angle, seed: 5)
        let truth = try database.exact(queries, k: 10)
        for asked in [0.9, 0.95, 0.99] {
          let found = try foundByGraph(queries, recall: asked, in: database)
          let (count, recall, deviation) = reached(found, truth)
          let comment = Comment(rawValue: "\(angle) degrees, \(asked): \(recall) of \(count) queries")
          #expect(count >= 100 && recall >= asked - 3 * deviation, comment)
        }
      }
    }
  }

  /// Of vectors that lie so close together that their steps do not tell which is nearer, a search finds some, however far
  /// it goes. Those of random directions are none that the build holds out.
  @Test func aRecallThatNoReachAttainsIsNotPromised() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 64)
      let vectors = clusteredVectors(10_000, dimension: 64, clusters: 100, seed: 1)
      let measured = QueryMixtures.directions(64, dimension: 64)
      let directions = (0..<64).map { Array(measured[$0 * 64..<($0 + 1) * 64]) }
      let some = Array(directions.prefix(8))
      var generator = SeededGenerator(seed: 2)
      let balls = turned(some, degrees: 45, seed: 4).flatMap { centre in
        (0..<16).map { _ in centre.map { $0 + 0.001 * Float(generator.normal()) } }
      }
      try database.add(vectors + balls)
      let record = try database.buildGraph().record
      let limits = record.calibrations.map { ($0.recall, $0.startLimit, $0.wideReach?.reach, $0.farReach) }
      let comment = Comment(rawValue: "\(limits)")
      #expect(record.calibrations.first?.startLimit == nil, comment)
      let limit = try #require(record.calibrations.reaching(0.99)?.startLimit, comment)
      // Where it ends nothing, queries near some of the vectors lose neighbors.
      let near = (1...6).flatMap { turned(some, degrees: 3, seed: $0) }
      let unlimited = reached(
        try foundByGraph(near, recall: 0.99, startLimit: .infinity, in: database),
        try database.exact(near, k: 10))
      #expect(unlimited.count > 0 && unlimited.recall < 0.95, "\(unlimited), \(limit)")
      // Most of them are given up, and find all in another way: of all directions as much is found as is promised.
      let all = (1...3).flatMap { turned(directions, degrees: 3, seed: $0) }
      let promised = try recall(database.search(all, k: 10).neighbors, database.exact(all, k: 10))
      #expect(promised >= 0.99, "\(promised)")
    }
  }

  @Test func whatStartsBeyondTheLimitIsGivenUp() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 24)
      try database.add(clusteredVectors(4000, dimension: 24, seed: 1))
      try database.buildGraph()
      let queries = clusteredVectors(50, dimension: 24, seed: 2)
      func given(_ limit: Float) throws -> Int {
        try foundByGraph(queries, recall: 0.99, startLimit: limit, in: database).count { $0 == nil }
      }
      let (none, some, all) = (try given(.infinity), try given(0.1), try given(0))
      #expect(none < 5 && (none...all).contains(some) && all > 45, "\(none), \(some), \(all)")
    }
  }
}
