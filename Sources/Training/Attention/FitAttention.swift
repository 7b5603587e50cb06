import Faults

/// Makes one head a set on samples: of neighbors where the configuration has them, else trained, with an attention over
/// their cells where it has one.
///
/// - Parameters:
///   - targets: what classes are learned as, where samples are cells; nil for 1.
///   - progress: called after every epoch of every set.
/// - Returns: in the order of `sets`.
/// - Throws: as `fitHeads`.
func fitHeads(
  on vectors: UnitVectors, labels: LabelTable, targets: SoftTargets?, sets: [TrainingSet],
  configuration: TrainingConfiguration, threads: Int, progress: ProgressReport
) throws -> [HeadFit] {
  if let neighbors = configuration.neighbors {
    return try fitNeighbors(
      neighbors, on: vectors.means, labels: labels, targets: targets, sets: sets,
      configuration: configuration, threads: threads, progress: progress)
  }
  guard configuration.attention != nil, let bags = vectors.bags else {
    return try fitHeads(
      source: vectors.means, labels: labels, targets: targets, sets: sets, configuration: configuration,
      threads: threads, progress: progress)
  }
  precondition(targets == nil && (configuration.task == .multi || labels.isSingle))
  try configuration.requireValidation(of: sets)
  return try concurrentMap(sets.count, threads: threads) { index in
    try AttentionRun(
      vectors: vectors, bags: bags, labels: labels, set: sets[index], configuration: configuration
    ).fit(progress: progress)
  }
}

/// The training of one set. Sets are trained on a thread each.
private struct AttentionRun {
  let vectors: UnitVectors
  let bags: CellBags
  let labels: LabelTable
  let set: TrainingSet
  let configuration: TrainingConfiguration

  /// Cells of a step that are in memory at a time, standardised and with their gates; a sample is never divided.
  private static let cellsAtOnce = 8192

  private var attention: AttentionConfiguration { configuration.attention ?? AttentionConfiguration() }

  func fit(progress: ProgressReport) throws -> HeadFit {
    let cells = set.samples.flatMap { bags.members[Int($0)] }.sorted()
    let cellStandardization = try Standardization(bags.cells, samples: cells, labels: labels)
    let means = try Standardization(vectors.means, samples: set.samples, labels: labels)
    if !means.isFinite { try requireFinite(vectors.means, samples: Array(set.samples), threads: 1) }
    let shape = HeadShape(
      dimension: bags.cells.dimension, architecture: configuration.architecture,
      classCount: labels.classes.count)
    let net = AttentionNet(shape: shape, width: attention.width, cells: cellStandardization, means: means)
    let positives = labels.positives(among: set.samples)
    net.initialize(
      layers: shape.initialParameters(
        positives: positives, samples: set.samples.count, task: configuration.task, seed: configuration.seed),
      seed: configuration.seed)
    let weights = configuration.loss.positiveWeights(positives: positives, samples: set.samples.count)
    let trainer = AttentionEpochs(
      net: net, bags: bags, labels: labels,
      stream: try SampleStream(sets: [set], labels: labels, sampling: configuration.sampling),
      standardization: cellStandardization, configuration: configuration, attention: attention,
      positiveWeights: weights, cellsAtOnce: Self.cellsAtOnce)
    var (curve, best): ([EpochScore], (score: Double, epoch: Int, head: Head)?) = ([], nil)
    for epoch in 0..<configuration.epochs {
      let loss = trainer.train(epoch: epoch)
      guard loss.isFinite else { throw Self.divergence("the loss is", epochs: epoch + 1) }
      let head = net.head(classes: labels.classes, configuration: configuration)
      let score = set.validation.isEmpty ? nil : macroF1(of: head)
      curve.append(EpochScore(loss: loss, validationMacroF1: score))
      if let score { trainer.rates.endEpoch(score: score) }
      try progress(
        TrainingProgress(fold: set.fold, epoch: epoch + 1, loss: loss, validationMacroF1: score))
      guard let patience = configuration.patience, let score else { continue }
      if best.map({ score > $0.score }) ?? true {
        best = (score, epoch + 1, head)
      } else if let best, epoch + 1 - best.epoch >= patience {
        break
      }
    }
    var head = best?.head ?? net.head(classes: labels.classes, configuration: configuration)
    guard head.attention?.isFinite ?? false, head.members.joined().allSatisfy(\.isFinite) else {
      throw Self.divergence("the weights are", epochs: nil)
    }
    let report = try head.fitSecondStage(
      on: set, in: vectors.seen(by: head), labels: labels, configuration: configuration)
    let trial = HeadFit.Trial(
      learningRate: configuration.initialLearningRate, weightDecay: configuration.weightDecay,
      validationMacroF1: best?.score ?? curve.last?.validationMacroF1, epoch: best?.epoch ?? curve.count,
      isChosen: true)
    return HeadFit(head: head, curve: curve, trials: [trial], calibration: report)
  }

  /// As `EpochScore` has it: at a threshold of one half, or by the likeliest class.
  private func macroF1(of head: Head) -> Double {
    let source = vectors.seen(by: head)
    let threshold = configuration.task == .single ? 0 : TrainingConfiguration.Defaults.threshold
    let probabilities = head.probabilities(of: set.validation, in: source)
    guard !probabilities.contains(where: \.isNaN) else { return 0 }
    return Scores(
      probabilities: probabilities, samples: set.validation, labels: labels,
      thresholds: labels.classes.map { _ in threshold }, task: configuration.task
    ).macroF1
  }

  private static func divergence(_ what: String, epochs: Int?) -> Fault {
    Fault(
      .badData, "training", "\(what) no longer finite" + (epochs.map { " after epoch \($0)" } ?? ""),
      remedy: "lower the learning rate, and check the vectors for extreme values")
  }
}
