import Formats
import Identity

/// The JSON of an image: its identity as 32 hexadecimal digits, its rows as pairs [first, end).
extension ImageRecord: DocumentContent {
  init(_ value: JSONValue) throws {
    let pairs: [[Row]] = try value["rows"]
    guard let identity = try ContentHash(value["identity"]),
      pairs.allSatisfy({ $0.count == 2 && $0[0] < $0[1] })
    else { throw UnexpectedContent() }
    try self.init(
      identity: identity, name: value["name"], files: value["files"], width: value["width"],
      height: value["height"], rows: pairs.map { $0[0]..<$0[1] })
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

extension ChannelFile: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(role: value["role"], path: value["path"], plane: value["plane"])
  }
}

extension IngestOutcome: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      found: value["found"], kept: value["kept"], dropped: value["dropped"], mask: value[ifPresent: "mask"],
      maskPath: value[ifPresent: "maskPath"])
  }

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
