import Kernels
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
      let like = clusteredVectors(400, dimension: Self.dimension, clusters: 60, seed: 3)
      let kinds: [(name: String, queries: [[Float]])] =
        [("like rows", like)]
        + [2, 3].map { ("means of \($0)", means(of: $0, vectors, count: 400, seed: UInt64($0))) }
        + [25.0, 40, 60, 80].map { ("\($0) degrees", turned(like, degrees: $0, seed: 5)) }
      for (name, queries) in kinds {
        for k in [1, 10, 100] {
          let truth = try database.exact(queries, k: k)
          for calibration in record.calibrations.prefix(3) {
            let found = try throughLists(queries, k: k, calibration, in: database)
            let (_, recall, deviation) = reached(found, truth)
            // Of one neighbor all may have been found by chance.
            let tolerance = max(3 * deviation, k == 1 ? 0.02 : 0.005)
            #expect(
              recall >= calibration.recall - tolerance,
              "\(name), \(k) neighbors, \(calibration.recall): \(recall)")
          }
        }
      }
    }
  }

  private func throughLists(
    _ queries: [[Float]], k: Int, _ calibration: IndexRecord.Calibration, in database: IndexedDatabase
  ) throws -> [[Neighbor]?] {
    try database.writer.database.read { snapshot in
      let index = try #require(try snapshot.index(of: database.space))
      let units = try queries.flatMap { $0 }.withUnsafeBufferPointer {
        try unitVectors($0, count: queries.count, space: database.space).vectors
      }
      return try IndexSearch(index, try CentreTable(of: index), calibration, k: k, wanted: nil)
        .run(units, threads: 2).neighbors
    }
  }
}

@Suite struct WideReachStepsTests {
  private func kind(_ starts: ClosedRange<Float>, _ reach: Float, far: Float?) -> WideReachSteps.Kind {
    .init(starts: starts, reaches: [.init(neighbors: 10, reach: reach, range: 10 * reach, farReach: far)])
  }

  @Test func eachKindFindsEnoughWhereItHasQueries() {
    let steps = WideReachSteps.steps(
      beyond: 0.3,
      [kind(0.8...1.2, 0.1, far: 0.4), kind(0.2...0.6, 0.3, far: nil), kind(0.5...0.9, 0.2, far: 0.5)])
    #expect(steps.map(\.from2) == [0.3, 0.5, 0.8])
    #expect(steps.map { $0.reaches[0].reach } == [0.3, 0.3, 0.2])
    #expect(steps.map { $0.reaches[0].farReach } == [nil, 0.5, 0.5])
    #expect(steps.map { $0.reaches[0].range } == [3, 3, 2])
  }

  @Test func betweenTheRowsAndTheNearestKindItsReachesHold() {
    #expect(WideReachSteps.steps(beyond: 0.3, [kind(0.5...0.9, 0.2, far: nil)]).map(\.from2) == [0.3, 0.5])
    // What is nearer than nearly all rows tells nothing of what is beyond.
    #expect(WideReachSteps.steps(beyond: 0.3, [kind(0.1...0.2, 0.2, far: nil)]).isEmpty)
    #expect(WideReachSteps.steps(beyond: 0.3, [.init(starts: 0.5...0.9, reaches: [])]).isEmpty)
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
