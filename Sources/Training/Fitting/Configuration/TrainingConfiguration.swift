import Kernels

/// How samples come into batches.
package enum BatchSampling: String, Sendable, Equatable, Codable, CaseIterable {
  /// Every sample once an epoch, in a new order.
  case shuffled
  /// Each draw takes a class, all as likely, and one of its samples, all as likely; as many draws an epoch as
  /// there are samples. So DINO4Cells trains its classifiers.
  case classUniform = "class-uniform"
}

/// Where a class's threshold comes from.
package enum ThresholdChoice: String, Sendable, Equatable, Codable, CaseIterable {
  /// `TrainingConfiguration.Defaults.threshold` for every class.
  case fixed
  /// The one with the highest F1 on the validation samples, for each class, as far as their groups tell it.
  case fitted
}

/// How probabilities are corrected.
package enum CalibrationChoice: String, Sendable, Equatable, Codable, CaseIterable {
  case none, temperature, isotonic
}

/// The numbers that training multiplies; sums, parameters and all else are float32.
package enum TrainingPrecision: String, Sendable, Equatable, Codable, CaseIterable {
  case float32, bfloat16

  var number: kernels_number { self == .float32 ? KERNELS_F32 : KERNELS_BF16 }
}

/// Rates and decays, each pair of which trains a head of its own, all in one pass over the vectors; the one
/// with the best validation score is kept.
package struct ParameterGrid: Sendable, Equatable, Codable {
  package var learningRates: [Double]
  package var weightDecays: [Double]

  package init(learningRates: [Double], weightDecays: [Double]) {
    self.learningRates = learningRates
    self.weightDecays = weightDecays
  }
}

/// How a head is trained: AdamW on a loss.
package struct TrainingConfiguration: Sendable, Equatable {
  package var architecture: HeadArchitecture
  package var epochs: Int
  /// Samples a step; nil chooses by the number of samples, see `batchSize(samples:)`.
  package var batchSize: Int?
  /// The rate that the schedule is about; nil is the default.
  package var learningRate: Double?
  /// Decoupled weight decay, on weights and not on biases.
  package var weightDecay: Double
  /// Decides initial weights, order of samples and dropout.
  package var seed: UInt64
  package var loss = HeadLoss.binary
  package var sampling = BatchSampling.shuffled
  package var schedule = RateSchedule.cosine
  /// Epochs without a better validation score after which training ends; the weights of the best epoch are
  /// kept. nil trains through all epochs and keeps the last.
  package var patience: Int?
  /// To be tried in place of `learningRate` and `weightDecay`.
  package var grid: ParameterGrid?
  /// Heads with seeds of their own whose probabilities are averaged.
  package var ensembleCount = 1
  package var thresholds = ThresholdChoice.fixed
  package var calibration = CalibrationChoice.none
  package var precision = TrainingPrecision.float32
  /// Of one label a sample: the probability below which nothing is predicted.
  package var abstainBelow: Float = 0
  /// How cells of a sample are weighed; nil for their mean, or where samples are cells.
  package var attention: AttentionConfiguration?
  /// How nearest neighbors vote, in place of all that is trained: then only the task of the loss, the seed, thresholds,
  /// calibration and abstention count of the rest. nil for a head that is trained.
  package var neighbors: NeighborConfiguration?

  package init(
    architecture: HeadArchitecture = .linear, epochs: Int = Defaults.epochs, batchSize: Int? = nil,
    learningRate: Double? = nil, weightDecay: Double = Defaults.weightDecay, seed: UInt64 = 0
  ) {
    self.architecture = architecture
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.seed = seed
  }

  /// Values that do well on a few hundred to a hundred thousand samples without tuning.
  package enum Defaults {
    /// Between the 10 of DINO4Cells' README and the 100 of its configuration for fields of view.
    package static let epochs = 30
    /// That of DINO4Cells. On the grid of `DefaultsTests` 0 to 0.3 differ by less than 0.02 macro F1.
    package static let weightDecay = 0.04
    /// Within 0.02 macro F1 of the best of 1e-3, 3e-3, 1e-2 on the grid of `DefaultsTests`, for linear heads
    /// and for those with hidden layers. (DINO4Cells uses 2e-4, but for far more steps.)
    package static let learningRate = 3e-3
    /// 512 is the batch of DINO4Cells.
    package static let batchSizes = 16...512
    /// What small sets lower their batch for, down to the smallest: Adam moves a weight by no more than about
    /// the rate a step, so a few hundred samples in batches of 512 would end undertrained.
    package static let stepsAnEpoch = 64
    /// A class is predicted where its probability exceeds this. DINO4Cells and Cell-DINO use the same.
    package static let threshold: Float = 0.5
  }

  /// What heads are trained for, which their loss tells.
  package var task: ClassificationTask { loss.task }

  /// The same for a task: a loss of the other one becomes plain cross-entropy.
  package func adapted(to task: ClassificationTask) -> TrainingConfiguration {
    var configuration = self
    if loss.task != task { configuration.loss = HeadLoss.Defaults.loss(of: task) }
    return configuration
  }

  /// A class is predicted above it (several labels) or from it on (one label), where no threshold is fitted.
  var fixedThreshold: Float { task == .single ? abstainBelow : Defaults.threshold }

  /// The rate that the schedule is about.
  package var initialLearningRate: Double { learningRate ?? Defaults.learningRate }

  /// What is trained on each set: the grid, or one pair.
  var trials: [(learningRate: Double, weightDecay: Double)] {
    guard let grid else { return [(initialLearningRate, weightDecay)] }
    return grid.learningRates.flatMap { rate in grid.weightDecays.map { (rate, $0) } }
  }

  /// What of this cannot be had without validation samples, in the words of the command line; nil when all
  /// can.
  package var reasonForValidation: String? {
    reasonsForValidation.first
  }

  /// All that is tuned on validation samples; empty where nothing is.
  package var reasonsForValidation: [String] {
    [
      trials.count > 1 ? "a grid" : nil, patience != nil ? "early stopping" : nil,
      schedule == .plateau ? "the plateau schedule" : nil, thresholds == .fitted ? "fitted thresholds" : nil,
      calibration != .none ? "\(calibration.rawValue) calibration" : nil,
      (neighbors?.counts.count ?? 1) > 1 ? "a choice of neighbors" : nil,
    ].compactMap(\.self)
  }

  /// Samples a step. Small sets get small batches, so that they too see enough steps.
  package func batchSize(samples: Int) -> Int {
    let smallest = Defaults.batchSizes.lowerBound
    let largest = Defaults.batchSizes.upperBound
    return batchSize ?? min(max(samples / Defaults.stepsAnEpoch, smallest), largest)
  }
}

