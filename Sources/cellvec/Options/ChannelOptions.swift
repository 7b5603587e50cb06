import ArgumentParser
import Faults
import Imaging

/// Which files are the channels of an image.
struct ChannelOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Files of each channel, as protein='*_green.png'; '#1' behind them takes plane 1.",
      valueName: "role=pattern"))
  var channels: [String] = []

  func patterns() throws -> [ChannelPattern] {
    guard !channels.isEmpty else {
      throw Fault(
        .usage, "--channels", "names no channel",
        remedy: "give one pattern for each, as in protein='*_green.png'")
    }
    let patterns = try channels.map { try ChannelPattern(parsing: $0) }
    if patterns.contains(where: { $0.role == ImageQuery.maskWord }) {
      throw Fault(
        .usage, "--channels", "has the role \(ImageQuery.maskWord), which stands for label masks",
        remedy: "give the channel another role, or name masks with --cells masks='*_mask.png'")
    }
    return patterns
  }
}
