import Faults
import Identity
import Query
import Storage
import TestSupport
import Testing

@testable import Training

/// Voters, and what scikit-learn makes of them.
private struct VotersFixture: Decodable {
  struct Case: Decodable {
    let k: Int
    let temperature: Double
    /// [queries, classes]
    let single, several, graded: [Double]
  }

  let dimension, classCount, voterCount: Int
  let vectors: [Float]
  let single, several: [[Int]]
  /// [voters, classes]
  let targets: [Float]
  let cases: [Case]

  var source: InMemoryVectors { InMemoryVectors(vectors, dimension: dimension) }
  /// Those that do not vote.
  var queries: [Int32] { (voterCount..<source.count).map(Int32.init) }
}

@Suite struct NeighborHeadTests {
  /// Labels of all vectors, of which those of the queries are not looked at.
  private func labels(_ members: [[Int]], of fixture: VotersFixture) throws -> LabelTable {
    try labelTable(members + fixture.queries.map { _ in [0] }, classCount: fixture.classCount)
  }

  private func fit(
    _ fixture: VotersFixture, _ members: [[Int]], _ task: ClassificationTask, counts: [Int],
    temperature: Double = 0.07, targets: SoftTargets? = nil, validation: [Int32] = [],
    threads: Int = 1, change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> HeadFit {
    var configuration = TrainingConfiguration().adapted(to: task)
    configuration.neighbors = NeighborConfiguration(counts: counts, temperature: temperature)
    change(&configuration)
    let held = Set(validation)
    let samples = (0..<Int32(fixture.voterCount)).filter { !held.contains($0) }
    return try fitHeads(
      on: UnitVectors(of: fixture.source, members: nil), labels: labels(members, of: fixture),
      targets: targets,
      sets: [TrainingSet(samples: samples, validation: validation)], configuration: configuration,
      threads: threads, progress: { _ in })[0]
  }

  /// Similarities are of float32 numbers: with an error of some 1e-7, over a temperature of 0.07.
  @Test func probabilitiesAreThoseOfScikitLearn() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let table = try labels(fixture.several, of: fixture)
    var graded = SoftTargets(labels: table)
    for (voter, members) in fixture.several.enumerated() {
      for member in members {
        let isSet = graded.set(
          fixture.targets[voter * fixture.classCount + member], class: Int32(member), of: Int32(voter),
          in: table)
        #expect(isSet)
      }
    }
    for expected in fixture.cases {
      for (task, members, targets, probabilities) in [
        (ClassificationTask.single, fixture.single, SoftTargets?.none, expected.single),
        (.multi, fixture.several, nil, expected.several), (.multi, fixture.several, graded, expected.graded),
      ] {
        let head = try fit(
          fixture, members, task, counts: [expected.k], temperature: expected.temperature, targets: targets
        ).head
        let found = try head.finiteProbabilities(of: fixture.queries, in: fixture.source)
        #expect(found.count == probabilities.count)
        for (found, expected) in zip(found, probabilities) { #expect(abs(Double(found) - expected) < 1e-6) }
      }
    }
  }

  @Test func threadsChangeNothing() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let fits = try [1, 3].map { threads in
      try fit(
        fixture, fixture.several, .multi, counts: [1, 5, 20], validation: Array(0..<20), threads: threads
      ) {
        $0.thresholds = .fitted
        $0.calibration = .temperature
      }
    }
    #expect(fits[0] == fits[1] && fits[0].calibration?.samples == 20)
    let found = try [1, 3].map { threads in
      try fits[0].head.finiteProbabilities(of: fixture.queries, in: fixture.source, threads: threads)
    }
    #expect(found[0] == found[1])
  }

