import TestSupport
import Testing

@testable import Query
@testable import Storage

@Suite struct VisitTraceTests {
  private static let dimension = 32
  private static let k = 10

  /// Whatever a trace says of a reach is what a search with that reach finds and does.
  @Test(arguments: [VisitRule.near, .far]) func aTraceTellsOfShorterSearches(rule: VisitRule) throws {
    try withTemporaryDirectory { directory in
      var database = try IndexedDatabase(in: directory, dimension: Self.dimension)
      try database.add(clusteredVectors(4000, dimension: Self.dimension, seed: 1))
      try database.build()
      let space = database.space
      try database.writer.database.read { snapshot in
        let index = try #require(try snapshot.index(of: space))
        let table = try CentreTable(of: index)
        let measured = try #require(index.record.calibrations.last)
        func search(_ reach: Float, _ rule: VisitRule, isTraced: Bool = false) -> IndexSearch {
          let calibration = IndexRecord.Calibration(
            recall: measured.recall, reaches: [.init(neighbors: Self.k, reach: reach, range: 0)],
            farReach: reach, radius: measured.radius, deviations: measured.deviations)
          return IndexSearch(
            index, table, calibration, k: Self.k, wanted: nil, rule: rule, isTraced: isTraced)
        }
        for vector in clusteredVectors(8, dimension: Self.dimension, seed: 5) {
          let query = try vector.withUnsafeBufferPointer {
            try unitVectors($0, count: 1, space: space).vectors
          }
          let trace = try search(0.5, rule, isTraced: true).traces(query, threads: 1)[0]
          let nearest = try database.exact([vector], k: 400)[0]
          let reaches = nearest.map { trace.reaches([$0.row], rule)[0] }
          for reach: Float in [-0.2, -0.05, 0.05, 0.15, 0.3, 0.45] {
            let (found, work) = try search(reach, rule).run(query, threads: 1)
            #expect(trace.work(within: reach, rule) == work)
            // What it finds needs no more, and what is nearer and was not found needs more.
            let told = zip(nearest, reaches).filter { $0.1 <= reach }.map(\.0)
            #expect(told.count >= Self.k && found[0] == Array(told.prefix(Self.k)))
          }
          #expect(trace.reaches([.max], rule) == [.infinity])
        }
      }
    }
  }
}
