import Formats

/// Records are without `leftOutCount`, `rowLimit`, `starts` or `distances` where they were written before graphs kept them,
/// and calibrations without `wideReach`, `range`, `startLimit` or `effort`. Some have `wide`, a reach by the first visits, which
/// is left out here.
extension GraphRecord: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      dimension: value["dimension"], seed: value["seed"], segment: value["segment"],
      vertexCount: value["vertexCount"], entryCount: value["entryCount"],
      leftOutCount: value[ifPresent: "leftOutCount"] ?? 0, rowLimit: value[ifPresent: "rowLimit"],
      range: value["range"], distances: value[ifPresent: "distances"] ?? [],
      starts: value[ifPresent: "starts"], calibrations: value["calibrations"])
  }
}

extension GraphRecord.Calibration: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      recall: value["recall"], reach: value["reach"], wideReach: value[ifPresent: "wideReach"],
      range: value[ifPresent: "range"], startLimit: value[ifPresent: "startLimit"],
      farReach: value[ifPresent: "farReach"],
      effort: value[ifPresent: "effort"])
  }
}

extension GraphRecord.WideReach: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(nearLast: value["nearLast"], wideLast: value["wideLast"], reach: value["reach"])
  }
}

extension GraphRecord.Distance: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(neighbors: value["neighbors"], distance: value["distance"])
  }
}

extension GraphEffort: DocumentContent {
  init(_ value: JSONValue) throws {
    let visits: [Visits] = try value["visits"]
    if visits.isEmpty { throw UnexpectedContent() }
    try self.init(visits: visits, farVisits: value[ifPresent: "farVisits"])
  }
}

extension GraphEffort.Visits: DocumentContent {
  init(_ value: JSONValue) throws { try self.init(neighbors: value["neighbors"], visits: value["visits"]) }
}

extension GraphStarts: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(firstVisits: value["firstVisits"], recall: value["recall"], starts: value["starts"])
  }
}

extension GraphStarts.Start: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(distance: value["distance"], visits: value["visits"], unusual: value["unusual"])
  }
}