  @Test func moreNeighborsThanVotersAreAllOfThem() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let found = try [fixture.voterCount, 5000].map { count in
      try fit(fixture, fixture.single, .single, counts: [count]).head
        .finiteProbabilities(of: fixture.queries, in: fixture.source)
    }
    #expect(found[0] == found[1])
  }

  /// The number that is kept has the best macro F1 of those that are scored by themselves.
  @Test func theBestNumberOnValidationSamplesStays() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let held = Array(Int32(0)..<30)
    let fits = try [[1, 5, 20], [1], [5], [20]].map { counts in
      try fit(fixture, fixture.single, .single, counts: counts, validation: held)
    }
    let table = try labels(fixture.single, of: fixture)
    let scores = try fits.dropFirst().map { fit in
      Scores(
        probabilities: try fit.head.finiteProbabilities(of: held, in: fixture.source), samples: held,
        labels: table, thresholds: [0, 0, 0, 0], task: .single
      ).macroF1
    }
    let trials = fits[0].neighborTrials
    #expect(trials.map(\.neighbors) == [1, 5, 20] && trials.map(\.validationMacroF1) == scores)
    let best = try #require(scores.indices.max { scores[$0] < scores[$1] })
    #expect(
      trials.map(\.isChosen) == scores.indices.map { $0 == best } && fits[0].head == fits[best + 1].head)
    #expect(fits[1].neighborTrials == [NeighborTrial(neighbors: 1, validationMacroF1: nil, isChosen: true)])
    #expect(throws: Fault.self) { try fit(fixture, fixture.single, .single, counts: [1, 5]) }
  }

  /// A class without voters is predicted of nothing.
  @Test func aClassThatNoVoterHasGetsNothing() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let rest = fixture.single.indices.filter { fixture.single[$0] == [2] }.map(Int32.init)
    let head = try fit(fixture, fixture.single, .single, counts: [20], validation: rest).head
    let found = try head.finiteProbabilities(of: fixture.queries, in: fixture.source)
    for start in stride(from: 0, to: found.count, by: 4) {
      #expect(found[start + 2] == 0 && abs(found[start..<start + 4].reduce(0, +) - 1) < 1e-6)
    }
  }

  @Test func vectorsThatAreNoneAreFaults() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let head = try fit(fixture, fixture.single, .single, counts: [5]).head
    var vectors = fixture.vectors
    vectors[95 * fixture.dimension + 3] = .nan
    let source = InMemoryVectors(vectors, dimension: fixture.dimension)
    let fault = #expect(throws: Fault.self) { try head.finiteProbabilities(of: fixture.queries, in: source) }
    #expect(fault?.subject == "vector of sample 95")
  }

  @Test func numbersThatCannotVoteAreRefused() throws {
    for neighbors in [
      NeighborConfiguration(counts: []), .init(counts: [0, 5]), .init(counts: [10_001]),
      .init(temperature: 0), .init(temperature: .nan), .init(temperature: .infinity),
    ] {
      var configuration = TrainingConfiguration()
      configuration.neighbors = neighbors
      let fault = #expect(throws: Fault.self) { try configuration.validate() }
      #expect(fault?.kind == .usage)
    }
    var configuration = TrainingConfiguration()
    configuration.neighbors = NeighborConfiguration()
    #expect(throws: Never.self) { try configuration.validate() }
    configuration.attention = AttentionConfiguration()
    #expect(throws: Fault.self) { try configuration.validate() }
    let fault = #expect(throws: Fault.self) {
      try VoterTable.requireRoom(voters: 349_000, dimension: 384, classes: 17)
    }
    #expect(fault?.problem.contains("at most 334707 voters") == true)
    #expect(throws: Never.self) { try VoterTable.requireRoom(voters: 334_707, dimension: 384, classes: 17) }
    // Their numbers are written as float32.
    #expect(throws: Never.self) { try VoterTable.requireRoom(voters: 1 << 24, dimension: 1, classes: 2) }
    let many = #expect(throws: Fault.self) {
      try VoterTable.requireRoom(voters: 1 << 24 + 1, dimension: 1, classes: 2)
    }
    #expect(many?.problem == "expected at most 16777216 voters, found 16777217")
  }

  /// What is kept for a batch does not grow with the number of neighbors, and does not change what is found.
  @Test func manyNeighborsAreSearchedForInSmallBatches() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let head = try #require(try fit(fixture, fixture.several, .multi, counts: [90]).head.neighbors)
    for (k, threads, size) in [
      (20, 1, 1024), (20, 64, 1024), (5000, 1, 800), (10_000, 2, 200), (10_000, 100, 16), (1, 0, 1024),
    ] {
      #expect(head.counting(k).batchSize(threads: threads) == size)
    }
    let queries = (0..<40).flatMap { _ in fixture.queries }
    let found = try [head, head.counting(10_000)].map { head in
      var found: [[Voter]] = []
      try head.forEachBatchOfVoters(of: queries, in: fixture.source, threads: 25) { found += $1 }
      return found
    }
    #expect(found[0].count == queries.count && found[0].allSatisfy { $0.count == 90 })
    for (left, right) in zip(found[0], found[1]) {
      #expect(left.map(\.sample) == right.map(\.sample))
      #expect(left.map(\.similarity) == right.map(\.similarity))
    }
  }

  // MARK: As it is kept

  @Test func aHeadReadsBackAsItWas() throws {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    let kept = try fit(fixture, fixture.several, .multi, counts: [7], validation: Array(80..<90)) {
      $0.calibration = .isotonic
      $0.thresholds = .fitted
    }
    let cells = TrainingSet(samples: Array(0..<80), validation: Array(80..<90))
    let head = kept.head.knowing(voters: cells.samples, among: cells, members: nil)
    let summary = HeadSummary(of: head, course: HeadCourse(of: kept))
    let json = try summary.json()
    #expect(json.contains("\"version\":5") && !json.contains("architecture"))
    #expect(json.contains(#""neighbors":{"k":7,"metric":"cosine","temperature":0.07,"voters":80}"#))
    let read = try HeadSummary(json: json, name: "h")
    #expect(read == summary)
    let again = try Head(weights: head.encodedWeights(), summary: read, name: "h")
    #expect(again == head)
    #expect(
      try again.finiteProbabilities(of: fixture.queries, in: fixture.source)
        == head.finiteProbabilities(of: fixture.queries, in: fixture.source))
  }

  @Test func howItVotesIsAllThatIsKeptOfTheTraining() throws {
    var configuration = TrainingConfiguration(seed: 3).adapted(to: .single)
    configuration.neighbors = NeighborConfiguration(counts: [20, 1])
    configuration.abstainBelow = 0.25
    let summary = try HeadSummary(
      json: HeadSummary(of: neighborHead(), training: configuration).json(), name: "h")
    #expect(summary.training == configuration)
    #expect(try !summary.json().contains("epochs"))
  }

  private func neighborHead() throws -> Head {
    let fixture: VotersFixture = try decodeFixture("neighborHeads")
    return try fit(fixture, fixture.single, .single, counts: [5]).head
  }

  @Test func damagedHeadsAreFaults() throws {
    let head = try neighborHead()
    let json = try HeadSummary(of: head).json()
    for (part, other) in [
      ("\"k\":5", "\"k\":0"), ("\"temperature\":0.07", "\"temperature\":0"), ("cosine", "dot"),
      ("\"voters\":90", "\"voters\":0"), ("\"voters\":90", "\"voters\":91"),
      ("\"version\"", #""architecture":{"hidden":[],"dropout":0},"version""#),
      (#""neighbors":{"k":5,"metric":"cosine","temperature":0.07,"voters":90},"#, ""),
      ("\"version\"", #""members":2,"version""#),
    ] {
      let damaged = json.replacing(part, with: other)
      #expect(damaged != json)
      let fault = #expect(throws: Fault.self) {
        try Head(
          weights: head.encodedWeights(), summary: HeadSummary(json: damaged, name: "h"), name: "h")
      }
      #expect(fault?.kind == .badData, "\(other)")
    }
    // Tensors that do not fit, in place of those of the head.
    let (neighbors, summary) = (try #require(head.neighbors), HeadSummary(of: head))
    func table(_ change: (inout [Float]) -> Void, cells: [Int32] = []) -> Head? {
      var vectors = Array(neighbors.voters.values)
      change(&vectors)
      return Head(
        classes: head.classes,
        neighbors: NeighborHead(
          voters: VoterTable(
            vectors: vectors, dimension: head.dimension, labels: neighbors.voters.labels, voterOfCell: cells
          ),
          chosen: nil, k: 5, temperature: 0.07), thresholds: head.thresholds, task: .single)
    }
    for damaged in [table { $0[7] = .nan }, table({ _ in }, cells: [90]), table({ _ in }, cells: [-2])] {
      let fault = #expect(throws: Fault.self) {
        try Head(weights: try #require(damaged).encodedWeights(), summary: summary, name: "h")
      }
      #expect(fault?.kind == .badData && fault?.subject.contains("tensor voters.") == true)
    }
    // More voters than numbers of them can be told apart by.
    let many = json.replacing("\"voters\":90", with: "\"voters\":16777217")
    let fault = #expect(throws: Fault.self) {
      try Head(
        weights: try #require(table({ _ in }, cells: [0])).encodedWeights(),
        summary: HeadSummary(json: many, name: "h"), name: "h")
    }
    #expect(fault?.problem.contains("at most 16777216 voters") == true)
    #expect(KeptLabels(table: [1, 0, 0, 0], classCount: 2) == nil)
    #expect(KeptLabels(table: [1, 1.5], classCount: 2) == nil)
    #expect(KeptLabels(table: [0.5, -1], classCount: 2) == nil)
    for count in [0, 9, 100, head.encodedWeights().count - 1] {
      #expect(throws: Fault.self) {
        try Head(weights: Array(head.encodedWeights().prefix(count)), summary: summary, name: "h")
      }
    }
  }
}
