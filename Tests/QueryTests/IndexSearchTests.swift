import Faults
import Query
import Randomness
import Storage
import TestSupport
import Testing

private let dimension = 24

@Suite struct IndexSearchTests {
  @Test func resultsAreExactWhateverComesAndGoes() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      var generator = SeededGenerator(seed: 1)
      try database.add(clusteredVectors(5000, dimension: dimension, seed: 1))
      try database.build()
      // 500 neighbors under conditions: three standard deviations of a share of 0.99 are 0.013.
      let queries = clusteredVectors(100, dimension: dimension, seed: 2)
      for round in 0..<4 {
        let (found, plan) = try database.search(queries, k: 10)
        #expect(plan.usesLists)
        try database.expectSound(found, queries, k: 10)
        #expect(recall(found, try database.exact(queries, k: 10)) >= 0.97)
        let filter = RowSet((0..<Row(6000)).filter { _ in generator.next() % UInt64(2 + round * 3) == 0 })
        let (filtered, _) = try database.search(queries, k: 5, among: filter)
        try database.expectSound(filtered, queries, k: 5, among: filter)
        #expect(recall(filtered, try database.exact(queries, k: 5, among: filter)) >= 0.97)

        try database.delete((0..<300).map { _ in Row(generator.next() % 5000) })
        try database.add(clusteredVectors(100, dimension: dimension, seed: UInt64(10 + round)))
        let present = try database.writer.database.read { try $0.rows(in: database.space).toArray() }
        let changed = (0..<40).map { _ in present[Int(generator.next() % UInt64(present.count))] }
        try database.set(clusteredVectors(40, dimension: dimension, seed: UInt64(20 + round)), of: changed)
        if round == 1 { try database.build() }
        #expect(try database.writer.database.check().faults.isEmpty)
      }
    }
  }

  @Test func recallIsThatWhichWasAskedFor() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 64)
      try database.add(clusteredVectors(10_000, dimension: 64, clusters: 200, seed: 1, spread: 0.8))
      let record = try database.build().record
      #expect(record.calibrations.map(\.recall) == [0.9, 0.95, 0.99, 0.999])
      let queries = clusteredVectors(200, dimension: 64, clusters: 200, seed: 3, spread: 0.8)
      let truth = try database.exact(queries, k: 10)
      var compared = 0
      for asked in [0.9, 0.95, 0.99, 0.999] {
        let (found, plan) = try database.search(queries, k: 10, recall: asked)
        // 2,000 neighbors: three standard deviations of a share of 0.9 are 0.02.
        #expect(recall(found, truth) >= asked - 0.02)
        #expect(plan.work.rows > compared)
        compared = plan.work.rows
      }
    }
  }

  @Test func filtersOfAnySelectivityFindTheirNeighbors() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vectors = clusteredVectors(8000, dimension: dimension, seed: 4)
      try database.add(vectors)
      try database.build()
      let queries = clusteredVectors(20, dimension: dimension, seed: 5)
      var generator = SeededGenerator(seed: 6)
      var filters = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99].map { share in
        RowSet((0..<Row(8000)).filter { _ in Double(generator.next() % 100_000) < share * 100_000 })
      }
      // On one side of a plane, with the queries or away from them.
      filters.append(RowSet((0..<Row(8000)).filter { vectors[Int($0)][0] > 1 }))
      filters.append(RowSet((0..<Row(8000)).filter { vectors[Int($0)][0] < -1.5 }))
      for filter in filters {
        let (found, _) = try database.search(queries, k: 10, among: filter)
        try database.expectSound(found, queries, k: 10, among: filter)
        // 200 neighbors: three standard deviations of a share of 0.99 are 0.02.
        let reached = recall(found, try database.exact(queries, k: 10, among: filter))
        #expect(reached >= 0.97, "of \(filter.count) rows")
      }
    }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(3000, dimension: dimension, seed: 1))
      try database.build()
      let queries = clusteredVectors(100, dimension: dimension, seed: 2)
      let one = try database.search(queries, k: 7, threads: 1).neighbors
      for threads in [2, 3, 8] {
        #expect(try database.search(queries, k: 7, threads: threads).neighbors == one)
      }
    }
  }

  @Test func newRowsAreFoundBeforeAndAfterTheyAreIndexed() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(4000, dimension: dimension, seed: 1))
      try database.build()
      let fresh = clusteredVectors(50, dimension: dimension, seed: 9)
      let rows = try database.add(fresh)
      for _ in 0..<2 {
        let (found, _) = try database.search(fresh, k: 1)
        #expect(found.map { $0.first?.row } == rows)
        let summary = try database.build()
        #expect(!summary.isFresh)
      }
      let plan = try database.search(fresh, k: 1).plan
      #expect(plan.indexed == 4050 && plan.matching == 4050)
      #expect(try database.build().added == 0)
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  @Test func whatIsLeftOfAnIndexIsPutTogether() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(4000, dimension: dimension, seed: 1))
      #expect(try database.build().isFresh)
      let queries = clusteredVectors(40, dimension: dimension, seed: 4)
      try database.delete((0..<4000).filter { $0 % 10 < 3 })
      let added = try database.add(clusteredVectors(1200, dimension: dimension, seed: 3))
      let summary = try database.build()
      #expect(!summary.isFresh && summary.added == 1200)
      #expect(summary.record.segments.map(\.rowCount) == [4000])
      let vectors = clusteredVectors(3, dimension: dimension, seed: 2)
      try database.set(vectors, of: [2005, 2006, added[5]])
      // These rows have codes of what they were.
      #expect(try !database.build().isFresh)
      #expect(try database.writer.database.check().faults.isEmpty)
      let found = try database.search(vectors, k: 1).neighbors
      #expect(found.map { $0.first?.row } == [2005, 2006, added[5]])
      let near = try database.search(queries, k: 10)
      try database.expectSound(near.neighbors, queries, k: 10)
      let reached = recall(near.neighbors, try database.exact(queries, k: 10))
      try database.build(isFresh: true)
      let afresh = recall(
        try database.search(queries, k: 10).neighbors, try database.exact(queries, k: 10))
      // 400 neighbors: two standard deviations of a share of 0.99 are 0.01.
      #expect(reached >= afresh - 0.01)
    }
  }

  @Test func anIndexOfOtherVectorsIsMadeAnew() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(3000, dimension: dimension, seed: 1))
      try database.build()
      // A third came later.
      try database.add(clusteredVectors(1000, dimension: dimension, seed: 2))
      #expect(try !database.build().isFresh)
      try database.add(clusteredVectors(1000, dimension: dimension, seed: 3))
      #expect(try database.build().isFresh)
      // Less than half is left.
      try database.delete(0..<3000)
      #expect(try database.build().isFresh)
      try database.delete(3000..<4500)
      #expect {
        try database.build()
      } throws: {
        ($0 as? Fault)?.kind == .usage
      }
      let queries = clusteredVectors(5, dimension: dimension, seed: 6)
      try database.expectSound(database.search(queries, k: 3).neighbors, queries, k: 3)
    }
  }

  @Test func aQueryLeavesItsGroupOut() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vectors = clusteredVectors(3000, dimension: dimension, seed: 1)
      let rows = RowSet(try database.add(vectors))
      try database.build()
      // Groups of 30 rows; each row is a query.
      let groups = (0..<3000).map { Int32($0 / 30) }
      let queries = Array(stride(from: 0, to: 3000, by: 61))
      let excluded = ExcludedGroups(ofQuery: queries.map { groups[$0] }, ofRow: groups)
      let (found, plan) = try #require(
        try database.writer.database.read {
          try $0.nearestThroughIndex(
            to: queries.flatMap { vectors[$0] }, count: queries.count, k: 10, in: database.space, among: rows,
            excluding: excluded, recall: 0.99, threads: 2, scanWeight: SearchPlan.indexWeight)
        })
      #expect(plan.usesLists)
      var truth: [[Neighbor]] = []
      for (query, neighbors) in zip(queries, found) {
        let others = rows.subtracting(
          RowSet((0..<3000).filter { groups[$0] == groups[query] }.map { Row($0) }))
        truth += try database.exact([vectors[query]], k: 10, among: others)
        #expect(neighbors.count == 10 && neighbors.allSatisfy { groups[Int($0.row)] != groups[query] })
      }
      #expect(recall(found, truth) >= 0.97)
      // It is left to the caller where comparing all takes less time.
      #expect(
        try database.writer.database.read {
          try $0.nearestThroughIndex(
            to: vectors[0], count: 1, k: 10, in: database.space, among: rows,
            excluding: .init(ofQuery: [0], ofRow: groups), recall: 0.99, threads: 1, scanWeight: 0)
        } == nil)
      // A query of zeros is compared with all, and the others go on through the index.
      let zero = [Float](repeating: 0, count: dimension)
      let (mixed, mixedPlan) = try #require(
        try database.writer.database.read {
          try $0.nearestThroughIndex(
            to: zero + vectors[queries[1]], count: 2, k: 10, in: database.space, among: rows,
            excluding: .init(ofQuery: [0, groups[queries[1]]], ofRow: groups), recall: 0.99, threads: 2,
            scanWeight: SearchPlan.indexWeight)
        })
      #expect(mixedPlan.usesLists && mixed[1] == found[1] && mixed[0].map(\.row) == Array(30..<40))
      try database.add(Array(vectors[..<5]))
      #expect(
        try database.writer.database.read {
          try $0.nearestThroughIndex(
            to: vectors[0], count: 1, k: 1, in: database.space, among: RowSet(0..<3005), excluding: excluded,
            recall: 0.99, threads: 1, scanWeight: SearchPlan.indexWeight)
        } == nil)
    }
  }
}

