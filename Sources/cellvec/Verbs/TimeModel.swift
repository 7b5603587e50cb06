import ArgumentParser
import Backbone
import Faults
import Ingest

/// `cellvec models time`.
struct TimeModel: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "time", abstract: "Measure how fast a backbone embeds on this machine.",
    usage: "cellvec models time [<options>]",
    discussion: """
      Embeds random images of the model's inputs, batch after batch.

      Examples:
        cellvec models time
        cellvec models time --backbone dino.pth --size 448 --batch 1 --json
      """)

  /// The most numbers in a batch of images: a gigabyte of them.
  private static let valueLimit = 1 << 28

  @OptionGroup var backbone: BackboneOptions
  @Option(help: ArgumentHelp("Side of the images.", valueName: "pixels")) var size = 224
  @Option(help: ArgumentHelp("Images embedded by one call.", valueName: "count")) var batch = 8
  @Option(help: ArgumentHelp("How long to measure, after one batch to warm up.", valueName: "seconds"))
  var seconds = 2.0
  @Option(help: ArgumentHelp("Tokens that become the vector; default: the model's own.", valueName: "tokens"))
  var pooling: Pooling?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Write one JSON object.") var json = false

  func validate() throws {
    guard (1...16_384).contains(size) else {
      throw ValidationError("--size: expected 1 to 16384, found \(size)")
    }
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch: expected 1 to 4096, found \(batch)")
    }
    guard (0...86_400).contains(seconds) else {
      throw ValidationError("--seconds: expected 0 to 86400, found \(seconds)")
    }
  }

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let model = try backbone.load().model
    let load = clock.now - start
    let pooling = try pooling ?? RecipeDefaults.pooling(of: model)
    let inputs = model.geometry.inputChannels
    let valueCount = batch * inputs * size * size
    guard valueCount <= Self.valueLimit else {
      throw Fault(
        .usage, "a batch of \(batch) images of \(inputs) x \(size) x \(size)",
        expected: "at most \(Self.valueLimit) numbers", found: "\(valueCount)",
        remedy: "choose a smaller --batch or --size")
    }
    let rounds = try model.timeEmbedding(
      count: batch, sizePx: size, pooling: pooling, threads: threads.count, atLeast: .seconds(seconds))
    let report = ModelTiming(
      of: model, sizePx: size, batch: batch, threads: threads.count, pooling: pooling, load: load,
      rounds: rounds)
    if json {
      try StandardOutput.writeJSON(report)
    } else {
      try StandardOutput.write(lines: report.card.lines())
    }
  }
}
