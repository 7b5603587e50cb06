import Faults

/// How the attention over a sample's cells is learned.
package struct AttentionConfiguration: Sendable, Equatable, Codable {
  package enum Defaults {
    /// That of Ilse et al. on images of tissue.
    package static let width = 128
    /// What a sample's draws differ by is then small, and a step of 16 samples holds some thousand cells.
    package static let cellsAStep = 256
  }

  /// Gates, each a tanh times a sigmoid, whose weighted sum is a cell's score.
  package var width: Int
  /// Cells that are drawn of a sample in a step; of a sample that has no more all of them are taken.
  package var cellsAStep: Int

  package init(width: Int = Defaults.width, cellsAStep: Int = Defaults.cellsAStep) {
    self.width = width
    self.cellsAStep = cellsAStep
  }

  /// - Throws: `usage` for numbers, or for other choices of the training, with which no attention is learned.
  func validate(within configuration: TrainingConfiguration, unit: SampleUnit) throws {
    guard unit != .cell else {
      throw Fault(
        .usage, "attention", "goes with samples of several cells",
        remedy: "name what brings cells together with --sample, such as a gene, or leave --pool out")
    }
    guard (1...4096).contains(width) else {
      throw Fault(.usage, "attention width", expected: "1 to 4096", found: "\(width)")
    }
    guard (1...65_536).contains(cellsAStep) else {
      throw Fault(.usage, "cells of a sample and step", expected: "1 to 65536", found: "\(cellsAStep)")
    }
    let reason =
      configuration.trials.count > 1
      ? "a grid" : configuration.ensembleCount > 1 ? "an ensemble" : nil
    if let reason {
      throw Fault(
        .usage, reason, "goes with means of cells, not with attention over them",
        remedy: "leave it out, or pool by the mean")
    }
    guard configuration.precision == .float32 else {
      throw Fault(
        .usage, "precision", "of attention is float32", remedy: "leave --precision out, or pool by the mean")
    }
  }
}
