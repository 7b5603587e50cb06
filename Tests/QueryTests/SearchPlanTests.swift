import Faults
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

private let dimension = 24

private func directions(_ count: Int, seed: UInt64) -> [[Float]] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
}

/// Clusters, which random directions are far from.
private func nearVectors(_ count: Int, seed: UInt64) -> [[Float]] {
  clusteredVectors(count, dimension: dimension, seed: seed)
}

private func database(in directory: String, _ ways: FasterSearch, count: Int = 6000) throws -> IndexedDatabase
{
  var database = try IndexedDatabase(in: directory, dimension: dimension)
  try database.add(nearVectors(count, seed: 1))
  #expect(try ways.build(database))
  return database
}

@Suite struct SearchCostTests {
  private let space = SpaceRecord(id: 0, name: "s", dimension: 384, scalar: .float32, recipe: nil)

  private func costs(_ queries: Int, hasCopies: Bool = false, weight: Double = 1) -> SearchCosts {
    SearchCosts(of: space, rowCount: 100_000, queries: queries, hasCopies: hasCopies, scanWeight: weight)
  }

  @Test func aPassServesManyQueriesAndCopiesServeOne() {
    let one = costs(1).scan(rows: 100_000, k: 10)
    let many = costs(2000).scan(rows: 100_000, k: 10)
    #expect(one > 30 * many)
    let copied = costs(1, hasCopies: true).scan(rows: 100_000, k: 10)
    #expect(copied < one / 2 && copied > many)
    #expect(costs(2000, hasCopies: true).scan(rows: 100_000, k: 10) < many)
    #expect(costs(2000).scan(rows: 100_000, k: 1000) > 2 * many)
    // Rows that lie scattered bring their neighbors along.
    #expect(costs(1).scan(rows: 1000, k: 10) < one / 3 && costs(2000).scan(rows: 1000, k: 10) < many / 10)
    #expect(costs(1, weight: 3).scan(rows: 100_000, k: 10) == 3 * one)
    #expect(costs(1).scan(rows: 0, k: 10) == 0)
    // Half of the rows, scattered, take longer than all (bench/search/run --steps ways), and copies of so few are not read.
    #expect(costs(1).scan(rows: 50_000, k: 10) > 1.2 * one)
    #expect(costs(1, hasCopies: true).scan(rows: 20_000, k: 10) == costs(1).scan(rows: 20_000, k: 10))
    // More neighbors than rows are all.
    #expect(costs(1).scan(rows: 10, k: .max) == costs(1).scan(rows: 10, k: 10))
  }

  @Test func aGraphCostsItsVisitsAndListsTheirCodes() {
    let record = GraphRecord(
      dimension: 384, seed: 0, segment: 1, vertexCount: 100_000, entryCount: 395, leftOutCount: 0, range: 1,
      calibrations: [])
    func graph(_ visits: Double, _ queries: Int = 2000, masked: Int? = nil) -> Double {
      costs(queries).graph(record, visits: visits, k: 10, maskedRows: masked)
    }
    for queries in [1, 2000] {
      let cost = costs(queries).visits(400, of: record)
      #expect(abs(costs(queries).visits(costing: cost, of: record) - 400) < 0.01)
    }
    // Reading what is known of lists pays for many queries only.
    #expect(graph(40, 1) < costs(1).leastOfLists(vectors: 100_000))
    #expect(graph(40) > costs(2000).leastOfLists(vectors: 100_000))
    // Of one query that is given up, none is left to share with.
    #expect(givingUpShare(costs(1)) == 1 && givingUpShare(costs(2)) == 2)
    #expect(graph(300) > 4 * graph(30) && graph(30, 1) > graph(30) && graph(30, masked: 1 << 20) > graph(30))
    let index = IndexRecord(
      dimension: 384, seed: 0, listCount: 1897, listsPerRow: 2, centres: 1,
      segments: [.init(number: 1, rowCount: 100_000)])
    func lists(_ codes: Float, share: Double = 1) -> Double {
      costs(2000).lists(index, .init(lists: 80, codes: codes, rows: 50), share: share)
    }
    #expect(lists(20_000) > 1.5 * lists(10_000) && lists(20_000, share: 0.1) < lists(20_000, share: 0.95) / 2)
  }

