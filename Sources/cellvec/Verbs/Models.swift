import ArgumentParser
import Backbone

/// `cellvec models`: backbones.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "models", abstract: "List, add, inspect, make and run backbones.",
    subcommands: [
      ListModels.self, AddModel.self, RemoveModel.self, ListPresets.self, ModelCard.self, InspectModel.self,
      SeedModel.self, EmbedArray.self, TimeModel.self, ShowCache.self,
    ], defaultSubcommand: ListModels.self)
}

/// `cellvec models list`.
struct ListModels: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", abstract: "List the models that --backbone knows by name.",
    discussion: """
      Example:
        cellvec models
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let rows = try ModelRegistry.standard.entries().map { entry -> [Value] in
      [
        .text(entry.name), .text(entry.family), .text(entry.architecture), .integer(entry.inputCount),
        .list(entry.inputs ?? []),
        .integer(entry.parameters), .integer(entry.byteCount), .text(entry.hash), .text(entry.preset),
        .text(entry.originWords),
      ]
    }
    try StandardOutput.write(
      Report(
        [
          "model", "family", "architecture", "inputs", "roles", "parameters", "bytes", "hash", "preset",
          "origin",
        ],
        rows: rows),
      as: output.format)
  }
}

extension ModelEntry {
  /// Where the model is from: a file, with the branch where it is not the usual one.
  fileprivate var originWords: String {
    guard let origin else { return "bundled" }
    return branch.map { "\(origin) (\($0))" } ?? origin
  }
}

/// `cellvec models card`.
struct ModelCard: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "card", abstract: "Show what a model was trained on and is good for.",
    discussion: """
      The text is that of the bundled model, or the one that lay beside the weights \
      of a model when it was added.

      Example:
        cellvec models card
      """)

  @Argument(help: "Name of the model.") var name = BundledModel.name

  func run() throws {
    let card = try ModelRegistry.standard.card(of: name)
    var lines = card.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    try StandardOutput.write(lines: lines.map(String.init))
  }
}
