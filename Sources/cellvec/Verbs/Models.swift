import ArgumentParser

/// `cellvec models`: files of weights.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, inspect and run backbones.",
    subcommands: [SeedModel.self, InspectModel.self, EmbedArray.self])
}
