import ArgumentParser
import Faults
import Training

/// What a head learns and how.
struct TrainingOptions: ParsableArguments {
  @OptionGroup var labels: LabelOptions

  @Option(help: ArgumentHelp("Folds of cross-validation.", valueName: "count"))
  var folds = TrainingPlan.Defaults.folds

  @Option(
    help: ArgumentHelp(
      "Widths of hidden layers, as in 512,256.", valueName: "widths"))
  var hidden = ""

  @Option(help: ArgumentHelp("Part of hidden units dropped.", valueName: "part"))
  var dropout: Float = 0

  @Option(help: ArgumentHelp("Passes over the cells.", valueName: "count"))
  var epochs = TrainingConfiguration.Defaults.epochs

  @Option(
    help: ArgumentHelp(
      "First rate; default \(TrainingConfiguration.Defaults.linearLearningRate), or \(TrainingConfiguration.Defaults.hiddenLearningRate) with --hidden.",
      valueName: "rate"))
  var learningRate: Double?

  @Option(help: ArgumentHelp("Decoupled weight decay of AdamW.", valueName: "rate"))
  var weightDecay = TrainingConfiguration.Defaults.weightDecay

  @Option(help: ArgumentHelp("Cells a step; default by the number of cells.", valueName: "count"))
  var batchSize: Int?

  @Option(help: "Seed of folds, weights and order.") var seed: UInt64 = 0

  func validate() throws {
    let widths = names(in: hidden)
    guard widths.allSatisfy({ Int($0) != nil }) else {
      throw ValidationError("--hidden: expected widths such as 512,256, found \"\(hidden)\"")
    }
  }

  var plan: TrainingPlan {
    let architecture = HeadArchitecture(hidden: names(in: hidden).compactMap { Int($0) }, dropout: dropout)
    return TrainingPlan(
      labelField: labels.field, grouping: labels.grouping, folds: folds,
      configuration: TrainingConfiguration(
        architecture: architecture, epochs: epochs, batchSize: batchSize, learningRate: learningRate,
        weightDecay: weightDecay, seed: seed))
  }
}
