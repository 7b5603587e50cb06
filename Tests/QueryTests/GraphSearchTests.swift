import Faults
import Kernels
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

private let dimension = 24

extension IndexedDatabase {
  fileprivate var flags: [String] {
    get throws { try writer.database.read { try $0.transaction.formatHeader().writerFlags } }
  }

  fileprivate func entryCount(_ table: Table) throws -> Int {
    try writer.database.read { $0.transaction.count(table) }
  }
}

private func graphDatabase(in directory: String, count: Int = 4000) throws -> IndexedDatabase {
  var database = try IndexedDatabase(in: directory, dimension: dimension)
  try database.add(clusteredVectors(count, dimension: dimension, seed: 1))
  try database.buildGraph()
  return database
}

@Suite struct GraphSearchTests {
  @Test func resultsAreExactWhateverComesAndGoes() throws {
    try withTemporaryDirectory { directory in
      var database = try graphDatabase(in: directory, count: 5000)
      var generator = SeededGenerator(seed: 1)
      // Enough queries that codes are made of new rows, and so few that there are none.
      for queryCount in [300, 20] {
        let queries = clusteredVectors(queryCount, dimension: dimension, seed: 2)
        for round in 0..<3 {
          let (found, plan) = try database.search(queries, k: 10)
          #expect(plan.usesGraph)
          try database.expectSound(found, queries, k: 10)
          #expect(recall(found, try database.exact(queries, k: 10)) >= 0.97)
          let filter = RowSet(
            (0..<Row(7000)).filter { _ in generator.next() % 100 < UInt64(40 + round * 25) })
          let (filtered, _) = try database.search(queries, k: 5, among: filter)
          try database.expectSound(filtered, queries, k: 5, among: filter)
          #expect(recall(filtered, try database.exact(queries, k: 5, among: filter)) >= 0.97)

          try database.delete((0..<100).map { _ in Row(generator.next() % 5000) })
          try database.add(clusteredVectors(70, dimension: dimension, seed: UInt64(10 + round)))
          let present = try database.present.toArray()
          let changed = (0..<40).map { _ in present[Int(generator.next() % UInt64(present.count))] }
          try database.set(clusteredVectors(40, dimension: dimension, seed: UInt64(20 + round)), of: changed)
          #expect(try database.writer.database.check().faults.isEmpty)
        }
      }
    }
  }

  @Test func fewMatchingRowsAreSearchedOtherwise() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory)
      let queries = clusteredVectors(10, dimension: dimension, seed: 5)
      var generator = SeededGenerator(seed: 6)
      for (percent, byGraph) in [(1, false), (20, false), (50, true), (90, true)] {
        let filter = RowSet((0..<Row(4000)).filter { _ in generator.next() % 100 < UInt64(percent) })
        let (found, plan) = try database.search(queries, k: 2, among: filter)
        #expect(plan.usesGraph == byGraph)
        try database.expectSound(found, queries, k: 2, among: filter)
      }
      try database.build()
      let (_, plan) = try database.search(queries, k: 5, among: RowSet(0..<Row(1000)))
      guard case .index = plan.way else { return #expect(Bool(false), "the index is not used: \(plan.way)") }
    }
  }

  @Test func aConditionAgainstTheQueryLosesNothing() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vectors = clusteredVectors(8000, dimension: dimension, seed: 4)
      try database.add(vectors)
      try database.buildGraph()
      let queries = vectors.filter { $0[0] < -1 }.prefix(20).map { $0 }
      let filter = RowSet((0..<Row(8000)).filter { vectors[Int($0)][0] > 0 })
      let (found, plan) = try database.search(queries, k: 10, among: filter)
      #expect(plan.usesGraph)
      try database.expectSound(found, queries, k: 10, among: filter)
      #expect(recall(found, try database.exact(queries, k: 10, among: filter)) >= 0.95)
    }
  }

  @Test func resultsDoNotDependOnThreadsOfSearchOrBuild() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory, count: 3000)
      let queries = clusteredVectors(100, dimension: dimension, seed: 2)
      let one = try database.search(queries, k: 7, threads: 1).neighbors
      for threads in [2, 3, 8] {
        #expect(try database.search(queries, k: 7, threads: threads).neighbors == one)
      }
      let record = try database.buildGraph(isFresh: true, threads: 1).record
      let again = try database.buildGraph(isFresh: true, threads: 5).record
      #expect(record.calibrations == again.calibrations)
      #expect(try database.search(queries, k: 7, threads: 1).neighbors == one)
    }
  }

  @Test func newRowsAreFoundAtOnce() throws {
    try withTemporaryDirectory { directory in
      var database = try graphDatabase(in: directory)
      let fresh = clusteredVectors(300, dimension: dimension, seed: 9)
      let rows = try database.add(fresh)
      for queries in [fresh, Array(fresh.prefix(3))] {
        let (found, plan) = try database.search(queries, k: 1)
        #expect(plan.usesGraph && found.map { $0.first?.row } == Array(rows.prefix(queries.count)))
      }
      let summary = try database.buildGraph()
      #expect(summary.isFresh && summary.record.vertexCount == 4300 && summary.leftOut == 0)
      #expect(try !database.buildGraph().isFresh)
    }
  }
}

