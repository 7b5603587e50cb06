import ArgumentParser
import Training

/// How cells of a sample become its vector.
enum SamplePooling: String, ExpressibleByArgument, CaseIterable {
  case mean, attention
}

/// What a sample is, and how its cells become a vector.
struct SampleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Samples: cell, image or a field.", valueName: "unit"))
  private var sample = SampleUnit.cellWord

  @Option(
    help: ArgumentHelp(
      "How cells of a sample become its vector; attention learns which of them tell.", valueName: "way",
      visibility: .hidden))
  private var pool = SamplePooling.mean

  @Option(
    help: ArgumentHelp(
      "Gates of the attention; default \(AttentionConfiguration.Defaults.width).", valueName: "count",
      visibility: .hidden))
  private var attentionWidth: Int?

  @Option(
    help: ArgumentHelp(
      "Cells that attention draws of a sample in a step; default \(AttentionConfiguration.Defaults.cellsAStep).",
      valueName: "count", visibility: .hidden))
  private var attentionCells: Int?

  func validate() throws {
    guard pool != .attention else { return }
    for (option, value) in [("--attention-width", attentionWidth), ("--attention-cells", attentionCells)] {
      if value != nil { throw ValidationError("\(option) goes with --pool attention") }
    }
  }

  var unit: SampleUnit { SampleUnit(sample) }

  /// nil for means.
  var attention: AttentionConfiguration? {
    guard pool == .attention else { return nil }
    return AttentionConfiguration(
      width: attentionWidth ?? AttentionConfiguration.Defaults.width,
      cellsAStep: attentionCells ?? AttentionConfiguration.Defaults.cellsAStep)
  }
}
