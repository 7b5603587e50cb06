/// What one head learns from, and what its training is watched on.
package struct TrainingSet: Sendable, Equatable {
  /// The samples that weights are fitted to.
  package let samples: [Int32]
  /// Samples apart from those: early stopping, the choice from a grid, thresholds and calibration look at them
  /// alone. May be empty where none of these is asked for.
  package let validation: [Int32]
  /// The fold of cross-validation that the head belongs to, from 0; nil outside of one. It names the head in
  /// reports of progress, and changes nothing.
  package let fold: Int?

  package init(samples: [Int32], validation: [Int32] = [], fold: Int? = nil) {
    self.samples = samples
    self.validation = validation
    self.fold = fold
  }
}

/// A head, and how its training went.
package struct HeadFit: Sendable, Equatable {
  package let head: Head
  /// One an epoch, in order.
  package let curve: [EpochScore]
}

/// What is known of a head after an epoch.
package struct EpochScore: Sendable, Equatable, Codable {
  /// Mean loss over the epoch's samples and classes, each before the step that learned from it.
  package let loss: Double
  /// Macro F1 at a threshold of 0.5 on the validation samples, over the classes that have positives among them; nil
  /// without validation samples.
  package let validationMacroF1: Double?
}