@Suite struct GraphCandidateTests {
  @Test func hitsThatRoundingMayHavePutBehindAreCompared() {
    var hits = [0.9, 0.8, 0.796, 0.794].enumerated().map {
      kernels_graph_hit(similarity: $1, row: UInt32($0))
    }
    hits.withUnsafeMutableBufferPointer { hits in
      var search = kernels_graph_search()
      search.hits = hits.baseAddress
      search.k = 2
      // Four standard deviations are 0.005.
      search.codes.width = 64
      for (found, compared) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)] {
        search.hit_count = found
        #expect(search.candidates.count == compared)
      }
    }
  }
}

@Suite struct GraphCareTests {
  @Test func aGraphIsAWriterFlagAsLongAsThereIsOne() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory)
      #expect(try database.flags == ["graph"])
      try database.build()
      #expect(try database.flags == ["graph", "index-2"])
      try database.build(isFresh: true)
      try database.buildGraph(isFresh: true)
      #expect(try database.writer.database.check().faults.isEmpty)
      try database.writer.write { try $0.dropIndex(of: database.space) }
      #expect(try database.flags == [])
      #expect(try database.entryCount(.codes) == 0 && database.entryCount(.indexes) == 0)
    }
  }

  @Test func aBuildTellsOfItsStepsInOrder() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(5000, dimension: dimension, seed: 1))
      var told: [(step: String, share: Double)] = []
      _ = try GraphBuild(of: database.space, in: database.writer, threads: 2).run { step, done, total in
        told.append(("\(step)", Double(done) / Double(total)))
      }
      #expect(zip(told, told.dropFirst()).allSatisfy { $0.share <= $1.share })
      #expect(told.first?.share == 0 && told.last?.share == 1)
      #expect(told.count { $0.step == "refining" } == 2)
      #expect(Set(told.map(\.step)).count == GraphBuild.Step.allCases.count)
      // Nothing is told where nothing is done.
      told = []
      _ = try GraphBuild(of: database.space, in: database.writer, threads: 2).run {
        told.append(("\($0)", Double($1) / Double($2)))
      }
      #expect(told.isEmpty)
    }
  }

  @Test func aBuildThatEndsEarlyIsSeenByNobody() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory)
      let queries = clusteredVectors(10, dimension: dimension, seed: 5)
      let before = try database.search(queries, k: 5).neighbors
      let blocks = try database.entryCount(.codes)
      struct Stop: Error {}
      for step in 0..<4 {
        #expect(throws: Stop.self) {
          try GraphBuild(of: database.space, in: database.writer, threads: 2).run(isFresh: true) {
            _, done, total in
            if done * 4 / total >= step { throw Stop() }
          }
        }
        #expect(try database.search(queries, k: 5).neighbors == before)
      }
      try database.buildGraph(isFresh: true)
      #expect(try database.entryCount(.codes) == blocks)
    }
  }

  @Test func checkFindsAVertexOfAnotherVectorAndRepairDropsTheGraph() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory)
      let rows = try database.writer.database.read { try $0.rowsInGraph(of: database.space) }
      let record = try #require(
        try database.writer.database.read { try $0.graphRecord(of: database.space) })
      // The vector changes without the graph's being told.
      try database.set(clusteredVectors(1, dimension: dimension, seed: 3), of: [5])
      try database.writer.write { try $0.setGraph(record, of: database.space, rows: rows) }
      let problems = try database.writer.database.check().faults.map(\.problem)
      #expect(problems == ["has another vector of cell 5 than the space"])
      _ = try database.writer.repair()
      #expect(try database.writer.database.read { try $0.graphRecord(of: database.space) } == nil)
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }
}

