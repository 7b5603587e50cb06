/// How the channels of an image are brought to the inputs of a model.
///
/// JSON: `"replicate"`, or `{"map": ["nucleus", "protein", null, null]}`.
package enum ChannelStrategy: Sendable, Equatable {
  /// Each channel alone, copied into all inputs: one pass a channel, class tokens one behind the other.
  case replicate
  /// All channels at once: for each input the role that feeds it, nil being all zeros. One pass.
  case map([String?])
}

extension ChannelStrategy: Codable {
  private enum Key: String, CodingKey { case map }

  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.singleValueContainer(), let word = try? container.decode(String.self) {
      guard word == "replicate" else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected replicate or map, found \(word)")
      }
      self = .replicate
    } else {
      self = .map(try decoder.container(keyedBy: Key.self).decode([String?].self, forKey: .map))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .replicate:
      var container = encoder.singleValueContainer()
      try container.encode("replicate")
    case .map(let roles):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(roles, forKey: .map)
    }
  }
}
