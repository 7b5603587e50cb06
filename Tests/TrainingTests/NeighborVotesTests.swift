import Faults
import Identity
import Query
import Randomness
import Storage
import TestSupport
import Testing

@testable import Training

/// Vectors with labels and groups, and what NumPy makes of their neighbors.
private struct NeighborsFixture: Decodable {
  struct Result: Decodable {
    let k: Int
    let probabilities: [Double]
    let macroF1, microF1: Double
    /// Scores of one label a cell; empty of several.
    let agreement: [Training.Metric: Double]
  }

  let dimension: Int
  let temperature: Double
  let vectors: [Float]
  let groups, single: [Int]
  let several: [[Int]]
  let cases: [String: [Result]]
}

@Suite struct NeighborVotesTests {
  private func fill(_ writer: DatabaseWriter, with fixture: NeighborsFixture) throws -> SpaceRecord {
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string).id
      let single = try transaction.field(named: "single", type: .string).id
      let several = try transaction.field(named: "several", type: .list).id
      let space = try transaction.addSpace(name: "s", dimension: fixture.dimension)
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: "image"), name: "image", files: [], width: 8, height: 8))
      let cells = fixture.groups.indices.map { index in
        CellRecord(
          image: image, object: .label(UInt32(index + 1)), geometry: nil,
          values: [
            gene: .string("G\(fixture.groups[index])"), single: .string("\(fixture.single[index])"),
            several: .list(fixture.several[index].map(String.init)),
          ])
      }
      let rows = try transaction.addCells(cells, of: image)
      try fixture.vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
      return space
    }
  }

  private func withFixture(
    _ body: (NeighborsFixture, SpaceRecord, borrowing Snapshot) throws -> Void
  ) throws {
    let fixture: NeighborsFixture = try decodeFixture("neighbors")
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try fill(writer, with: fixture)
      try writer.database.read { try body(fixture, space, $0) }
    }
  }

  /// Scores are scikit-learn's.
  @Test(arguments: [
    ("best", "single", FoldGrouping.field("gene"), ClassificationTask?.none),
    ("majority", "several", .field("gene"), nil), ("ungrouped", "several", .none, .multi),
    ("singleMajority", "single", .field("gene"), .multi),
  ])
  func votesAreThoseOfNumPy(
    name: String, labels: String, grouping: FoldGrouping, task: ClassificationTask?
  ) throws {
    try withFixture { fixture, space, snapshot in
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: labels, grouping: grouping)
      let expected = try #require(fixture.cases[name])
      for threads in [1, 3] {
        let votes = try NeighborVotes(
          of: samples, in: space, of: snapshot, ks: expected.map(\.k),
          rule: NeighborVotes.Rule(try samples.task(task)),
          temperature: fixture.temperature, threads: threads)
        for (found, expected) in zip(votes.results, expected) {
          let probabilities = (0..<Int32(samples.rows.count)).flatMap { found.probabilities[$0] }
          #expect(found.k == expected.k && probabilities.count == expected.probabilities.count)
          for (found, expected) in zip(probabilities, expected.probabilities) {
            #expect(abs(Double(found) - expected) < 1e-5)
          }
          #expect(abs(found.scores.macroF1 - expected.macroF1) < 1e-9)
          #expect(abs(found.scores.microF1 - expected.microF1) < 1e-9)
          #expect(found.scores.task == (expected.agreement.isEmpty ? .multi : .single))
          for (metric, expected) in expected.agreement {
            #expect(abs((found.scores.value(of: metric) ?? .nan) - expected) < 1e-9, "\(metric)")
          }
        }
      }
    }
  }

  /// A head of neighbors that is tested on each group by itself says what the votes say, bit for bit.
  @Test(arguments: [("single", 20), ("several", 5)])
  func headsTestedOnOneGroupAtATimeAreTheVotes(labels: String, count: Int) throws {
    try withFixture { fixture, space, snapshot in
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: labels, grouping: .field("gene"))
      let votes = try NeighborVotes(
        of: samples, in: space, of: snapshot, ks: [count], rule: NeighborVotes.Rule(samples.task(nil)),
        temperature: 0.07, threads: 2)
      var plan = TrainingPlan(
        labelField: labels, grouping: .field("gene"), folds: try #require(samples.groupCount))
      plan.configuration.neighbors = NeighborConfiguration(counts: [count])
      for threads in [1, 3] {
        let validation = try plan.run(snapshot: snapshot, space: space, threads: threads).validation
        #expect(validation.probabilities == votes.results[0].probabilities)
        #expect(validation.pooled == votes.results[0].scores)
      }
    }
  }

  @Test func oneLabelIsNotGivenToCellsOfSeveral() throws {
    try withFixture { fixture, space, snapshot in
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: "several", grouping: .none)
      let fault = #expect(throws: Fault.self) {
        try NeighborVotes(
          of: samples, in: space, of: snapshot, ks: [1], rule: .best, temperature: 0.07, threads: 1)
      }
      #expect(fault?.kind == .badData)
    }
  }

  @Test func fewerNeighborsThanAskedForVoteAlone() throws {
    try withFixture { fixture, space, snapshot in
      let few = RowSet(0..<3)
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: "single", grouping: .none, among: few)
      let votes = try NeighborVotes(
        of: samples, in: space, of: snapshot, ks: [2, 100], rule: .best, temperature: 0.07, threads: 1)
      #expect(votes.results[0].probabilities == votes.results[1].probabilities)
    }
  }

  @Test func oneGroupCannotBeClassified() throws {
    try withFixture { fixture, space, snapshot in
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: "single", grouping: .image)
      #expect(throws: Fault.self) {
        try NeighborVotes(
          of: samples, in: space, of: snapshot, ks: [1], rule: .best, temperature: 0.07, threads: 1)
      }
    }
  }

  @Test func anIndexVotesAsAllNeighborsDo() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      var generator = SeededGenerator(seed: 1)
      let (count, dimension) = (2_000, 16)
      let centres = (0..<60 * dimension).map { _ in Float(generator.normal()) }
      let classes = (0..<count).map { _ in Int(generator.next() % 60) }
      let vectors = classes.flatMap { kind in
        centres[kind * dimension..<(kind + 1) * dimension].map { $0 + 0.5 * Float(generator.normal()) }
      }
      let space = try writer.write { transaction in
        let kind = try transaction.field(named: "kind", type: .string).id
        let gene = try transaction.field(named: "gene", type: .string).id
        let space = try transaction.addSpace(name: "s", dimension: dimension)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "image"), name: "image", files: [], width: 8, height: 8))
        let rows = try transaction.addCells(
          classes.enumerated().map { index, number in
            CellRecord(
              image: image, object: .label(UInt32(index + 1)), geometry: nil,
              values: [kind: .string("\(number)"), gene: .string("G\(index / 20)")])
          }, of: image)
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
        return space
      }
      func votes(_ recall: Double, _ grouping: FoldGrouping) throws -> NeighborVotes {
        try writer.database.read { snapshot in
          let samples = try DatabaseSamples(
            snapshot: snapshot, space: space, labelField: "kind", grouping: grouping)
          return try NeighborVotes(
            of: samples, in: space, of: snapshot, ks: [1, 10], rule: .best, temperature: 0.07, recall: recall,
            scanWeight: SearchPlan.indexWeight, threads: 2)
        }
      }
      let exact = try votes(0.99, .field("gene"))
      #expect(exact.indexUse == nil)
      _ = try IndexBuild(of: space, in: writer, threads: 2).run()
      for grouping in [FoldGrouping.field("gene"), .none] {
        let exact = try votes(1, grouping)
        let found = try votes(0.99, grouping)
        let use = try #require(found.indexUse)
        #expect(exact.indexUse == nil && use.compared == 256 && use.agreeing >= 245)
        for (found, exact) in zip(found.results, exact.results) {
          #expect(abs(found.scores.microF1 - exact.scores.microF1) < 0.01)
        }
      }
    }
  }
}
