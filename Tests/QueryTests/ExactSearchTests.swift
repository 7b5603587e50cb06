import Faults
import Randomness
import Storage
import Testing

@testable import Query

private func randomVectors(
  _ count: Int, _ dimension: Int, absent: UInt64 = 0, using generator: inout SeededGenerator
) -> [[Float]?] {
  (0..<count).map { _ in
    generator.next() % 100 < absent ? nil : (0..<dimension).map { _ in Float(generator.normal()) }
  }
}

private func randomRows(_ count: Int, percent: UInt64, using generator: inout SeededGenerator) -> RowSet {
  RowSet((0..<Row(count)).filter { _ in generator.next() % 100 < percent })
}

@Suite struct ExactSearchTests {
  @Test(arguments: [1, 5, 8, 33, 64], ScalarType.allCases)
  func theNearestAreThoseOfBruteForce(dimension: Int, scalar: ScalarType) throws {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let source = MemoryVectors(
      randomVectors(150, dimension, absent: 20, using: &generator), dimension: dimension, rowsPerBlock: 16,
      scalar: scalar)
    let queries = randomVectors(3, dimension, using: &generator).compactMap { $0 }
    for percent in [0, 2, 30, 100] as [UInt64] {
      let rows = randomRows(150, percent: percent, using: &generator)
      for k in [1, 10, 500] {
        let found = try source.nearest(
          to: queries.flatMap { $0 }, count: 3, k: k, in: source.space, among: rows, threads: 2)
        for (query, found) in zip(queries, found) {
          let expected = source.bruteForce(query, k: k, among: rows)
          #expect(found.count == min(k, rows.intersection(source.present).count))
          for (found, expected) in zip(found, expected) {
            #expect(abs(Double(found.similarity) - expected.similarity) < 1e-5)
            // Rounded to few bits, vectors of one number are all equally similar, but for their last bits.
            #expect(found.row == expected.row || (dimension == 1 && scalar != .float32))
          }
        }
      }
    }
  }

  @Test(arguments: ScalarType.allCases)
  func resultsAreTheSameBitsForAnyThreadsBatchesAndBlocks(scalar: ScalarType) throws {
    var generator = SeededGenerator(seed: 77)
    let dimension = 21
    let vectors = randomVectors(300, dimension, absent: 10, using: &generator)
    let queries = randomVectors(67, dimension, using: &generator).compactMap { $0 }
    let rows = randomRows(300, percent: 60, using: &generator)
    var truth: [[Neighbor]]?
    for rowsPerBlock in [1, 7, 64, 300] {
      let source = MemoryVectors(vectors, dimension: dimension, rowsPerBlock: rowsPerBlock, scalar: scalar)
      for threads in [1, 2, 5] {
        let found = try source.nearest(
          to: queries.flatMap { $0 }, count: queries.count, k: 9, in: source.space, among: rows,
          threads: threads)
        #expect(found == truth ?? found)
        truth = found
      }
      for (query, expected) in zip(queries, truth ?? []).prefix(5) {
        let alone = try source.nearest(to: query, count: 1, k: 9, in: source.space, among: rows)
        #expect(alone == [expected])
      }
    }
  }

  @Test func equalSimilaritiesAreOrderedByRow() throws {
    let same = [Float](repeating: 0.5, count: 6)
    let source = MemoryVectors(
      (0..<40).map { $0 == 20 ? nil : same }, dimension: 6, rowsPerBlock: 3)
    for threads in 1...4 {
      let found = try source.nearest(to: same, count: 1, k: 22, in: source.space, threads: threads)
      #expect(found[0].map(\.row) == (0..<23).filter { $0 != 20 })
      #expect(Set(found[0].map(\.similarity)).count == 1)
    }
  }

