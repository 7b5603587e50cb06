import Kernels
import Randomness
import TestSupport
import Testing

@testable import Query
@testable import Storage

/// What searches through lists find of queries that are unlike the rows, in clusters with nothing between.
@Suite struct IndexRecallTests {
  private static let dimension = 64

  @Test func recallIsReachedBetweenTheRowsAndRandomDirections() throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: Self.dimension)
      let vectors = clusteredVectors(10_000, dimension: Self.dimension, clusters: 60, seed: 1)
      try database.add(vectors)
      let record = try database.build().record
      #expect(record.calibrations.allSatisfy { !$0.wide.isEmpty })
      var generator = SeededGenerator(seed: 9)
      // Of ten neighbors among these the last is as far as of a hundred among all.
      let tenth = RowSet((0..<Row(10_000)).filter { _ in generator.next() % 10 == 0 })
      let like = clusteredVectors(400, dimension: Self.dimension, clusters: 60, seed: 3)
      let kinds: [(name: String, queries: [[Float]])] =
        [("like rows", like)]
        + [2, 3].map { ("means of \($0)", means(of: $0, vectors, count: 400, seed: UInt64($0))) }
        + [25.0, 40, 60, 80].map { ("\($0) degrees", turned(like, degrees: $0, seed: 5)) }
      for (name, queries) in kinds {
        for (k, rows) in [(1, nil), (10, nil), (100, nil), (10, tenth)] {
          let truth = try database.exact(queries, k: k, among: rows)
          for calibration in record.calibrations.prefix(3) {
            let found = try throughLists(queries, k: k, among: rows, calibration, in: database)
            let (_, recall, deviation) = reached(found, truth)
            // Of one neighbor all may have been found by chance.
            let tolerance = max(3 * deviation, k == 1 ? 0.02 : 0.005)
            #expect(
              recall >= calibration.recall - tolerance,
              "\(name), \(k) neighbors of \(rows?.count ?? 10_000), \(calibration.recall): \(recall)")
          }
        }
      }
    }
  }

  private func throughLists(
    _ queries: [[Float]], k: Int, among rows: RowSet?, _ calibration: IndexRecord.Calibration,
    in database: IndexedDatabase
  ) throws -> [[Neighbor]?] {
    try database.writer.database.read { snapshot in
      let index = try #require(try snapshot.index(of: database.space))
      let units = try queries.flatMap { $0 }.withUnsafeBufferPointer {
        try unitVectors($0, count: queries.count, space: database.space).vectors
      }
      return try IndexSearch(
        index, try CentreTable(of: index), calibration, k: k, wanted: rows.map { RowMask($0) }
      )
      .run(units, threads: 2).neighbors
    }
  }
}

@Suite struct WideReachStepsTests {
  private func kind(_ starts: ClosedRange<Float>, _ reach: Float, far: Float?) -> WideReachSteps.Kind {
    .init(starts: starts, reaches: [.init(neighbors: 10, reach: reach, range: 10 * reach, farReach: far)])
  }

  private let none = WideReachSteps.Kind(starts: 0...0.3, reaches: [])
  private let usual = WideReachSteps.Kind(
    starts: 0.1...0.4,
    reaches: [
      .init(neighbors: 10, reach: 0.25, range: 1), .init(neighbors: 100, reach: -0.1, range: 5),
    ])

  @Test func thoseLikeTheRowsFindEnoughWhereverTheyStart() {
    let steps = WideReachSteps.steps(
      beyond: 0.3, usual, [kind(0.2...0.6, 0.2, far: nil), kind(0.5...0.9, 0.3, far: nil)])
    #expect(steps.map(\.from2) == [0.3, 0.4, 0.5])
    #expect(steps.map { $0.reaches[0].reach } == [0.25, 0.2, 0.3])
    // For more neighbors than were measured of the others theirs hold.
    #expect(steps.map { $0.reaches.map(\.neighbors) } == [[10, 100], [10, 100], [10, 100]])
  }

  @Test func eachKindFindsEnoughWhereItHasQueries() {
    let steps = WideReachSteps.steps(
      beyond: 0.3, none,
      [kind(0.8...1.2, 0.1, far: 0.4), kind(0.2...0.6, 0.3, far: nil), kind(0.5...0.9, 0.2, far: 0.5)])
    #expect(steps.map(\.from2) == [0.3, 0.5, 0.8])
    #expect(steps.map { $0.reaches[0].reach } == [0.3, 0.3, 0.2])
    #expect(steps.map { $0.reaches[0].farReach } == [nil, 0.5, 0.5])
    #expect(steps.map { $0.reaches[0].range } == [3, 3, 2])
  }

  @Test func betweenTheRowsAndTheNearestKindItsReachesHold() {
    #expect(
      WideReachSteps.steps(beyond: 0.3, none, [kind(0.5...0.9, 0.2, far: nil)]).map(\.from2) == [0.3, 0.5])
    // What is nearer than nearly all rows tells nothing of what is beyond.
    #expect(WideReachSteps.steps(beyond: 0.3, none, [kind(0.1...0.2, 0.2, far: nil)]).isEmpty)
  }

  @Test func aQueryHasTheReachesOfTheStepBeforeItsStart() {
    let usual = IndexRecord.Reach(neighbors: 10, reach: 0, range: 1)
    let (near, far) = (
      IndexRecord.Reach(neighbors: 10, reach: 0.1, range: 1),
      IndexRecord.Reach(neighbors: 10, reach: 0.2, range: 1)
    )
    let calibration = IndexRecord.Calibration(
      recall: 0.9, reaches: [usual], farReach: 1, radius: 1, deviations: 1,
      wide: [.init(from2: 0.5, reaches: [near]), .init(from2: 0.75, reaches: [far])])
    #expect(calibration.reaches(start2: 0.25) == [usual])
    #expect(calibration.reaches(start2: 0.5) == [near])
    #expect(calibration.reaches(start2: 2) == [far])
  }
}
