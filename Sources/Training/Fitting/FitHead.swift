import Faults
import Kernels

/// How far a training is.
package struct TrainingProgress: Sendable, Equatable {
  /// The fold whose head is trained, from 0; nil outside cross-validation.
  package let fold: Int?
  /// Epochs done; of an ensemble, by the head on hand. 0 while votes of neighbors are counted.
  package let epoch: Int
  /// Mean loss over the epoch's samples, and over classes where each has a loss; 0 of neighbors.
  package let loss: Double
  /// Macro F1 on the validation samples; nil without them.
  package let validationMacroF1: Double?
}

/// Called after every epoch, from whichever thread trains; a throw ends the training with that error.
package typealias ProgressReport = @Sendable (TrainingProgress) throws -> Void

/// Trains a head on all samples, or on some. The result depends on the arguments other than `threads` alone,
/// bit for bit on one machine.
///
/// - Parameters:
///   - targets: what classes are learned as; nil for 1.
///   - samples: what weights are fitted to; nil for all but the validation samples.
///   - validation: what the training is watched on; see `TrainingSet`.
///   - fold: names the head in reports of progress.
/// - Throws: before any training, `usage` for a configuration that cannot work and `badData` for labels or
///   vectors that cannot be learned from, and as `ScratchTable`; after an epoch, `badData` when the loss is no longer
///   finite.
package func fitHead(
  source: some SampleVectors, labels: LabelTable, targets: SoftTargets? = nil, samples: [Int32]? = nil,
  validation: [Int32] = [], configuration: TrainingConfiguration, fold: Int? = nil, threads: Int = 1,
  progress: ProgressReport = { _ in }
) throws -> HeadFit {
  let held = SampleSet(validation)
  let samples = samples.map { SampleSet($0) } ?? SampleSet(below: labels.count) { !held.contains($0) }
  try configuration.validate()
  try requireTrainable(source: source, labels: labels, samples: Array(samples), threads: threads)
  return try fitHeads(
    source: source, labels: labels, targets: targets,
    sets: [TrainingSet(samples: samples, validation: validation, fold: fold)], configuration: configuration,
    threads: threads, progress: progress)[0]
}

/// Trains one head a set, side by side: what the folds of cross-validation should use, because the vectors
/// that several sets share are read once for all. `requireTrainable` and `validate` come before it.
///
/// Sets side by side share their batches: a batch of all sets' samples gives each set those of them that are
/// its own, on average as many as it would have by itself. Class-uniform draws are made for each set by
/// itself.
///
/// - Parameter progress: called after every epoch of every set.
/// - Returns: in the order of `sets`.
/// - Throws: as `fitHead`, and as `ScratchTable` where there is no room for the order of an epoch: before the training of the
///   first sets, or of later ones where something else has taken what these gave back.
func fitHeads(
  source: some SampleVectors, labels: LabelTable, targets: SoftTargets? = nil, sets: [TrainingSet],
  configuration: TrainingConfiguration, threads: Int = 1, progress: ProgressReport = { _ in }
) throws -> [HeadFit] {
  precondition(configuration.task == .multi || labels.isSingle && targets == nil)
  try configuration.requireValidation(of: sets)
  let width = configuration.sampling == .shuffled ? SampleStream.setLimit : 1
  return try stride(from: 0, to: sets.count, by: width).flatMap { first in
    let run = try FitRun(
      source: source, labels: labels, targets: targets,
      sets: Array(sets[first..<min(first + width, sets.count)]),
      configuration: configuration, threads: threads)
    return try run.fits(progress: progress)
  }
}

/// Refuses labels and vectors that no head can be trained on.
func requireTrainable(
  source: some SampleVectors, labels: LabelTable, samples: some RandomAccessCollection<Int32> & Sendable,
  threads: Int = 1
) throws {
  precondition(source.count == labels.count)
  try requireLearnable(labels, samples: samples)
  try requireFinite(source, samples: samples, threads: threads)
}

/// Refuses labels that no head can be trained on.
func requireLearnable(_ labels: LabelTable, samples: some RandomAccessCollection<Int32>) throws {
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
}

/// Refuses vectors with a number that is none.
func requireFinite(
  _ source: some SampleVectors, samples: some RandomAccessCollection<Int32> & Sendable, threads: Int
) throws {
  // Each thread looks through a part; the first fault of the first part is thrown.
  let parts = max(threads, 1)
  _ = try concurrentMap(parts, threads: parts) { part in
    try requireFinite(
      source,
      samples: samples.dropFirst(samples.count * part / parts).dropLast(
        samples.count - samples.count * (part + 1) / parts))
  }
}

private func requireFinite(
  _ source: some SampleVectors, samples: some RandomAccessCollection<Int32>
) throws {
  let batchSize = 256
  let batch = FloatBuffer(count: batchSize * source.dimension)
  for start in stride(from: 0, to: samples.count, by: batchSize) {
    let slice = Array(samples.dropFirst(start).prefix(batchSize))[...]
    source.gather(slice, into: batch.values)
    let count = slice.count * source.dimension
    let bad = kernels_first_beyond(KERNELS_FLOAT32, batch.start, count)
    guard bad < count else { continue }
    throw Fault(
      .badData, "vector of sample \(slice[slice.startIndex + bad / source.dimension])",
      expected: "finite numbers", found: "NaN or infinity", remedy: "embed its image again, or leave it out")
  }
}
