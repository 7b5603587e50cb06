import Kernels
import Testing

@testable import Training

@Suite struct TorchParityTests {
  @Test(arguments: ["linear", "hidden"]) func aHundredStepsFollowPyTorch(name: String) throws {
    try follow(try decodeFixture(name, as: TrainingFixture.self))
  }

  @Test(arguments: 0..<3) func lossesOnSoftTargetsFollowPyTorch(index: Int) throws {
    try follow(try decodeFixture("losses", as: [TrainingFixture].self)[index])
  }

  @Test(arguments: 0..<3) func lossesOfOneClassASampleFollowPyTorch(index: Int) throws {
    try follow(try decodeFixture("single", as: [TrainingFixture].self)[index])
  }

  /// Trains from the fixture's weights on the fixture's batches, and compares every loss and what comes of
  /// it.
  private func follow(_ fixture: TrainingFixture) throws {
    let source = InMemoryVectors(fixture.vectors, dimension: fixture.vectors.count / fixture.labels.count)
    let labels = try labelTable(fixture.labels, classCount: 4)
    var targets = SoftTargets(labels: labels)
    for (sample, members) in fixture.labels.enumerated() {
      for member in members {
        let target = fixture.targets?[sample * 4 + member] ?? 1
        let isSet = targets.set(target, class: Int32(member), of: Int32(sample), in: labels)
        #expect(isSet)
      }
    }
    var configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: fixture.hidden))
    configuration.loss = fixture.loss ?? .binary
    let set = TrainingSet(samples: Array(0..<Int32(labels.count)))
    let stream = try SampleStream(sets: [set], labels: labels)
    let standardization = try Standardization(source, samples: set.samples, labels: labels)
    let shape = HeadShape(
      dimension: source.dimension, architecture: configuration.architecture, classCount: 4)
    let layout = PanelLayout(precision: .float32)
    let member = HeadMember(
      set: 0, shape: shape, parameters: fixture.initial,
      rates: RateControl(
        fixture.schedule ?? .cosine, peak: fixture.learningRate, steps: fixture.batches.count),
      weightDecay: fixture.weightDecay, layout: layout, transform: nil, capacity: 12)
    let stack = HeadStack(
      members: [member], source: source, labels: labels, targets: targets, stream: stream,
      standardization: standardization, configuration: configuration,
      positiveWeights: [
        configuration.loss.positiveWeights(positives: labels.positives, samples: labels.count)
      ],
      batchSize: 12, layout: layout, shape: shape, threads: 1)

    for (step, batch) in fixture.batches.enumerated() {
      let loss = stack.train(order: batch, firstStep: step)[0]
      #expect(abs(loss / fixture.losses[step] - 1) < 1e-4, "step \(step)")
    }
    for (parameter, expected) in zip(member.parameters, fixture.parameters) {
      #expect(abs(parameter - expected) < 2e-4)
    }
    let head = Head(
      classes: labels.classes, architecture: configuration.architecture, dimension: source.dimension,
      thresholds: [0.5, 0.5, 0.5, 0.5],
      members: [Head.layers(shape, parameters: member.parameters, standardization: standardization)],
      task: configuration.task)
    let probabilities = head.probabilities(of: Array(set.samples), in: source)
    for (probability, expected) in zip(probabilities, fixture.probabilities) {
      #expect(abs(probability - expected) < 1e-4)
    }
  }

  private struct Schedules: Decodable {
    let rate: Double
    let oneCycle, scores, plateau: [Double]
  }

  @Test func ratesAreThoseOfPyTorch() throws {
    let fixture = try decodeFixture("schedules", as: Schedules.self)
    let rising = RateControl(.oneCycle, peak: fixture.rate, steps: fixture.oneCycle.count)
    for (step, expected) in fixture.oneCycle.enumerated() {
      #expect(abs(rising.rate(at: step) / expected - 1) < 1e-9, "step \(step)")
    }
    var falling = RateControl(.plateau, peak: fixture.rate, steps: 1)
    for (epoch, expected) in fixture.plateau.enumerated() {
      #expect(abs(falling.rate(at: 0) / expected - 1) < 1e-12, "epoch \(epoch)")
      falling.endEpoch(score: fixture.scores[epoch])
    }
    #expect(fixture.plateau.last != fixture.rate)
  }
}