  @Test func whatWasMeasuredIsInterpolatedByLogarithms() {
    let effort = GraphEffort(
      visits: [.init(neighbors: 10, visits: 30), .init(neighbors: 1000, visits: 3000)], farVisits: nil)
    #expect(effort.visits(neighbors: 1) == 30 && effort.visits(neighbors: 10) == 30)
    #expect(abs(effort.visits(neighbors: 100) - 300) < 0.01)
    #expect(abs(effort.visits(neighbors: 2000) - 6000) < 0.01)
  }
}

@Suite struct SearchPlanTests {
  @Test func buildsKeepWhatSearchesDo() throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .both)
      let (graph, index) = try database.writer.database.read {
        (
          try #require(try $0.graphRecord(of: database.space)),
          try #require(try $0.indexRecord(of: database.space))
        )
      }
      for calibration in graph.calibrations {
        let visits = try #require(calibration.effort).visits
        #expect(visits.map(\.neighbors) == [10, 100] && visits[0].visits < visits[1].visits)
        #expect((calibration.effort?.farVisits == nil) == (calibration.farReach == nil))
      }
      let starts = try #require(graph.starts)
      #expect(starts.firstVisits == 12 && starts.recall == 0.99)
      #expect(zip(starts.starts, starts.starts.dropFirst()).allSatisfy { $0.distance <= $1.distance })
      let (nearest, farthest) = (try #require(starts.starts.first), try #require(starts.starts.last))
      #expect(nearest.unusual < 0.2 && farthest.unusual > 0.8)
      for calibration in index.calibrations {
        #expect(calibration.reaches.allSatisfy { $0.effort != nil })
        let few = try #require(calibration.effort(neighbors: 10))
        let many = try #require(calibration.effort(neighbors: 100))
        #expect(few.codes <= many.codes && few.rows < many.rows)
      }
      let far = try #require(index.starts?.starts)
      #expect(zip(far, far.dropFirst()).allSatisfy { $0.distance2 <= $1.distance2 })
      let (start, end) = (try #require(far.first), try #require(far.last))
      #expect(start.effort.codes < end.effort.codes)
    }
  }

  /// So few are compared in less time than any index is searched.
  @Test func fewVectorsAreComparedByEstimate() throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .compact, count: 1500)
      let queries = nearVectors(1, seed: 3)
      let (found, plan) = try database.writer.database.read {
        try $0.nearest(
          to: queries[0], count: 1, k: 3, in: database.space, among: nil, recall: 0.99, threads: 1)
      }
      #expect(plan.way == .exact("that is estimated to take less time than an index"))
      #expect(found == (try database.exact(queries, k: 3)))
      let estimates = try #require(plan.estimates)
      #expect(estimates.graph == nil && estimates.exact < (estimates.index ?? 0))
    }
  }

  @Test func whyNothingServesIsSaid() throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .graph)
      let query = nearVectors(1, seed: 3)
      func reason(k: Int = 5, among rows: RowSet? = nil, recall: Double = 0.99) throws -> String? {
        if case .exact(let reason) = try database.search(query, k: k, among: rows, recall: recall).plan.way {
          reason
        } else {
          nil
        }
      }
      let third = RowSet((0..<Row(1700)).map { $0 })
      let fewOfGraph = "the graph serves where at least 0.3 of its vectors match"
      #expect(try reason() == nil)
      #expect(try reason(recall: 1) == "as was asked for")
      #expect(try reason(recall: 0.9999)?.hasPrefix("the graph was measured up to a recall of 0.9") == true)
      #expect(try reason(among: third) == fewOfGraph)
      let many = "an index serves where at least 20 times as many vectors match as neighbors are asked for"
      #expect(try reason(k: 400) == many)
      try database.build()
      #expect(try reason(k: 100, among: third) == "\(fewOfGraph); \(many)")
      #expect(try reason(k: 400) == many)
      try database.writer.dropGraph(of: database.space)
      #expect(try reason(k: 400) == many)
      try database.writer.dropLists(of: database.space)
      #expect(try reason() == "the space has no index")
    }
  }

  /// Queries that are unlike the vectors leave a graph after its first visits, and lists before the first.
  @Test(arguments: [FasterSearch.graph, .compact, .both])
  func queriesUnlikeTheVectorsAreGivenUpEarly(way: FasterSearch) throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, way)
      for (queries, areFar) in [(directions(40, seed: 4), true), (nearVectors(40, seed: 5), false)] {
        let (found, plan) = try database.writer.database.read { snapshot in
          // Of so many queries that nothing but the search of each counts.
          let costs = SearchCosts(of: database.space, rowCount: 6000, queries: 1_000_000, hasCopies: true)
          let plain = try SearchTask(queries, in: database.space, snapshot, costs)
          let (graph, lists) = (try snapshot.graphUse(plain), try snapshot.listUse(plain))
          // Comparing all takes as long as what is usual.
          let usual = try #require(graph.estimate(plain) ?? lists.estimate(plain))
          let weighted = SearchCosts(
            of: database.space, rowCount: 6000, queries: 1_000_000, hasCopies: true,
            scanWeight: usual / costs.scan(rows: 6000, k: 10))
          let task = try SearchTask(queries, in: database.space, snapshot, weighted)
          guard case .graph(let choice) = graph else { return try snapshot.nearestByLists(task, lists) }
          // Lists that were not read before are read for queries that are given up.
          return try snapshot.nearestByGraph(
            task, choice, way == .both ? .unread : lists, .init(exact: usual, index: nil, graph: usual))
        }
        let given = plan.fallbacks.reduce(0) { $0 + $1.queries }
        #expect(areFar ? given >= 36 : given <= 8, "\(given)")
        if areFar { #expect(plan.work.vertices <= 40 * 40 && plan.work.lists <= 40 * 20) }
        try database.expectSound(found, queries, k: 10)
        #expect(recall(found, try database.exact(queries, k: 10)) >= 0.97)
      }
    }
  }

  /// One like the vectors may begin far from them: where few do, they are searched for once more.
  @Test(arguments: [true, false]) func thoseThatBeginFarGoOnWhereTheyAreFew(areFew: Bool) throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .graph)
      let queries = nearVectors(areFew ? 400 : 40, seed: 5) + directions(areFew ? 4 : 40, seed: 4)
      let (found, plan, first) = try database.writer.database.read { snapshot in
        let costs = SearchCosts(of: database.space, rowCount: 6000, queries: 1_000_000, hasCopies: true)
        let plain = try SearchTask(queries, in: database.space, snapshot, costs)
        guard case .graph(let choice) = try snapshot.graphUse(plain) else {
          throw Fault(.badData, "the graph", "does not serve")
        }
        let usual = choice.estimate(plain)
        let task = try SearchTask(
          queries, in: database.space, snapshot,
          SearchCosts(
            of: database.space, rowCount: 6000, queries: 1_000_000, hasCopies: true,
            scanWeight: 4 * usual / costs.scan(rows: 6000, k: 10)))
        let estimates = SearchPlan.Estimates(exact: 4 * usual, index: nil, graph: usual)
        let (reach, limits) = choice.limits(task, .none(nil), estimates)
        let first = try GraphSearch(
          graph: snapshot.graph(choice.record, of: database.space), reach: reach, k: 10, limits: limits,
          wanted: nil
        ).run(task.queries, threads: 1)
        let (found, plan) = try snapshot.nearestByGraph(task, choice, .none(nil), estimates)
        return (found, plan, first)
      }
      let lost = first.neighbors.count { $0 == nil }
      let given = plan.fallbacks.first?.queries ?? 0
      #expect(lost >= (areFew ? 4 : 36) && (lost * 16 <= queries.count) == areFew, "\(lost)")
      #expect(areFew ? given <= lost : given == lost, "\(given) of \(lost)")
      // Usual queries visit some 30 vertices, a second search up to six times as many.
      let more = plan.work.vertices - first.work.vertices
      #expect(areFew ? more > 0 && more <= lost * 6 * 60 : more == 0, "\(more)")
      try database.expectSound(found, queries, k: 10)
      #expect(recall(found, try database.exact(queries, k: 10)) >= 0.97)
    }
  }

  @Test func aQueryOfZerosLeavesTheOthersAlone() throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .both)
      let near = nearVectors(3, seed: 5)
      let zero = [Float](repeating: 0, count: dimension)
      let (found, plan) = try database.search([zero, near[0], zero, near[1], near[2]], k: 5)
      let (others, plain) = try database.search(near, k: 5)
      #expect([found[1], found[3], found[4]] == others && plan.way == plain.way && plan.work == plain.work)
      #expect([found[0], found[2]] == (try database.exact([zero, zero], k: 5)))
      #expect(plan.fallbacks.last?.queries == 2 && plan.fallbacks.last?.way == .exact(SearchPlan.zero))
      #expect(try database.search([zero], k: 5).plan.way == .exact(SearchPlan.zero))
    }
  }

  @Test func whereEveryRowIsComparedOnePassServesQueriesOfZerosToo() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(nearVectors(2000, seed: 1))
      let queries = nearVectors(2, seed: 5) + [[Float](repeating: 0, count: dimension)]
      for hasIndex in [false, true] {
        if hasIndex { try database.build() }
        let (found, plan) = try database.search(queries, k: 5, scanWeight: 1)
        #expect(plan.fallbacks.isEmpty && plan.scan.compared == 3 * 2000)
        #expect(found == (try database.exact(queries, k: 5)))
      }
    }
  }

  @Test func rowsThatAnIndexLacksAreFoundInPartsOfTheQueries() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(nearVectors(300, seed: 1))
      let queries = nearVectors(10, seed: 2)
      let indexed = RowSet((0..<Row(300)).filter { $0 % 3 > 0 })
      let known = try database.exact(queries, k: 10, among: indexed)
      let truth = try database.exact(queries, k: 10)
      #expect(known != truth)
      for givenUp in [[], [0, 4, 9], [3, 4, 5]] as [Set<Int>] {
        func without(_ neighbors: [[Neighbor]]) -> [[Neighbor]?] {
          neighbors.enumerated().map { givenUp.contains($0) ? nil : $1 }
        }
        for batch in [3, 2048] {
          let (all, scan) = try database.writer.database.read { snapshot in
            let costs = SearchCosts(of: database.space, rowCount: 300, queries: 10, hasCopies: false)
            let task = try SearchTask(queries, in: database.space, snapshot, costs)
            return try snapshot.addMissing(to: without(known), task, indexed: indexed, batch: batch)
          }
          // Of so few numbers no copies are made. What is given up is not compared.
          #expect(all == without(truth) && scan.compared == (10 - givenUp.count) * 100)
        }
      }
    }
  }

  /// What is chosen goes by how many queries there are, not by what they are.
  @Test(arguments: [FasterSearch.graph, .compact, .both])
  func whatAQueryFindsDoesNotDependOnOthersNorOnThreads(ways: FasterSearch) throws {
    try withTemporaryDirectory { directory in
      var database = try database(in: directory, ways)
      // Rows that neither holds.
      try database.add(nearVectors(100, seed: 9))
      let (near, far) = (nearVectors(30, seed: 6), directions(30, seed: 7))
      let mixed = zip(near, far).flatMap { [$0, $1] }
      func found(_ queries: [[Float]], threads: Int = 1, weight: Double) throws -> [[Neighbor]] {
        try database.search(queries, k: 10, recall: 0.95, threads: threads, scanWeight: weight).neighbors
      }
      for weight in [1.0, 3, 1e6] {
        let together = try found(mixed, weight: weight)
        #expect(try found(mixed, threads: 3, weight: weight) == together)
        let reversed = try found(mixed.reversed(), weight: weight)
        #expect(Array(reversed.reversed()) == together)
        let others = directions(30, seed: 8)
        let besides = try found(zip(near, others).flatMap { [$0, $1] }, weight: weight)
        #expect(stride(from: 0, to: 60, by: 2).allSatisfy { besides[$0] == together[$0] })
      }
    }
  }

  @Test func aCompactIndexIsDroppedBesideAGraph() throws {
    try withTemporaryDirectory { directory in
      let database = try database(in: directory, .both)
      let blocks = try database.writer.database.read { $0.transaction.count(.codes) }
      try database.writer.dropLists(of: database.space)
      #expect(try database.search(nearVectors(4, seed: 2), k: 3).plan.usesGraph)
      let (left, hasIndex, flags) = try database.writer.database.read { snapshot in
        (
          snapshot.transaction.count(.codes), try snapshot.hasIndex(database.space),
          try snapshot.transaction.formatHeader().writerFlags
        )
      }
      #expect(left > 0 && left < blocks && !hasIndex && flags == ["graph"])
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }
}

extension SearchTask {
  /// A search for the ten nearest of all.
  fileprivate init(
    _ queries: [[Float]], in space: SpaceRecord, _ snapshot: borrowing Snapshot, _ costs: SearchCosts
  ) throws {
    self.init(
      queries: queries.flatMap { $0 }, count: queries.count, k: 10, space: space,
      matching: try snapshot.rows(in: space), recall: 0.99, threads: 2, costs: costs)
  }
}
