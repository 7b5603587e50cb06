import Faults

/// The training of one head a set, from one stream of batches.
struct FitRun<Source: SampleVectors> {
  private let source: Source
  private let labels: LabelTable
  private let targets: SoftTargets?
  private let sets: [TrainingSet]
  private let configuration: TrainingConfiguration
  private let threads: Int
  private let stream: SampleStream
  /// The samples of the epoch on hand in their order.
  private let order: ScratchTable<Int32>
  private let shape: HeadShape
  private let positives: [[Int]]

  /// - Throws: as `ScratchTable`.
  init(
    source: Source, labels: LabelTable, targets: SoftTargets?, sets: [TrainingSet],
    configuration: TrainingConfiguration, threads: Int
  ) throws {
    self.source = source
    self.labels = labels
    self.targets = targets
    self.sets = sets
    self.configuration = configuration
    self.threads = threads
    let byteCount = labels.count * source.dimension * 4
    stream = try SampleStream(
      sets: sets, labels: labels, sampling: configuration.sampling,
      runLength: byteCount > SampleStream.shuffledByteLimit ? SampleStream.longRun : 1)
    order = try ScratchTable(count: stream.samples.count)
    shape = HeadShape(
      dimension: source.dimension, architecture: configuration.architecture, classCount: labels.classes.count)
    positives = sets.map { labels.positives(among: $0.samples) }
  }

  func fits(progress: ProgressReport) throws -> [HeadFit] {
    let standardizations = Standardization.fit(source, sets: sets, stream: stream, threads: threads)
    if !standardizations.all.isFinite {
      try requireFinite(source, samples: stream.samples, threads: threads)
    }
    let ensemble = try (0..<UInt64(configuration.ensembleCount)).map { number in
      try train(seed: configuration.seed &+ number, standardizations, progress: progress)
    }
    return try sets.indices.map { set in
      let members = try ensemble.map { trained in
        let layers = Head.layers(
          shape, parameters: trained[set].parameters, standardization: standardizations.ofSets[set])
        // A finite weight on standardised vectors may be none on raw ones.
        guard layers.allSatisfy(\.isFinite) else { throw Self.divergence("the weights are", epochs: nil) }
        return layers
      }
      var head = Head(
        classes: labels.classes, architecture: configuration.architecture, dimension: source.dimension,
        thresholds: labels.classes.map { _ in configuration.fixedThreshold }, members: members,
        task: configuration.task)
      let report = try head.fitSecondStage(
        on: sets[set], in: source, labels: labels, configuration: configuration)
      return HeadFit(
        head: head, curve: ensemble[0][set].curve, trials: ensemble[0][set].trials, calibration: report)
    }
  }

  /// Samples of a batch of all sets together.
  private var batchSize: Int {
    let mean = Double(sets.reduce(0) { $0 + $1.samples.count }) / Double(sets.count)
    let own = min(configuration.batchSize(samples: Int(mean)), Int(mean))
    return max(1, Int((Double(own) * Double(stream.samples.count) / mean).rounded()))
  }

  /// One set's training, done.
  private struct Trained {
    var parameters: [Float]
    var curve: [EpochScore]
    var trials: [HeadFit.Trial]
  }

