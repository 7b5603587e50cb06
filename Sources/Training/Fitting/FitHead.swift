import Faults
import Glibc
import Randomness

/// How far a training is.
package struct TrainingProgress: Sendable, Equatable {
  /// The fold whose head is trained, from 0; nil outside cross-validation.
  package let fold: Int?
  /// Epochs done.
  package let epoch: Int
  /// Mean loss over the epoch's samples and classes.
  package let loss: Double
  /// Macro F1 on the validation samples; nil without them.
  package let validationMacroF1: Double?
}

/// Called after every epoch, from whichever thread trains; a throw ends the training with that error.
package typealias ProgressReport = @Sendable (TrainingProgress) throws -> Void

/// Trains a head on all samples, or on some. The result depends on the arguments other than `threads` alone, bit for
/// bit on one machine.
///
/// - Parameters:
///   - samples: what weights are fitted to; nil for all but the validation samples.
///   - validation: what the training is watched on; see `TrainingSet`.
///   - fold: names the head in reports of progress.
/// - Throws: before any training, `usage` for a configuration that cannot work and `badData` for labels or
///   vectors that cannot be learned from; after an epoch, `badData` when the loss is no longer finite.
package func fitHead(
  source: some SampleVectors, labels: LabelTable, samples: [Int32]? = nil, validation: [Int32] = [],
  configuration: TrainingConfiguration, fold: Int? = nil, threads: Int = 1,
  progress: ProgressReport = { _ in }
) throws -> HeadFit {
  let held = Set(validation)
  let samples = samples ?? (0..<Int32(labels.count)).filter { !held.contains($0) }
  try requireTrainable(source: source, labels: labels, samples: samples)
  try configuration.validate()
  return try fitHeads(
    source: source, labels: labels,
    sets: [TrainingSet(samples: samples, validation: validation, fold: fold)], configuration: configuration,
    threads: threads, progress: progress)[0]
}

/// Trains one head a set, side by side: what the folds of cross-validation should use, because the vectors that
/// several sets share are read once for all. `requireTrainable` and `validate` come before it.
///
/// - Parameter progress: called after every epoch of every set.
/// - Returns: in the order of `sets`.
/// - Throws: as `fitHead`.
func fitHeads(
  source: some SampleVectors, labels: LabelTable, sets: [TrainingSet], configuration: TrainingConfiguration,
  threads: Int = 1, progress: ProgressReport = { _ in }
) throws -> [HeadFit] {
  try sets.map { set in
    try fitHead(source: source, labels: labels, set: set, configuration: configuration, progress: progress)
  }
}

private func fitHead(
  source: some SampleVectors, labels: LabelTable, set: TrainingSet, configuration: TrainingConfiguration,
  progress: ProgressReport
) throws -> HeadFit {
  let samples = set.samples
  try MatrixProducts.load()
  let standardization = Standardization(source, samples: samples)
  let shape = HeadShape(
    dimension: source.dimension, architecture: configuration.architecture, classCount: labels.classes.count)
  let batchSize = min(configuration.batchSize(samples: samples.count), samples.count)
  let trainer = HeadTrainer(
    source: source, labels: labels, standardization: standardization, shape: shape,
    parameters: shape.initialParameters(
      positives: labels.positives(among: samples), samples: samples.count, seed: configuration.seed),
    configuration: configuration, batchSize: batchSize)
  func head() -> Head {
    Head(
      classes: labels.classes, architecture: configuration.architecture, shape: shape,
      parameters: trainer.parameters.values, standardization: standardization)
  }

  let stepsAnEpoch = (samples.count + batchSize - 1) / batchSize
  let schedule = CosineSchedule(
    initialRate: configuration.initialLearningRate, steps: stepsAnEpoch * configuration.epochs)
  var step = 0
  var curve: [EpochScore] = []
  for epoch in 0..<configuration.epochs {
    var generator = SeededGenerator(seed: configuration.seed, stream: UInt64(epoch))
    let order = generator.permutation(of: samples.count).map { samples[Int($0)] }
    var loss = 0.0
    for start in stride(from: 0, to: order.count, by: batchSize) {
      let batch = order[start..<min(start + batchSize, order.count)]
      loss += trainer.step(batch, learningRate: schedule.rate(at: step)) * Double(batch.count)
      step += 1
    }
    loss /= Double(order.count)
    guard loss.isFinite else {
      throw Fault(
        .badData, "training", "the loss is no longer a finite number after epoch \(epoch + 1)",
        remedy: "lower the learning rate, and check the vectors for extreme values")
    }
    let macroF1 =
      set.validation.isEmpty
      ? nil : try head().macroF1(on: set.validation, in: source, labels: labels)
    curve.append(EpochScore(loss: loss, validationMacroF1: macroF1))
    try progress(TrainingProgress(fold: set.fold, epoch: epoch + 1, loss: loss, validationMacroF1: macroF1))
  }
  return HeadFit(head: head(), curve: curve)
}

extension Head {
  /// Macro F1 on these samples at the head's thresholds.
  fileprivate func macroF1(
    on samples: [Int32], in source: some SampleVectors, labels: LabelTable
  ) throws -> Double {
    Scores(
      probabilities: try probabilities(of: samples, in: source), samples: samples, labels: labels,
      thresholds: thresholds
    ).macroF1
  }
}

/// The learning rate of each step: half a cosine from the initial rate to zero.
struct CosineSchedule {
  let initialRate: Double
  let steps: Int

  func rate(at step: Int) -> Double {
    initialRate * (1 + cos(.pi * Double(step) / Double(steps))) / 2
  }
}

/// Refuses labels and vectors that no head can be trained on.
func requireTrainable(source: some SampleVectors, labels: LabelTable, samples: [Int32]) throws {
  precondition(source.count == labels.count)
  guard labels.classes.count >= 2 else {
    throw Fault(
      .badData, "labels", expected: "at least 2 classes", found: "\(labels.classes.count)",
      remedy: "select cells of more classes, or train on another field")
  }
  for (name, positives) in zip(labels.classes, labels.positives(among: samples)) {
    if positives == 0 {
      throw Fault(.badData, "class \(name)", "has no positive sample", remedy: "leave the class out")
    }
    if positives == samples.count {
      throw Fault(
        .badData, "class \(name)", "has no negative sample: all \(positives) samples belong to it",
        remedy: "leave the class out, or add cells without it")
    }
  }
  try requireFinite(source, samples: samples)
}

private func requireFinite(_ source: some SampleVectors, samples: [Int32]) throws {
  let batchSize = 1024
  let batch = FloatBuffer(count: batchSize * source.dimension)
  for start in stride(from: 0, to: samples.count, by: batchSize) {
    let slice = samples[start..<min(start + batchSize, samples.count)]
    source.gather(slice, into: batch.values)
    let values = batch.values.prefix(slice.count * source.dimension)
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { continue }
    throw Fault(
      .badData, "vector of sample \(slice[slice.startIndex + bad / source.dimension])",
      expected: "finite numbers", found: "NaN or infinity", remedy: "embed its image again, or leave it out")
  }
}
