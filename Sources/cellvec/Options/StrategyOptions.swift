import ArgumentParser
import Backbone
import Faults

/// How channels are brought to the inputs of a model.
struct StrategyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Channels to model inputs: map (by role, one pass) or replicate (each alone, joined).",
      valueName: "name"))
  var strategy = "map"

  @Option(
    name: .customLong("map"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "For strategy map: role=input for each channel, inputs from 0; by default by the model's own names.",
      valueName: "role=input"))
  var assignments: [String] = []

  /// - Throws: `usage` when the options do not fit the model, or leave a channel unused.
  func channelStrategy(roles: [String], backbone: VisionTransformer) throws -> ChannelStrategy {
    switch strategy {
    case "replicate": return .replicate
    case "map" where assignments.isEmpty:
      return try Embedder.defaultMap(backbone: backbone, roles: roles)
    case "map":
      var inputs = [String?](repeating: nil, count: backbone.geometry.inputChannels)
      for assignment in assignments {
        let parts = assignment.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let input = Int(parts[1]), inputs.indices.contains(input) else {
          throw Fault(
            .usage, "--map", expected: "role=input with an input of 0 to \(inputs.count - 1)",
            found: "\"\(assignment)\"")
        }
        if let other = inputs[input] {
          throw Fault(
            .usage, "--map", "sends both \(other) and \(parts[0]) to input \(input)",
            remedy: "give every input one channel at most")
        }
        inputs[input] = String(parts[0])
      }
      if let unused = roles.first(where: { !inputs.contains($0) }) {
        throw Fault(
          .usage, "--map", "leaves channel \(unused) unused",
          remedy: "map it to an input, or leave it out of --channels")
      }
      return .map(inputs)
    default:
      throw Fault(.usage, "--strategy", expected: "map or replicate", found: "\"\(strategy)\"")
    }
  }
}
