import Randomness
import Storage
import Testing

@testable import Query

/// Vectors that try the bounds of coarse copies: clusters with equal and nearly equal members, zeros, a number far above
/// the others, and all lengths.
private func difficultVectors(_ count: Int, _ dimension: Int, seed: UInt64) -> [[Float]?] {
  var generator = SeededGenerator(seed: seed)
  func normals(_ scale: Float) -> [Float] { (0..<dimension).map { _ in Float(generator.normal()) * scale } }
  let centres = (0..<6).map { _ in normals(1) }
  return (0..<count).map { row in
    let centre = centres[row % 6]
    switch generator.next() % 12 {
    case 0: return nil
    case 1: return centre
    case 2: return [Float](repeating: 0, count: dimension)
    case 3: return zip(centre, normals(1e-6)).map { $0 + $1 }
    case 4: return zip(centre, normals(0.1)).map { ($0 + $1) * 0.01 }
    case 5: return normals(1)
    case 6:
      var vector = normals(1)
      vector[row % dimension] = 100
      return vector
    default: return zip(centre, normals(0.3)).map { $0 + $1 }
    }
  }
}

private func queries(_ count: Int, like vectors: [[Float]?], _ dimension: Int, seed: UInt64) -> [[Float]] {
  var generator = SeededGenerator(seed: seed)
  let present = vectors.compactMap { $0 }
  return (0..<count).map { query in
    if query == 3 { return [Float](repeating: 0, count: dimension) }
    let vector = present[Int(generator.next() % UInt64(present.count))]
    if query % 2 == 0 { return vector }
    return vector.map { $0 + 0.2 * Float(generator.normal()) }
  }
}

@Suite struct CoarseSearchTests {
  private let rowCount = 900

  /// What a comparison of every vector gives: a query at a time, and without copies.
  private func plain(
    _ source: MemoryVectors, _ queries: [[Float]], k: Int, among rows: RowSet?, atLeast least: Float = -1
  ) throws -> [[Neighbor]] {
    try queries.map { query in
      try query.withUnsafeBufferPointer { query in
        let (found, work) = try source.nearest(
          to: query, count: 1, in: source.space, ExactRequest(k: k, atLeast: least), among: rows)
        #expect(work.coarse == 0)
        return found[0]
      }
    }
  }

  @Test(arguments: [33, 64, 100], ScalarType.allCases)
  func neighborsAreThoseOfComparingEveryVectorBitForBit(dimension: Int, scalar: ScalarType) throws {
    let vectors = difficultVectors(rowCount, dimension, seed: UInt64(dimension))
    let bare = MemoryVectors(vectors, dimension: dimension, rowsPerBlock: 100, scalar: scalar)
    let asked = queries(21, like: vectors, dimension, seed: 5)
    var generator = SeededGenerator(seed: 9)
    for percent in [3, 40, 85, 100] as [UInt64] {
      let rows = RowSet((0..<Row(rowCount)).filter { _ in generator.next() % 100 < percent })
      for (k, least) in [(1, -1), (10, -1), (40, 0.6), (.max, 0.7)] as [(Int, Float)] {
        let truth = try plain(bare, asked, k: k, among: rows, atLeast: least)
        for (rowsPerBlock, withoutCopy) in [(100, nil), (100, 3), (700, 2), (16, 1000)] as [(Int, Int?)] {
          let source = MemoryVectors(
            vectors, dimension: dimension, rowsPerBlock: rowsPerBlock, scalar: scalar,
            withoutCopy: withoutCopy)
          for (count, threads) in [(1, 1), (5, 2), (21, 1), (21, 3)] {
            let found = try source.nearest(
              to: asked.prefix(count).flatMap { $0 }, count: count, k: k, in: source.space, among: rows,
              atLeast: least, threads: threads)
            #expect(found == Array(truth.prefix(count)))
          }
        }
      }
    }
  }

  @Test func copiesRuleMostVectorsOut() throws {
    let dimension = 96
    var generator = SeededGenerator(seed: 2)
    let vectors = (0..<3000).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
    for (withoutCopy, count, areStored) in [(nil, 32, false), (1000, 1, true)] as [(Int?, Int, Bool)] {
      let source = MemoryVectors(
        vectors, dimension: dimension, rowsPerBlock: 300, withoutCopy: withoutCopy)
      let queries = vectors.prefix(count).flatMap { $0 }
      let (found, work) = try queries.withUnsafeBufferPointer {
        try source.nearest(to: $0, count: count, in: source.space, ExactRequest(k: 5))
      }
      #expect(found.enumerated().allSatisfy { $1[0].row == Row($0) })
      #expect(work.areStored == areStored)
      // The first block without a copy, or before there are five neighbors, is compared whole.
      #expect(work.coarse >= 2700 * count && work.compared < 900 * count)
    }
  }

  @Test func fewWantedVectorsOfEachBlockAreRuledOutTogether() throws {
    let dimension = 96
    var generator = SeededGenerator(seed: 4)
    let vectors = (0..<6000).map { _ in (0..<dimension).map { _ in Float(generator.normal()) } }
    let source = MemoryVectors(vectors, dimension: dimension, rowsPerBlock: 30)
    let rows = RowSet((0..<6000).filter { $0 % 8 == 3 })
    let queries = vectors.prefix(32).flatMap { $0 }
    let (found, work) = try queries.withUnsafeBufferPointer {
      try source.nearest(to: $0, count: 32, in: source.space, ExactRequest(k: 5), among: rows, threads: 2)
    }
    // Four vectors of a block are fewer than the neighbors that a lane begins with: apart, all would be compared.
    #expect(work.coarse == 750 * 32 && work.compared < work.coarse / 4)
    #expect(found == (try plain(source, vectors.prefix(32).map { $0 }, k: 5, among: rows)))
  }

