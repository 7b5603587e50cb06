import Testing

@testable import Training

@Suite struct TorchParityTests {
  @Test(arguments: ["linear", "hidden"]) func aHundredStepsFollowPyTorch(name: String) throws {
    let fixture = try decodeFixture(name, as: TrainingFixture.self)
    let source = InMemoryVectors(fixture.vectors, dimension: fixture.vectors.count / fixture.labels.count)
    let labels = try labelTable(fixture.labels, classCount: 4)
    let samples = Array(0..<Int32(labels.count))
    let configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: fixture.hidden), learningRate: fixture.learningRate,
      weightDecay: fixture.weightDecay)
    let standardization = Standardization(source, samples: samples)
    let shape = HeadShape(
      dimension: source.dimension, architecture: configuration.architecture, classCount: 4)
    try MatrixProducts.load()
    let trainer = HeadTrainer(
      source: source, labels: labels, standardization: standardization, shape: shape,
      parameters: fixture.initial, configuration: configuration, batchSize: 12)
    let schedule = CosineSchedule(initialRate: fixture.learningRate, steps: fixture.batches.count)

    for (step, batch) in fixture.batches.enumerated() {
      let loss = trainer.step(batch[...], learningRate: schedule.rate(at: step))
      #expect(abs(loss / fixture.losses[step] - 1) < 1e-4, "step \(step)")
    }
    for (parameter, expected) in zip(trainer.parameters.values, fixture.parameters) {
      #expect(abs(parameter - expected) < 2e-4)
    }
    let head = Head(
      classes: labels.classes, architecture: configuration.architecture, shape: shape,
      parameters: trainer.parameters.values, standardization: standardization)
    let probabilities = try head.probabilities(of: samples, in: source)
    for (probability, expected) in zip(probabilities, fixture.probabilities) {
      #expect(abs(probability - expected) < 1e-4)
    }
  }
}
