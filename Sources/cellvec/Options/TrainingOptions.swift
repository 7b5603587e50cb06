import ArgumentParser
import Faults
import Training

/// What a head learns and how.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Field with the classes to learn: a text or a list of texts.", valueName: "field"))
  var labels: String

  @Option(
    help: ArgumentHelp(
      "Keep cells with the same value here in one fold: gene, antibody, well, ...; by default the image that they come from.",
      valueName: "field"))
  var group: String?

  @Flag(help: "Let cells of one image or gene be learned from and tested on. Scores will be too good.")
  var ungrouped = false

  @Option(help: ArgumentHelp("Folds of cross-validation.", valueName: "count"))
  var folds = TrainingPlan.Defaults.folds

  @Option(
    help: ArgumentHelp(
      "Widths of hidden layers, separated by commas; none for a linear head.", valueName: "widths"))
  var hidden = ""

  @Option(help: ArgumentHelp("Part of the hidden units dropped while training.", valueName: "part"))
  var dropout: Float = 0

  @Option(help: ArgumentHelp("Passes over the cells.", valueName: "count"))
  var epochs = TrainingConfiguration.Defaults.epochs

  @Option(
    help: ArgumentHelp(
      "Rate of the first step; \(TrainingConfiguration.Defaults.linearLearningRate) for linear heads and \(TrainingConfiguration.Defaults.hiddenLearningRate) for others by default.",
      valueName: "rate"))
  var learningRate: Double?

  @Option(help: ArgumentHelp("Decoupled weight decay of AdamW.", valueName: "rate"))
  var weightDecay = TrainingConfiguration.Defaults.weightDecay

  @Option(help: ArgumentHelp("Cells a step; chosen by the number of cells by default.", valueName: "count"))
  var batchSize: Int?

  @Option(help: "Seed of folds, weights and order.") var seed: UInt64 = 0

  func validate() throws {
    if ungrouped && group != nil { throw ValidationError("--group and --ungrouped exclude each other") }
    let widths = names(in: hidden)
    guard widths.allSatisfy({ Int($0) != nil }) else {
      throw ValidationError("--hidden: expected widths such as 512,256, found \"\(hidden)\"")
    }
  }

  var plan: TrainingPlan {
    let architecture = HeadArchitecture(hidden: names(in: hidden).compactMap { Int($0) }, dropout: dropout)
    return TrainingPlan(
      labelField: labels, grouping: grouping, folds: folds,
      configuration: TrainingConfiguration(
        architecture: architecture, epochs: epochs, batchSize: batchSize, learningRate: learningRate,
        weightDecay: weightDecay, seed: seed))
  }

  private var grouping: FoldGrouping {
    if ungrouped { return .none }
    guard let group, group != FoldGrouping.imageWord else { return .image }
    return .field(group)
  }

  /// What to say of a grouping that was not asked for.
  var advice: String? {
    group == nil && !ungrouped
      ? "cells of one image share a fold; group by what the labels depend on with --group, such as gene" : nil
  }
}