  /// What was found among other rows changes what is looked at, not what is found.
  @Test(arguments: [1, 9], [1, 2, 24])
  func neighborsBesidesOthersAreThoseOfBoth(k: Int, count: Int) throws {
    let dimension = 48
    let source = MemoryVectors(
      difficultVectors(rowCount, dimension, seed: 17), dimension: dimension, rowsPerBlock: 100)
    let asked = queries(count, like: difficultVectors(rowCount, dimension, seed: 17), dimension, seed: 6)
    let first = RowSet(source.present.toArray().filter { $0 % 10 != 3 })
    let second = source.present.subtracting(first)
    for least in [-1, 0.9] as [Float] {
      var request = ExactRequest(k: k, atLeast: least)
      request.found = try plain(source.bare, asked, k: k, among: first, atLeast: least)
      let (found, work) = try asked.flatMap { $0 }.withUnsafeBufferPointer {
        try source.nearest(to: $0, count: count, in: source.space, request, among: second, threads: 2)
      }
      let expected = try plain(source.bare, asked, k: k, among: nil, atLeast: least)
      #expect(found == expected)
      #expect(work.compared <= second.count * count)
      let among = try asked.flatMap { $0 }.withUnsafeBufferPointer {
        try source.nearest(to: $0, count: count, in: source.space, request, among: RowSet([]), threads: 2)
      }
      #expect(among.neighbors == request.found)
    }
  }

  @Test func cellsOfAQueriesOwnGroupAreNoNeighbors() throws {
    let dimension = 48
    let vectors = difficultVectors(rowCount, dimension, seed: 8)
    let asked = queries(24, like: vectors, dimension, seed: 6)
    let ofRow = (0..<800).map { Int32($0 % 6) }
    let ofQuery = asked.indices.map { Int32($0 % 7) - 1 }
    let groups = ExcludedGroups(ofQuery: ofQuery, ofRow: ofRow)
    for withoutCopy in [nil, 2] as [Int?] {
      let source = MemoryVectors(vectors, dimension: dimension, rowsPerBlock: 100, withoutCopy: withoutCopy)
      for count in [2, 24] {
        let (found, _) = try asked.prefix(count).flatMap { $0 }.withUnsafeBufferPointer {
          try source.nearest(
            to: $0, count: count, in: source.space, ExactRequest(k: 9, excluding: groups), threads: 2)
        }
        for query in 0..<count {
          let others = source.present.toArray().filter {
            $0 >= 800 || ofRow[Int($0)] != ofQuery[query]
          }
          #expect(try [found[query]] == plain(source.bare, [asked[query]], k: 9, among: RowSet(others)))
        }
      }
    }
  }

  @Test(arguments: [Metric.dot, .l2], ScalarType.allCases)
  func productsAndDistancesAreThoseOfBruteForce(metric: Metric, scalar: ScalarType) throws {
    let dimension = 40
    let vectors = difficultVectors(500, dimension, seed: 12)
    let source = MemoryVectors(
      vectors, dimension: dimension, rowsPerBlock: 64, scalar: scalar, withoutCopy: 2)
    for query in queries(20, like: vectors, dimension, seed: 3) {
      var truth = source.present.toArray().map { row -> (row: Row, similarity: Double) in
        let pairs = zip(query, source.vector(Int(row))).map { (Double($0), Double($1)) }
        if metric == .dot { return (row, pairs.reduce(0) { $0 + $1.0 * $1.1 }) }
        return (row, -pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot())
      }
      truth.sort { ($1.similarity, $0.row) < ($0.similarity, $1.row) }
      for threads in [1, 3] {
        let found = try source.nearest(
          to: query, count: 1, k: 30, in: source.space, metric: metric, threads: threads)[0]
        #expect(found.count == 30)
        for (found, truth) in zip(found, truth) {
          // The terms of a product are at most a hundred times a hundred.
          #expect(
            abs(Double(found.similarity) - truth.similarity) <= 1e-6 * max(1, abs(truth.similarity)) + 1e-5)
        }
        #expect(found == found.sorted { $0.precedes($1) })
        let last = found[20].similarity
        let near = try source.nearest(
          to: query, count: 1, k: .max, in: source.space, metric: metric, atLeast: last, threads: threads)[0]
        #expect(
          near.count >= 21 && near.allSatisfy { $0.similarity >= last }
            && near.prefix(30) == found.prefix(near.count))
      }
    }
  }

  @Test func distancesAreNotNegativeAndEqualOnesAreOrderedByRow() throws {
    let source = MemoryVectors([[1, 2], [5, 5], [1, 2], nil, [1, 3]], dimension: 2, rowsPerBlock: 2)
    let found = try source.nearest(to: [1, 2], count: 1, k: 9, in: source.space, metric: .l2)[0]
    #expect(found.map(\.row) == [0, 2, 4, 1])
    #expect(found.map { Metric.l2.value(of: $0) } == [0, 0, 1, 5])
    #expect(found.allSatisfy { Metric.l2.value(of: $0).sign == .plus })
  }
}

extension MemoryVectors {
  /// The same vectors without copies.
  fileprivate var bare: MemoryVectors {
    MemoryVectors(
      (0..<rowLimit).map { present.contains(Row($0)) ? vector($0) : nil }, dimension: space.dimension,
      rowsPerBlock: rowsPerBlock, scalar: space.scalar)
  }
}