  @Test func aVectorFindsItselfFirst() throws {
    var generator = SeededGenerator(seed: 4)
    let source = MemoryVectors(randomVectors(50, 16, using: &generator), dimension: 16, rowsPerBlock: 8)
    for row in [0, 17, 49] {
      let found = try source.nearest(to: source.vector(row), count: 1, k: 1, in: source.space)
      #expect(found[0][0].row == Row(row) && abs(found[0][0].similarity - 1) < 1e-6)
    }
  }

  @Test func zeroVectorsAreSimilarToNothingAndLengthDoesNotMatter() throws {
    let source = MemoryVectors(
      [[0, 0], [1e30, 0], [-1, 0], [1e-30, 1e-30]], dimension: 2, rowsPerBlock: 4)
    let found = try source.nearest(to: [1e38, 0, 0, 0], count: 2, k: 4, in: source.space)
    #expect(found[0].map(\.row) == [1, 3, 0, 2])
    #expect(found[0].map(\.similarity) == [1, Float(0.5.squareRoot()), 0, -1])
    #expect(found[1] == (0..<4).map { Neighbor(row: $0, similarity: 0) })
  }

  @Test func noQueriesNoRowsAndNoMatchesGiveEmptyLists() throws {
    let source = MemoryVectors([[1, 2], nil], dimension: 2, rowsPerBlock: 4)
    #expect(try source.nearest(to: [], count: 0, k: 3, in: source.space).isEmpty)
    #expect(try source.nearest(to: [1, 1], count: 1, k: 3, in: source.space, among: RowSet([1])) == [[]])
    let nothing = MemoryVectors([], dimension: 2, rowsPerBlock: 4)
    #expect(try nothing.nearest(to: [1, 1, 2, 2], count: 2, k: 3, in: nothing.space) == [[], []])
  }

  @Test func queriesThatAreNotFiniteOrOfAnotherDimensionAreFaults() {
    let source = MemoryVectors([[1, 2]], dimension: 2, rowsPerBlock: 4)
    for value in [Float.nan, .infinity, -.infinity] {
      let fault = #expect(throws: Fault.self) {
        try source.nearest(to: [1, 1, 1, value], count: 2, k: 1, in: source.space)
      }
      #expect(fault?.description == "query 1: holds NaN or infinity")
    }
    let fault = #expect(throws: Fault.self) {
      try source.nearest(to: [1, 2, 3], count: 1, k: 1, in: source.space)
    }
    #expect(
      fault?.description
        == "query: expected vectors of 2 numbers (space \"test\"), found 3; "
        + "search with vectors that the same space's backbone made")
    #expect(fault?.kind == .usage)
  }

  @Test func onlyNeighborsThatAreSimilarEnoughAreFound() throws {
    var generator = SeededGenerator(seed: 91)
    let source = MemoryVectors(
      randomVectors(200, 4, absent: 10, using: &generator), dimension: 4, rowsPerBlock: 16)
    let query = randomVectors(1, 4, using: &generator).compactMap { $0 }[0]
    let all = try source.nearest(to: query, count: 1, k: .max, in: source.space)[0]
    #expect(all.count == source.present.count)
    for least in [-1, -0.3, all[20].similarity, 0.9999] as [Float] {
      for k in [3, .max] {
        let found = try source.nearest(
          to: query, count: 1, k: k, in: source.space, atLeast: least, threads: 3)
        #expect(found[0] == Array(all.filter { $0.similarity >= least }.prefix(k)))
      }
    }
  }

  @Test func nearestNeighborsKeepTheBestOfWhatTheyAreOffered() {
    var generator = SeededGenerator(seed: 8)
    for capacity in [1, 2, 7, 100] {
      let offered = generator.permutation(of: 60).map {
        Neighbor(row: Row($0), similarity: Float($0 / 4) / 16)
      }
      let expected = offered.sorted { ($1.similarity, $0.row) < ($0.similarity, $1.row) }.prefix(capacity)
      var nearest = NearestNeighbors(capacity: capacity, least: -1)
      for neighbor in offered { nearest.offer(neighbor) }
      #expect(nearest.sorted() == Array(expected))
    }
  }
}