/// As heads keep it: what was added later has its former meaning where it is absent.
extension TrainingConfiguration: Codable {
  private enum CodingKeys: String, CodingKey {
    case architecture, epochs, batchSize, learningRate, weightDecay, seed, loss, sampling, schedule, patience,
      grid
    case ensembleCount, thresholds, calibration, precision, abstainBelow, attention, neighbors, task
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if let neighbors = try values.decodeIfPresent(NeighborConfiguration.self, forKey: .neighbors) {
      self.init(seed: try values.decode(UInt64.self, forKey: .seed))
      loss = HeadLoss.Defaults.loss(of: try values.decode(ClassificationTask.self, forKey: .task))
      thresholds = try values.decode(ThresholdChoice.self, forKey: .thresholds)
      calibration = try values.decode(CalibrationChoice.self, forKey: .calibration)
      abstainBelow = try values.decode(Float.self, forKey: .abstainBelow)
      self.neighbors = neighbors
      return
    }
    self.init(
      architecture: try values.decode(HeadArchitecture.self, forKey: .architecture),
      epochs: try values.decode(Int.self, forKey: .epochs),
      batchSize: try values.decodeIfPresent(Int.self, forKey: .batchSize),
      learningRate: try values.decodeIfPresent(Double.self, forKey: .learningRate),
      weightDecay: try values.decode(Double.self, forKey: .weightDecay),
      seed: try values.decode(UInt64.self, forKey: .seed))
    func later<Value: Decodable>(_ key: CodingKeys, _ former: Value) throws -> Value {
      try values.decodeIfPresent(Value.self, forKey: key) ?? former
    }
    loss = try later(.loss, loss)
    sampling = try later(.sampling, sampling)
    schedule = try later(.schedule, schedule)
    patience = try values.decodeIfPresent(Int.self, forKey: .patience)
    grid = try values.decodeIfPresent(ParameterGrid.self, forKey: .grid)
    ensembleCount = try later(.ensembleCount, ensembleCount)
    thresholds = try later(.thresholds, thresholds)
    calibration = try later(.calibration, calibration)
    precision = try later(.precision, precision)
    abstainBelow = try later(.abstainBelow, abstainBelow)
    attention = try values.decodeIfPresent(AttentionConfiguration.self, forKey: .attention)
  }
  /// What is trained by nothing has no keys of training.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(seed, forKey: .seed)
    try values.encode(thresholds, forKey: .thresholds)
    try values.encode(calibration, forKey: .calibration)
    try values.encode(abstainBelow, forKey: .abstainBelow)
    if let neighbors {
      try values.encode(neighbors, forKey: .neighbors)
      return try values.encode(task, forKey: .task)
    }
    try values.encode(architecture, forKey: .architecture)
    try values.encode(epochs, forKey: .epochs)
    try values.encodeIfPresent(batchSize, forKey: .batchSize)
    try values.encodeIfPresent(learningRate, forKey: .learningRate)
    try values.encode(weightDecay, forKey: .weightDecay)
    try values.encode(loss, forKey: .loss)
    try values.encode(sampling, forKey: .sampling)
    try values.encode(schedule, forKey: .schedule)
    try values.encodeIfPresent(patience, forKey: .patience)
    try values.encodeIfPresent(grid, forKey: .grid)
    try values.encode(ensembleCount, forKey: .ensembleCount)
    try values.encode(precision, forKey: .precision)
    try values.encodeIfPresent(attention, forKey: .attention)
  }
}
