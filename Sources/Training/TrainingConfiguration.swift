import Faults

/// The layers between a vector and its class logits.
package struct HeadArchitecture: Sendable, Equatable, Codable {
  /// Widths of the hidden layers, each followed by ReLU and dropout; none makes the head linear.
  package var hidden: [Int]
  /// Probability with which a hidden unit is dropped while training.
  package var dropout: Float

  package init(hidden: [Int] = [], dropout: Float = 0) {
    self.hidden = hidden
    self.dropout = dropout
  }

  /// One linear map: a logistic regression for each class.
  package static let linear = HeadArchitecture()
}

/// How a head is trained: multi-label binary cross-entropy, AdamW, a cosine schedule over all steps.
package struct TrainingConfiguration: Sendable, Equatable, Codable {
  package var architecture: HeadArchitecture
  package var epochs: Int
  /// Samples a step; nil chooses by the number of samples, see `batchSize(samples:)`.
  package var batchSize: Int?
  /// The rate of the first step, from which it falls to zero; nil chooses by the architecture.
  package var learningRate: Double?
  /// Decoupled weight decay, on weights and not on biases.
  package var weightDecay: Double
  /// Decides initial weights, order of samples and dropout.
  package var seed: UInt64

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
    /// Within 0.02 macro F1 of the best of 1e-3, 3e-3, 1e-2 on the grid of `DefaultsTests`.
    package static let linearLearningRate = 3e-3
    /// Likewise. (DINO4Cells uses 2e-4, but for far more steps.)
    package static let hiddenLearningRate = 3e-3
    /// 512 is the batch of DINO4Cells.
    package static let batchSizes = 16...512
    /// What small sets lower their batch for, down to the smallest: Adam moves a weight by no more than about
    /// the rate a step, so a few hundred samples in batches of 512 would end undertrained.
    package static let stepsAnEpoch = 64
    /// A class is predicted where its probability exceeds this. DINO4Cells and Cell-DINO use the same.
    package static let threshold: Float = 0.5
  }

  /// The rate of the first step.
  package var initialLearningRate: Double {
    learningRate ?? (architecture.hidden.isEmpty ? Defaults.linearLearningRate : Defaults.hiddenLearningRate)
  }

  /// Samples a step. Small sets get small batches, so that they too see enough steps.
  package func batchSize(samples: Int) -> Int {
    let smallest = Defaults.batchSizes.lowerBound
    let largest = Defaults.batchSizes.upperBound
    return batchSize ?? min(max(samples / Defaults.stepsAnEpoch, smallest), largest)
  }

  /// - Throws: `usage` for a value with which nothing can be trained.
  func validate() throws {
    func refuse(_ option: String, expected: String, found: some CustomStringConvertible) throws -> Never {
      throw Fault(.usage, option, expected: expected, found: "\(found)")
    }
    let widths = 1...65_536
    for width in architecture.hidden where !widths.contains(width) {
      try refuse("hidden", expected: "layer widths from 1 to 65536", found: width)
    }
    if !(0..<1).contains(architecture.dropout) {
      try refuse("dropout", expected: "a probability below 1", found: architecture.dropout)
    }
    if epochs < 1 { try refuse("epochs", expected: "at least 1", found: epochs) }
    if let batchSize, !(1...1_048_576).contains(batchSize) {
      try refuse("batch size", expected: "1 to 1048576 samples", found: batchSize)
    }
    if !(initialLearningRate > 0 && initialLearningRate.isFinite) {
      try refuse("learning rate", expected: "a positive number", found: initialLearningRate)
    }
    if !(weightDecay >= 0 && weightDecay * initialLearningRate < 1) {
      try refuse("weight decay", expected: "0 or more, and below 1 / learning rate", found: weightDecay)
    }
  }
}
