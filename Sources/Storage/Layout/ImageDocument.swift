import Formats
import Identity

/// The JSON of an image: its identity as 32 hexadecimal digits, its rows as pairs [first, end).
extension ImageRecord: Decodable {
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

  /// As `Document.encode` writes a value, keys sorted. Put together here: the general encoder took a sixth of the time of a
  /// commit of one vector.
  var document: [UInt8] {
    let files = files.map {
      "{\"path\":\(quotedJSON($0.path)),\"plane\":\($0.plane),\"role\":\(quotedJSON($0.role))}"
    }
    let rows = rows.map { "[\($0.lowerBound),\($0.upperBound)]" }
    return Array(
      """
      {"files":[\(files.joined(separator: ","))],"height":\(height),"identity":"\(identity)",\
      "name":\(quotedJSON(name)),"rows":[\(rows.joined(separator: ","))],"width":\(width)}
      """.utf8)
  }
}

extension IngestOutcome {
  /// As `Document.encode` writes a value, likewise.
  var document: [UInt8] {
    let dropped = dropped.sorted { $0.key < $1.key }.map { "\(quotedJSON($0.key)):\($0.value)" }
    let mask =
      (mask.map { ",\"mask\":\(quotedJSON($0))" } ?? "")
      + (maskPath.map { ",\"maskPath\":\(quotedJSON($0))" } ?? "")
    return Array(
      "{\"dropped\":{\(dropped.joined(separator: ","))},\"found\":\(found),\"kept\":\(kept)\(mask)}".utf8)
  }
}