@Suite struct UnusualGraphTests {
  @Test func equalVectorsStayOutsideAndAreFound() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let others = clusteredVectors(4000, dimension: dimension, seed: 1)
      let zero = [Float](repeating: 0, count: dimension)
      try database.add(others + Array(repeating: others[0], count: 300) + Array(repeating: zero, count: 20))
      let summary = try database.buildGraph()
      #expect(summary.record.vertexCount == 4000 && summary.leftOut == 320)
      for count in [30, 400] {
        let queries = Array(others[0..<count])
        let (found, plan) = try database.search(queries, k: 40)
        #expect(plan.usesGraph)
        try database.expectSound(found, queries, k: 40)
        #expect(Set(found[0].map(\.row)).subtracting([0] + (4000..<4300)).isEmpty)
      }
      let (nothing, plan) = try database.search([zero], k: 4)
      #expect(!plan.usesGraph && nothing[0].map(\.row) == [0, 1, 2, 3])
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  /// They are counted when the graph is made, and so are no reason to make it anew.
  @Test func equalVectorsDoNotHaveTheGraphMadeAnew() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let others = clusteredVectors(2000, dimension: dimension, seed: 1)
      try database.add(others + Array(repeating: others[0], count: 200))
      #expect(try database.buildGraph().record.leftOutCount == 200)
      let kept = try database.buildGraph()
      #expect(!kept.isFresh && kept.leftOut == 200)
      try database.add(clusteredVectors(20, dimension: dimension, seed: 2))
      #expect(try !database.buildGraph().isFresh)
      try database.add(clusteredVectors(1, dimension: dimension, seed: 3))
      #expect(try database.buildGraph().isFresh)
    }
  }

  @Test func newVectorsInPlaceOfEqualOnesHaveTheGraphMadeAnew() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let others = clusteredVectors(2000, dimension: dimension, seed: 1)
      try database.add(others + Array(repeating: others[0], count: 400))
      #expect(try database.buildGraph().record.rowLimit == 2400)
      try database.delete((2000..<2400).map { Row($0) })
      #expect(try !database.buildGraph().isFresh)
      try database.add(clusteredVectors(400, dimension: dimension, seed: 2))
      #expect(try database.buildGraph().isFresh)
    }
  }

  /// A list of the build with very many members is compared in parts.
  @Test func candidatesOfALargeListAreNear() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(1200, dimension: dimension, clusters: 1, seed: 1, spread: 0.01))
      try database.writer.database.read { snapshot in
        let rows = try snapshot.rows(in: database.space)
        let vectors = try RotatedVectors(
          of: rows, in: database.space, CodeSpace(dimension: dimension, seed: 0), snapshot)
        let table = VertexTable(
          try GraphPartition(of: rows, vectors, threads: 2), vectors, heldOut: 0, threads: 2)
        let all = (0..<UInt32(table.count)).map { $0 }
        func mean(memberLimit: Int) -> Float {
          let lists = CandidateLists(of: table)
          lists.compare(all, threads: 2, memberLimit: memberLimit)
          var sum: Float = 0
          for vertex in all {
            let candidates = lists.candidates(of: Int(vertex))
            #expect(candidates.count == CandidateLists.capacity)
            #expect(Set(candidates.map(\.vertex)).subtracting([vertex]).count == candidates.count)
            #expect(zip(candidates, candidates.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
            sum += candidates.reduce(0) { $0 + 1 - $1.similarity } / Float(candidates.count)
          }
          return sum / Float(all.count)
        }
        // In four parts of each of two orders, about half of the others are met.
        let (distance, least) = (mean(memberLimit: 300), mean(memberLimit: 1200))
        #expect(distance > least && distance < 1.5 * least)
      }
    }
  }

  @Test func mostlyEqualVectorsAreRefused() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let others = clusteredVectors(1500, dimension: dimension, seed: 1)
      try database.add(others + Array(repeating: others[0], count: 2000))
      #expect {
        try database.buildGraph()
      } throws: {
        ($0 as? Fault)?.problem
          == "expected at least 1000 vectors for a graph that differ, and three in four, found 1500"
      }
    }
  }

  @Test func queriesUnlikeAnyVectorFindTheirNeighbors() throws {
    try withTemporaryDirectory { directory in
      let database = try graphDatabase(in: directory, count: 5000)
      var generator = SeededGenerator(seed: 8)
      var queries = (0..<30).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
      queries.append((0..<dimension).map { $0 == 5 ? -1e30 : 0 })
      queries.append((0..<dimension).map { $0 == 5 ? 1e-30 : 0 })
      let (found, plan) = try database.search(queries, k: 10)
      #expect(plan.usesGraph)
      try database.expectSound(found, queries, k: 10)
      #expect(recall(found, try database.exact(queries, k: 10)) >= 0.9)
    }
  }

  @Test func fewDimensionsAndManyNeighborsAreSearchedToo() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 3)
      try database.add(clusteredVectors(3000, dimension: 3, seed: 1))
      try database.buildGraph()
      let queries = clusteredVectors(5, dimension: 3, seed: 2)
      let (found, plan) = try database.search(queries, k: 100)
      #expect(plan.usesGraph)
      try database.expectSound(found, queries, k: 100)
      let (all, other) = try database.search([[1, 2, 3]], k: 5000)
      #expect(!other.usesGraph && all[0].count == 3000)
    }
  }

  @Test func fewRowsNeedNoGraph() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 3)
      try database.add(clusteredVectors(GraphBuild.leastRows - 1, dimension: 3, seed: 1))
      #expect {
        try database.buildGraph()
      } throws: {
        ($0 as? Fault)?.problem == "expected at least 1000 vectors for a graph, found 999"
      }
    }
  }
}
