import ArgumentParser
import Backbone
import Imaging
import Ingest

/// `cellvec models presets`.
struct ListPresets: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "presets", abstract: "List the presets that --preset takes, with their sources.",
    discussion: """
      A preset is what public sources state of how a family of models was fed. Every
      option goes before it; what it leaves open is the model's own.

      Example:
        cellvec models presets --json
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let rows = Preset.all().map { preset -> [Value] in
      [
        .text(preset.name), .text(preset.normalization.rawValue), .text(preset.normalizationScope.rawValue),
        .text(preset.strategy.rawValue), .list(preset.inputs ?? []),
        preset.inputSizePx.map { .integer($0) } ?? .null, .text(preset.zeroBackground ? "zero" : "kept"),
        .text(preset.pooling?.rawValue), .text(preset.source),
      ]
    }
    try StandardOutput.write(
      Report(
        [
          "preset", "normalization", "over", "strategy", "inputs", "input_size", "background", "pooling",
          "source",
        ], rows: rows), as: output.format)
  }
}