  private func train(
    seed: UInt64, _ standardizations: (all: Standardization, ofSets: [Standardization]),
    progress: ProgressReport
  ) throws -> [Trained] {
    var configuration = configuration
    configuration.seed = seed
    let batchSize = batchSize
    let stepsAnEpoch = (stream.samples.count + batchSize - 1) / batchSize
    let layout = PanelLayout(precision: configuration.precision)
    let trials = configuration.trials
    let members = sets.indices.flatMap { set in
      let initial = shape.initialParameters(
        positives: positives[set], samples: sets[set].samples.count, task: configuration.task, seed: seed)
      let transform =
        sets.count > 1 ? InputTransform(from: standardizations.all, to: standardizations.ofSets[set]) : nil
      return trials.map { trial in
        HeadMember(
          set: set, shape: shape, parameters: initial,
          rates: RateControl(
            configuration.schedule, peak: trial.learningRate, steps: stepsAnEpoch * configuration.epochs),
          weightDecay: trial.weightDecay, layout: layout, transform: transform, capacity: batchSize)
      }
    }
    let stack = HeadStack(
      members: members, source: source, labels: labels, targets: targets, stream: stream,
      standardization: standardizations.all, configuration: configuration,
      positiveWeights: sets.indices.map {
        configuration.loss.positiveWeights(positives: positives[$0], samples: sets[$0].samples.count)
      }, batchSize: batchSize, layout: layout, shape: shape, threads: threads)
    var watches = members.map { _ in MemberWatch(patience: configuration.patience) }
    for epoch in 0..<configuration.epochs where members.contains(where: \.isActive) {
      stream.draw(order, seed: seed, epoch: epoch)
      stream.arrange(order, inBatchesOf: batchSize, threads: threads)
      let losses = stack.train(order: order, firstStep: epoch * stepsAnEpoch)
      for (number, set) in sets.enumerated() {
        let group = number * trials.count..<(number + 1) * trials.count
        guard members[group].contains(where: \.isActive) else { continue }
        let scores = set.validation.isEmpty ? nil : stack.macroF1(ofSet: number, on: set.validation)
        for (place, index) in group.enumerated() where members[index].isActive {
          watches[index].endEpoch(loss: losses[index], score: scores?[place], of: members[index])
        }
        guard members[group].indices.contains(where: { watches[$0].isFinite }) else {
          throw Self.divergence("the loss is", epochs: epoch + 1)
        }
        let leader = MemberWatch.best(watches[group])
        guard let latest = watches[leader].curve.last else { continue }
        try progress(
          TrainingProgress(
            fold: set.fold, epoch: epoch + 1, loss: latest.loss, validationMacroF1: latest.validationMacroF1))
      }
    }
    for (watch, member) in zip(watches.indices, members) { watches[watch].end(with: member) }
    return try sets.indices.map { number in
      let group = number * trials.count..<(number + 1) * trials.count
      let best = MemberWatch.best(watches[group])
      guard watches[best].isFinite else {
        throw Self.divergence("the weights are", epochs: watches[best].curve.count)
      }
      return Trained(
        parameters: watches[best].parameters ?? members[best].parameters, curve: watches[best].curve,
        trials: group.map { index in
          let trial = trials[index - group.lowerBound]
          return HeadFit.Trial(
            learningRate: trial.learningRate, weightDecay: trial.weightDecay,
            validationMacroF1: watches[index].isFinite ? watches[index].score : nil,
            epoch: watches[index].isFinite ? watches[index].epoch : 0, isChosen: index == best)
        })
    }
  }
}

extension FitRun {
  private static func divergence(_ what: String, epochs: Int?) -> Fault {
    Fault(
      .badData, "training", "\(what) no longer finite" + (epochs.map { " after epoch \($0)" } ?? ""),
      remedy: "lower the learning rate, and check the vectors for extreme values")
  }
}

/// What is remembered of a head in training from epoch to epoch.
private struct MemberWatch {
  let patience: Int?
  private(set) var curve: [EpochScore] = []
  private(set) var isFinite = true
  /// The validation score of the epoch whose weights are kept, and that epoch, from 1.
  private(set) var score: Double?
  private(set) var epoch = 0
  /// The weights of that epoch where it is not the last.
  private(set) var parameters: [Float]?

  init(patience: Int?) { self.patience = patience }

  /// Takes note of an epoch, and ends the training of a head that has gone bad or no longer gets better.
  mutating func endEpoch(loss: Double, score: Double?, of member: HeadMember) {
    guard loss.isFinite else {
      isFinite = false
      member.isActive = false
      return
    }
    curve.append(EpochScore(loss: loss, validationMacroF1: score))
    if let score { member.rates.endEpoch(score: score) }
    guard let patience, let score else {
      self.score = score
      epoch = curve.count
      return
    }
    if self.score.map({ score > $0 }) ?? true {
      self.score = score
      epoch = curve.count
      parameters = member.parameters
    } else if curve.count - epoch >= patience {
      member.isActive = false
    }
  }

  /// Takes note of the weights that are kept: no loss has seen what the last step made of them.
  mutating func end(with member: HeadMember) {
    if isFinite { isFinite = (parameters ?? member.parameters).allSatisfy(\.isFinite) }
  }

  /// The index of the head with the highest score, else the lowest loss; the first of equal ones.
  static func best(_ watches: ArraySlice<MemberWatch>) -> Int {
    func rank(_ index: Int) -> (Double, Double) {
      let watch = watches[index]
      guard watch.isFinite else { return (-.infinity, -.infinity) }
      return (watch.score ?? 0, -(watch.curve.last?.loss ?? .infinity))
    }
    var best = watches.startIndex
    for index in watches.indices.dropFirst() where rank(index) > rank(best) { best = index }
    return best
  }
}
