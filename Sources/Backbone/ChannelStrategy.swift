/// How the channels of an image are brought to the inputs of a model.
///
/// JSON: `"replicate"`, `{"replicate": "mean"}`, `{"map": ["nucleus", "protein", null, null]}`,
/// `{"absent": "repeat", "map": [...]}`, `"average"` or `{"reindex": {"dna": 0, "protein": 1}}`. What is the
/// default is left out, so that a strategy has one text.
package enum ChannelStrategy: Sendable, Equatable {
  /// Each channel alone, copied into all inputs: one pass a channel.
  /// - Source: DINO4Cells' baseline with an ImageNet model, `single_channel_loader(triple=True)`, concatenated.
  case replicate(PassJoin)
  /// All channels at once: for each input the role that feeds it; nil is an absent input. One pass.
  case map([String?], absent: AbsentInputs = .zero)
  /// Every channel is projected by the mean of the patch weights over the model's inputs, and the projections
  /// are added. One pass, for any number of channels.
  /// - Source: scDINO, `compute_CLS_features.py`: the mean of `proj.weight` over the inputs, repeated for every
  ///   channel and not divided by their number.
  case average
  /// Every channel is projected by the patch weights of one input, and the projections are added; channels may
  /// share an input. One pass, for fewer or more channels than the model has inputs.
  /// - Source: scDINO, `custom_embedding_map`.
  case reindex([String: Int])
}

/// The kinds of strategies, by their words on the command line.
package enum StrategyKind: String, Sendable, CaseIterable {
  case map, replicate, average, reindex
}

/// How the vectors of several passes become one.
package enum PassJoin: String, Sendable, CaseIterable {
  /// One behind the other, in the order of the channels' roles.
  case concat
  /// Their mean, component by component: the dimension does not depend on the number of channels.
  case mean
}

/// What stands at the inputs that no channel is mapped to.
package enum AbsentInputs: String, Sendable, CaseIterable {
  /// Zeros, which is what normalised background looks like.
  case zero
  /// The channels that are given, in the order of their inputs, over and over.
  case `repeat`
}

extension ChannelStrategy {
  /// One or two words, fit for a name: "map", "replicate-mean".
  package var name: String {
    switch self {
    case .replicate(.concat): "replicate"
    case .replicate(.mean): "replicate-mean"
    case .map(_, absent: .zero): "map"
    case .map(_, absent: .repeat): "map-repeat"
    case .average: "average"
    case .reindex: "reindex"
    }
  }
}

extension ChannelStrategy: CustomStringConvertible {
  /// One line that says what goes where: "map nucleus>0 protein>1, absent zero".
  package var description: String {
    switch self {
    case .replicate(let join): return "replicate, \(join.rawValue)"
    case .map(let roles, let absent):
      let pairs = roles.enumerated().compactMap { input, role in role.map { " \($0)>\(input)" } }.joined()
      return "map\(pairs)" + (roles.contains(nil) ? ", absent \(absent.rawValue)" : "")
    case .average: return "average"
    case .reindex(let inputs):
      return "reindex" + inputs.sorted { $0.key < $1.key }.map { " \($0.key)>\($0.value)" }.joined()
    }
  }
}

extension ChannelStrategy: Codable {
  private enum Key: String, CodingKey { case map, absent, replicate, reindex }

  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.singleValueContainer(), let word = try? container.decode(String.self) {
      switch word {
      case "replicate": self = .replicate(.concat)
      case "average": self = .average
      default:
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected replicate, average, map or reindex, found \(word)")
      }
      return
    }
    let container = try decoder.container(keyedBy: Key.self)
    if container.contains(.replicate) {
      self = .replicate(try container.decode(PassJoin.self, forKey: .replicate))
    } else if container.contains(.reindex) {
      self = .reindex(try container.decode([String: Int].self, forKey: .reindex))
    } else {
      self = .map(
        try container.decode([String?].self, forKey: .map),
        absent: try container.decodeIfPresent(AbsentInputs.self, forKey: .absent) ?? .zero)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    func encodeWord(_ word: String) throws {
      var container = encoder.singleValueContainer()
      try container.encode(word)
    }
    switch self {
    case .replicate(.concat): try encodeWord("replicate")
    case .average: try encodeWord("average")
    case .replicate(let join):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(join, forKey: .replicate)
    case .map(let roles, let absent):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(roles, forKey: .map)
      if absent != .zero { try container.encode(absent, forKey: .absent) }
    case .reindex(let inputs):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(inputs, forKey: .reindex)
    }
  }
}

extension PassJoin: Codable {}
extension AbsentInputs: Codable {}
