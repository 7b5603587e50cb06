/// What one head learns from, and what its training is watched on.
package struct TrainingSet: Sendable, Equatable {
  /// The samples that weights are fitted to.
  package let samples: SampleSet
  /// Samples apart from those: early stopping, the choice from a grid, thresholds and calibration look at
  /// them alone. May be empty where none of these is asked for.
  package let validation: [Int32]
  /// The group of each validation sample, by which they are kept together where they test one another; empty where each
  /// is by itself.
  package let validationGroups: [Int32]
  /// The fold of cross-validation that the head belongs to, from 0; nil outside of one. It names the head in
  /// reports of progress; the head is the same with and without, only its calibration is not assessed within one.
  package let fold: Int?

  package init(
    samples: [Int32], validation: [Int32] = [], validationGroups: [Int32] = [], fold: Int? = nil
  ) {
    self.init(
      samples: SampleSet(samples), validation: validation, validationGroups: validationGroups, fold: fold)
  }

  package init(
    samples: SampleSet, validation: [Int32] = [], validationGroups: [Int32] = [], fold: Int? = nil
  ) {
    precondition(validationGroups.isEmpty || validationGroups.count == validation.count)
    self.samples = samples
    self.validation = validation
    self.validationGroups = validationGroups
    self.fold = fold
  }
}

/// A head, and how its training went.
package struct HeadFit: Sendable, Equatable {
  package let head: Head
  /// One an epoch, in order; of an ensemble, those of its first head.
  package let curve: [EpochScore]
  /// What a grid's pairs came to, in the order of rates, then decays; of an ensemble, those of its first
  /// head. One entry without a grid.
  package let trials: [Trial]
  /// How probabilities did on the validation samples; nil where they were not calibrated.
  package let calibration: CalibrationReport?
  /// What numbers of neighbors came to, increasing, of a head whose nearest voters vote; else empty.
  package var neighborTrials: [NeighborTrial] = []

  /// A pair of a grid, trained.
  package struct Trial: Sendable, Equatable, Codable {
    package let learningRate: Double
    package let weightDecay: Double
    /// That of the epoch whose weights are kept; nil without validation samples, or when the loss was no
    /// longer finite.
    package let validationMacroF1: Double?
    /// The epoch whose weights are kept, from 1; 0 when the loss was no longer finite.
    package let epoch: Int
    package let isChosen: Bool
  }
}

/// What is known of a head after an epoch.
package struct EpochScore: Sendable, Equatable, Codable {
  /// Mean loss over the epoch's samples, and over classes where each has a loss; each before the step that learned from
  /// it.
  package let loss: Double
  /// Macro F1 on the validation samples, at a threshold of 0.5 or by the likeliest class, over the classes that have
  /// positives among them; nil without validation samples.
  package let validationMacroF1: Double?
}
