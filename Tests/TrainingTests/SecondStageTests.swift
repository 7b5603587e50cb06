import Glibc
import Randomness
import Testing

@testable import Training

@Suite struct SecondStageTests {
  private struct Fixture: Decodable {
    let labels: [[Int]]
    let probabilities: [Float]
    let temperature, expectedError, brier: Double
    let queries: [Float]
    let isotonic: [[Double]]
    let bestF1: [Double]
  }

  private func table() throws -> (fixture: Fixture, table: ValidationTable, labels: LabelTable) {
    let fixture = try decodeFixture("calibration", as: Fixture.self)
    let labels = try labelTable(fixture.labels, classCount: 2)
    return (
      fixture,
      ValidationTable(
        probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels), labels
    )
  }

  @Test func theTemperatureIsTheLikeliest() throws {
    let (fixture, table, _) = try table()
    #expect(abs(table.temperature / fixture.temperature - 1) < 1e-4)
  }

  /// A head of so many members with logits up to 48, whose probabilities are 1 in float32, and labels that are drawn as if
  /// the logits were a sixth of that. What has none of two classes is of a third, of which the head says nothing.
  private func overconfident(
    members: Int
  ) throws -> (head: Head, source: InMemoryVectors, labels: LabelTable) {
    var generator = SeededGenerator(seed: 5)
    let values = (0..<400).map { _ in Float(generator.uniform() * 80 - 40) }
    let labels = try labelTable(
      values.map { value in
        let drawn = [value, -0.8 * value].enumerated().filter {
          generator.uniform() < 1 / (1 + exp(-Double($0.element) / 6))
        }.map(\.offset)
        return drawn.isEmpty ? [2] : drawn
      }, classCount: 3)
    let weights: [[Float]] = [[1, -0.8, 0], [1.2, -0.7, 0]]
    let head = Head(
      classes: labels.classes, architecture: HeadArchitecture(), dimension: 1, thresholds: [0.5, 0.5, 0.5],
      members: weights.prefix(members).map {
        [Head.Layer(inputs: 1, outputs: 3, weights: $0, biases: [0, 0, 0])]
      })
    return (head, InMemoryVectors(values, dimension: 1), labels)
  }

  @Test(arguments: [1, 2]) func theTemperatureIsTheLikeliestOfWhatIsPredicted(members: Int) throws {
    var (head, source, labels) = try overconfident(members: members)
    let samples = [Int32](0..<400)
    #expect(head.probabilities(of: samples, in: source).contains(1))
    var configuration = TrainingConfiguration()
    configuration.calibration = .temperature
    _ = try head.fitSecondStage(
      on: TrainingSet(samples: [], validation: samples), in: source, labels: labels,
      configuration: configuration)
    guard case .temperature(let fitted) = head.calibration else {
      Issue.record("no temperature: \(head.calibration)")
      return
    }
    /// The negative logarithm of the likelihood of all labels, by the probabilities that a head writes.
    func loss(_ temperature: Double) -> Double {
      head.calibration = .temperature(temperature)
      let probabilities = head.probabilities(of: samples, in: source)
      return samples.reduce(0) { sum, sample in
        sum
          - (0..<3).reduce(0) { sum, index in
            let p = Double(probabilities[Int(sample) * 3 + index])
            return sum + log(labels.classes(of: sample).contains(Int32(index)) ? p : 1 - p)
          }
      }
    }
    let best = loss(fitted)
    for factor in [0.5, 0.8, 0.9, 0.97, 1.03, 1.1, 1.25, 2] {
      #expect(loss(fitted * factor) > best, "\(fitted) times \(factor)")
    }
  }

