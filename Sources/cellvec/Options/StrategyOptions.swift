import ArgumentParser
import Backbone
import Faults

/// How channels are brought to the inputs of a model.
struct StrategyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How channels meet inputs; default map.",
      valueName: "name"))
  private var strategy: StrategyKind?

  @Option(
    name: .customLong("map"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "For map and reindex: role=input, inputs from 0 or by name, none for a channel that the model is not to see; channels that are not told go to the input of their name.",
      valueName: "role=input", visibility: .hidden))
  private var assignments: [String] = []

  @Option(
    help: ArgumentHelp(
      "For map: inputs without a channel are zero, or repeat the others; default zero.", visibility: .hidden))
  private var absent: AbsentInputs?

  @Option(
    help: ArgumentHelp(
      "For replicate: join the channels' vectors by concat or mean; default concat.", visibility: .hidden))
  private var combine: PassJoin?

  /// - Parameters:
  ///   - inputs: roles of the model's inputs where the model does not say them itself.
  ///   - standard: the strategy where no option names one.
  /// - Throws: `usage` when the options do not fit the model, or leave a channel unused.
  func channelStrategy(
    roles: [String], backbone: VisionTransformer, inputs: [String]? = nil, standard: StrategyKind = .map
  ) throws -> ChannelStrategy {
    let word =
      strategy ?? (assignments.isEmpty && absent == nil ? combine == nil ? standard : .replicate : .map)
    try checkUse(of: "--map", !assignments.isEmpty, with: word, in: [.map, .reindex])
    try checkUse(of: "--absent", absent != nil, with: word, in: [.map])
    try checkUse(of: "--combine", combine != nil, with: word, in: [.replicate])
    switch word {
    case .replicate: return .replicate(combine ?? .concat)
    case .average: return .average
    case .map where assignments.isEmpty:
      if inputs == nil { try backbone.trainingInput.check(.inputs) }
      return try Embedder.defaultMap(
        backbone: backbone, inputs: inputs, roles: roles, absent: absent ?? .zero)
    case .map:
      var map = [String?](repeating: nil, count: backbone.geometry.inputChannels)
      for (role, input) in try parsedAssignments(roles, backbone, inputs) {
        if let other = map[input] {
          throw Fault(
            .usage, "--map", "sends both \(other) and \(role) to input \(input)",
            remedy: "give every input one channel at most, or add channels up with --strategy reindex")
        }
        map[input] = role
      }
      return .map(map, absent: absent ?? .zero)
    case .reindex:
      var map: [String: Int] = [:]
      for (role, input) in try parsedAssignments(roles, backbone, inputs) {
        guard map.updateValue(input, forKey: role) == nil else {
          throw Fault(
            .usage, "--map", "names \(role) twice", remedy: "give every channel one input's weights")
        }
      }
      return .reindex(map)
    }
  }

  private func checkUse(of option: String, _ isGiven: Bool, with word: StrategyKind, in words: [StrategyKind])
    throws
  {
    guard isGiven, !words.contains(word) else { return }
    let names = words.map(\.rawValue).joined(separator: " or ")
    throw Fault(.usage, option, expected: "--strategy \(names)", found: word.rawValue)
  }

  /// The word for a channel that goes to no input.
  private static let noInput = "none"

  /// The pairs of --map that lead to an input, each role one of the images'. A channel that no pair names goes to
  /// the input of its own name.
  /// - Throws: `usage` when there is no such input, or a pair has taken it: no channel is forgotten.
  private func parsedAssignments(
    _ roles: [String], _ backbone: VisionTransformer, _ inputs: [String]?
  ) throws -> [(role: String, input: Int)] {
    guard !assignments.isEmpty else {
      throw Fault(
        .usage, "--map", "is needed with --strategy reindex",
        remedy: "give role=input for each channel, as in \(roles.map { "\($0)=0" }.joined(separator: " "))")
    }
    let count = backbone.geometry.inputChannels
    // A preset may be meant for models of more inputs; numbers are then all there is.
    let names = (inputs ?? backbone.inputRoles).flatMap { $0.count == count ? $0 : nil } ?? []
    let pairs = try assignments.map { assignment -> (role: String, input: Int?) in
      let parts = assignment.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, parts[1] == Self.noInput { return (parts[0], nil) }
      guard parts.count == 2, let input = Int(parts[1]) ?? names.firstIndex(of: parts[1]),
        (0..<count).contains(input)
      else {
        let named = names.isEmpty ? "" : " or one of \(names.joined(separator: ", "))"
        throw Fault(
          .usage, "--map", expected: "role=input with an input of 0 to \(count - 1)\(named)",
          found: "\"\(assignment)\"")
      }
      return (parts[0], input)
    }
    if let stranger = pairs.first(where: { !roles.contains($0.role) }) {
      throw Fault(
        .usage, "--map", expected: "roles among \(roles.joined(separator: ", "))", found: stranger.role)
    }
    let implied = try roles.filter { role in !pairs.contains { $0.role == role } }.map { role in
      guard let input = names.firstIndex(of: role), !pairs.contains(where: { $0.input == input }) else {
        throw Fault(
          .usage, "--map", "leaves channel \(role) unused",
          remedy: "map it to an input, or leave it out with \(role)=\(Self.noInput)")
      }
      return (role: role, input: input)
    }
    let mapped = pairs.compactMap { pair in pair.input.map { (role: pair.role, input: $0) } }
    if let torn = mapped.first(where: { pair in pairs.contains { $0.role == pair.role && $0.input == nil } })
    {
      throw Fault(
        .usage, "--map", "leaves \(torn.role) out and sends it to input \(torn.input), too",
        remedy: "give one of the two")
    }
    return mapped + implied
  }
}

extension StrategyKind: ExpressibleByArgument {}
extension AbsentInputs: ExpressibleByArgument {}
extension PassJoin: ExpressibleByArgument {}
