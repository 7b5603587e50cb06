import Identity

/// The JSON of an image: its identity as 32 hexadecimal digits, its rows as pairs [first, end).
extension ImageRecord: Codable {
  private enum CodingKeys: String, CodingKey {
    case identity, name, files, width, height, rows
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard let identity = ContentHash(try container.decode(String.self, forKey: .identity)) else {
      throw DecodingError.dataCorruptedError(
        forKey: .identity, in: container, debugDescription: "not 32 hexadecimal digits")
    }
    let pairs = try container.decode([[Row]].self, forKey: .rows)
    guard pairs.allSatisfy({ $0.count == 2 && $0[0] < $0[1] }) else {
      throw DecodingError.dataCorruptedError(forKey: .rows, in: container, debugDescription: "not pairs")
    }
    self.init(
      identity: identity, name: try container.decode(String.self, forKey: .name),
      files: try container.decode([ChannelFile].self, forKey: .files),
      width: try container.decode(UInt32.self, forKey: .width),
      height: try container.decode(UInt32.self, forKey: .height), rows: pairs.map { $0[0]..<$0[1] })
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(identity.description, forKey: .identity)
    try container.encode(name, forKey: .name)
    try container.encode(files, forKey: .files)
    try container.encode(width, forKey: .width)
    try container.encode(height, forKey: .height)
    try container.encode(rows.map { [$0.lowerBound, $0.upperBound] }, forKey: .rows)
  }
}