  @Test(arguments: [1, 2]) func theReportIsOfWhatIsPredicted(members: Int) throws {
    var (head, source, labels) = try overconfident(members: members)
    let samples = [Int32](0..<400)
    var configuration = TrainingConfiguration()
    configuration.calibration = .temperature
    func report(of head: inout Head, _ validation: [Int32], groups: [Int32]) throws -> CalibrationReport {
      try #require(
        try head.fitSecondStage(
          on: TrainingSet(samples: [], validation: validation, validationGroups: groups), in: source,
          labels: labels, configuration: configuration))
    }
    func reliability(_ probabilities: [Float]) -> CalibrationReport.Reliability {
      ValidationTable(probabilities: probabilities, samples: samples, labels: labels).reliability
    }
    let before = reliability(head.probabilities(of: samples, in: source))
    // Of one group there are no others that could correct it.
    let whole = try report(of: &head, samples, groups: samples.map { _ in 0 })
    #expect(whole.before == before && whole.partCount == nil)
    #expect(whole.after == reliability(head.probabilities(of: samples, in: source)))
    let crossed = try report(of: &head, samples, groups: samples.map { $0 % 10 })
    #expect(crossed.before == before && crossed.partCount == 5)
    var predicted = [Float](repeating: .nan, count: 1200)
    for part in 0..<5 as Range<Int32> {
      _ = try report(of: &head, samples.filter { $0 % 5 != part }, groups: [])
      for sample in samples where sample % 5 == part {
        predicted.replaceSubrange(
          Int(sample) * 3..<Int(sample) * 3 + 3, with: head.probabilities(of: [sample], in: source))
      }
    }
    #expect(crossed.after == reliability(predicted))
  }

  @Test func isotonicCurvesAreThoseOfScikitLearn() throws {
    let (fixture, table, _) = try table()
    for index in 0..<2 {
      let curve = table.isotonicCurve(of: index)
      #expect(curve.isValid)
      for (query, expected) in zip(fixture.queries, fixture.isotonic[index]) {
        #expect(abs(Double(curve.value(at: query)) - expected) < 1e-5, "class \(index) at \(query)")
      }
    }
  }

  @Test func reliabilityFollowsItsDefinition() throws {
    let (fixture, table, _) = try table()
    #expect(abs(table.reliability.expectedError - fixture.expectedError) < 1e-9)
    #expect(abs(table.reliability.brier - fixture.brier) < 1e-9)
  }

  private struct SingleFixture: Decodable {
    let labels: [[Int]]
    let probabilities: [Float]
    let temperature, expectedError, brier: Double
    let corrected: [Double]
  }

  @Test func theTemperatureOfOneLabelIsTheLikeliest() throws {
    let fixture = try decodeFixture("singleCalibration", as: SingleFixture.self)
    let labels = try labelTable(fixture.labels, classCount: 4)
    let table = ValidationTable(
      probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels,
      task: .single)
    #expect(abs(table.temperature / fixture.temperature - 1) < 1e-4)
    #expect(abs(table.reliability.expectedError - fixture.expectedError) < 1e-9)
    #expect(abs(table.reliability.brier - fixture.brier) < 1e-9)
    var corrected = fixture.probabilities
    corrected.withUnsafeMutableBufferPointer {
      HeadCalibration.temperature(fixture.temperature).apply(to: $0, classCount: 4, task: .single)
    }
    for (probability, expected) in zip(corrected, fixture.corrected) {
      #expect(abs(Double(probability) - expected) < 1e-6)
    }
  }

  /// Each part is corrected by what the samples of the others say, groups kept together.
  @Test func correctionsAreTestedOnSamplesThatTheyWereNotFittedTo() throws {
    let (fixture, table, labels) = try table()
    let groups = (0..<300).map { Int32($0 / 7) }
    let crossed = try #require(table.crossFitted(.isotonic, groups: groups))
    #expect(crossed.parts == 5)
    func part(_ sample: Int) -> Int { sample / 7 % 5 }
    for number in 0..<5 {
      let (own, others) = ((0..<300).filter { part($0) == number }, (0..<300).filter { part($0) != number })
      func probabilities(_ samples: [Int]) -> [Float] {
        samples.flatMap { fixture.probabilities[$0 * 2..<$0 * 2 + 2] }
      }
      let fitted = ValidationTable(
        probabilities: probabilities(others), samples: others.map(Int32.init), labels: labels)
      var tested = ValidationTable(
        probabilities: probabilities(own), samples: own.map(Int32.init), labels: labels)
      tested.apply(.isotonic((0..<2).map { fitted.isotonicCurve(of: $0) }))
      #expect(crossed.table.rows(own).reliability == tested.reliability)
    }
    // What isotonic curves make of the samples that they were fitted to is nearly perfect, and says nothing.
    var inSample = table
    inSample.apply(inSample.calibration(.isotonic))
    #expect(inSample.reliability.expectedError < 1e-6)
    #expect(crossed.table.reliability.expectedError > 0.01)
    #expect(table.crossFitted(.temperature, groups: groups.map { _ in 0 }) == nil)
  }

  @Test func calibratedProbabilitiesAreMoreReliable() throws {
    let (_, table, _) = try table()
    for calibration in [
      HeadCalibration.temperature(table.temperature),
      .isotonic([table.isotonicCurve(of: 0), table.isotonicCurve(of: 1)]),
    ] {
      var calibrated = table
      calibrated.apply(calibration)
      #expect(calibrated.reliability.expectedError < table.reliability.expectedError)
      #expect(calibrated.reliability.brier < table.reliability.brier)
    }
  }

  @Test func noThresholdHasAHigherF1() throws {
    let (fixture, table, labels) = try table()
    let thresholds = (0..<2).map { table.bestThreshold(of: $0) }
    let scores = Scores(
      probabilities: fixture.probabilities, samples: Array(0..<Int32(labels.count)), labels: labels,
      thresholds: thresholds)
    for (score, best) in zip(scores.perClass, fixture.bestF1) { #expect((score.f1 ?? 0) >= best - 1e-12) }
  }

  @Test func aClassWithoutPositivesKeepsTheUsualThreshold() throws {
    let labels = try labelTable([[0], [0]], classCount: 2)
    let table = ValidationTable(probabilities: [0.2, 0.9, 0.4, 0.8], samples: [0, 1], labels: labels)
    #expect(table.bestThreshold(of: 1) == 0.5)
    #expect(table.isotonicCurve(of: 1) == .identity)
    #expect(table.bestThreshold(of: 0) < 0.2)
  }

  /// A protein whose positives are improbable says little of its class; many say where its threshold is.
  @Test func thresholdsRestOnGroups() throws {
    // Class 0 has all positives in one group, class 1 in 40 of 50, class 2 has none; 4 samples a group.
    let labels = try labelTable(
      (0..<200).map { sample in
        (sample < 4 ? [0] : []) + (sample < 160 ? [1] : []) + (sample >= 4 && sample >= 160 ? [3] : [])
      }, classCount: 4)
    let probabilities = (0..<200).flatMap { sample -> [Float] in
      let noise = Float(sample * 7 % 11) / 1000
      return [
        sample < 4 ? 0.03 + noise : 0.001 + noise / 10, (sample < 160 ? 0.8 : 0.7) + noise, 0.01,
        (sample < 160 ? 0.2 : 0.9) + noise,
      ]
    }
    let groups = (0..<200).map { Int32($0 / 4) }
    let table = ValidationTable(probabilities: probabilities, samples: Array(0..<200), labels: labels)
    let thresholds = table.fittedThresholds(groups: groups)
    func logit(_ value: Float) -> Double { log(Double(value) / (1 - Double(value))) }
    // Of all decisions at once: those above 0.2 are right, and above 0.03 but for class 0.
    let common = logit(thresholds[2])
    for (index, count) in [(0, 1.0), (1, 40.0), (3, 10.0)] {
      let expected = (count * logit(table.bestThreshold(of: index)) + 5 * common) / (count + 5)
      #expect(abs(logit(thresholds[index]) - expected) < 1e-5)
    }
    #expect(table.bestThreshold(of: 0) < 0.03 && thresholds[0] > 0.2)
    #expect(abs(table.bestThreshold(of: 1) - 0.75) < 0.01 && abs(thresholds[1] - 0.75) < 0.03)
    // By themselves, all samples are groups.
    #expect(table.fittedThresholds(groups: [])[0] < thresholds[0])
    let nothing = ValidationTable(
      probabilities: [], samples: [], labels: try labelTable([], classCount: 2))
    #expect(nothing.fittedThresholds(groups: []) == [0.5, 0.5])
  }

  @Test func thresholdsAndCalibrationComeFromValidationSamplesAlone() throws {
    let cells = SyntheticCells(count: 400, dimension: 12, classes: 3, signal: 3, seed: 8)
    var configuration = TrainingConfiguration(epochs: 4)
    configuration.thresholds = .fitted
    configuration.calibration = .temperature
    let validation = [Int32](300..<400)
    let fit = try fitHead(
      source: cells.source, labels: try cells.table, validation: validation, configuration: configuration)
    let report = try #require(fit.calibration)
    #expect(report.samples == 100)
    var plain = configuration
    plain.thresholds = .fixed
    plain.calibration = .none
    let uncalibrated = try fitHead(
      source: cells.source, labels: try cells.table, validation: validation, configuration: plain
    ).head
    let chances = try uncalibrated.uncorrectedChances(of: validation, in: cells.source)
    #expect(chances.probabilities == uncalibrated.probabilities(of: validation, in: cells.source))
    var table = ValidationTable(
      probabilities: chances.probabilities, complements: chances.complements, samples: validation,
      labels: try cells.table)
    #expect(fit.head.calibration == .temperature(table.temperature))
    let uncorrected = table
    table.apply(fit.head.calibration)
    let corrected = ValidationTable(
      probabilities: fit.head.probabilities(of: validation, in: cells.source), samples: validation,
      labels: try cells.table)
    #expect(fit.head.thresholds == corrected.fittedThresholds(groups: []))
    #expect(corrected.probabilities == table.probabilities)
    let crossed = try #require(uncorrected.crossFitted(.temperature, groups: []))
    let ofFold = try fitHead(
      source: cells.source, labels: try cells.table, validation: validation, configuration: configuration,
      fold: 0)
    #expect(ofFold.head == fit.head && ofFold.calibration == nil)
    #expect(report.partCount == 5 && report.after == crossed.table.reliability)
    #expect(report.before == uncorrected.reliability && report.after != table.reliability)
  }
}