@Suite struct UnusualVectorsTests {
  @Test func equalVectorsComeInOrderOfRows() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let vector = clusteredVectors(1, dimension: dimension, seed: 1)[0]
      try database.add(Array(repeating: vector, count: 2000))
      try database.build()
      let (found, plan) = try database.search([vector], k: 12)
      #expect(plan.usesLists)
      #expect(found[0].map(\.row) == Array(0..<12))
      try database.expectSound(found, [vector], k: 12)
    }
  }

  @Test func oneVectorThousandsOfTimesHidesNoOther() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let others = clusteredVectors(2000, dimension: dimension, seed: 1)
      try database.add(others + Array(repeating: others[0], count: 10_000))
      try database.build()
      let queries = Array(others[1..<31])
      let (found, _) = try database.search(queries, k: 3)
      try database.expectSound(found, queries, k: 3)
      #expect(recall(found, try database.exact(queries, k: 3)) >= 0.97)
    }
  }

  @Test func zeroVectorsAreFoundWithASimilarityOfZero() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      let zero = [Float](repeating: 0, count: dimension)
      let others = clusteredVectors(1500, dimension: dimension, seed: 1)
      try database.add(others + Array(repeating: zero, count: 500))
      try database.build()
      let zeros = RowSet(1500..<2000)
      let (found, _) = try database.search([others[3]], k: 20, among: zeros)
      #expect(found[0].count == 20 && found[0].allSatisfy { $0.similarity == 0 })
      let (nothing, plan) = try database.search([zero], k: 4)
      #expect(!plan.usesLists && nothing[0].map(\.row) == [0, 1, 2, 3])
      #expect(try database.writer.database.check().faults.isEmpty)
    }
  }

  @Test func queriesUnlikeAnyVectorFindTheirNeighbors() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: dimension)
      try database.add(clusteredVectors(5000, dimension: dimension, seed: 1))
      try database.build()
      var generator = SeededGenerator(seed: 8)
      var queries = (0..<30).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
      queries.append((0..<dimension).map { $0 == 5 ? -1e30 : 0 })
      queries.append((0..<dimension).map { $0 == 5 ? 1e-30 : 0 })
      let (found, _) = try database.search(queries, k: 10)
      try database.expectSound(found, queries, k: 10)
      #expect(recall(found, try database.exact(queries, k: 10)) >= 0.97)
    }
  }

  @Test func moreNeighborsThanRowsAreAllRows() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 3)
      try database.add(clusteredVectors(1000, dimension: 3, seed: 1))
      try database.build()
      let (found, _) = try database.search([[1, 2, 3]], k: 5000)
      #expect(found[0].count == 1000)
      let (few, _) = try database.search([[1, 2, 3]], k: 3, among: RowSet([7, 900]))
      #expect(Set(few[0].map(\.row)) == [7, 900])
      let (none, _) = try database.search([[1, 2, 3]], k: 3, among: RowSet([5000]))
      #expect(none == [[]])
    }
  }

  @Test func fewRowsNeedNoIndex() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: 3)
      try database.add(clusteredVectors(IndexBuild.leastRows - 1, dimension: 3, seed: 1))
      #expect {
        try database.build()
      } throws: {
        ($0 as? Fault)?.problem == "expected at least 1000 vectors for an index, found 999"
      }
    }
  }
}
