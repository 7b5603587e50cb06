import Formats

/// Records of indexes as they are stored now, and as they were before rows had codes in two lists: without `listsPerRow`,
/// `lateRowCount` and `codedRowLimit`, and with one reach and its range, for ten neighbors, in each calibration. Later ones had no
/// `wide`.
extension IndexRecord: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      dimension: value["dimension"], seed: value["seed"], listCount: value["listCount"],
      listsPerRow: value[ifPresent: "listsPerRow"] ?? 1, centres: value["centres"],
      segments: value["segments"], lateRowCount: value[ifPresent: "lateRowCount"] ?? 0,
      codedRowLimit: value[ifPresent: "codedRowLimit"] ?? .max, calibrations: value["calibrations"],
      starts: value[ifPresent: "starts"])
  }
}

extension IndexRecord.Segment: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(number: value["number"], rowCount: value["rowCount"])
  }
}

extension IndexRecord.Calibration: DocumentContent {
  /// The number of neighbors for which the one reach of earlier records was measured.
  private static let earlierNeighborCount = 10

  init(_ value: JSONValue) throws {
    recall = try value["recall"]
    farReach = try value["farReach"]
    radius = try value["radius"]
    deviations = try value["deviations"]
    wide = try value[ifPresent: "wide"] ?? []
    reaches =
      try value[ifPresent: "reaches"] ?? [
        .init(neighbors: Self.earlierNeighborCount, reach: value["reach"], range: value["range"])
      ]
  }
}

extension IndexRecord.Reach: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      neighbors: value["neighbors"], reach: value["reach"], range: value["range"],
      farReach: value[ifPresent: "farReach"], effort: value[ifPresent: "effort"])
  }
}

extension IndexRecord.WideReaches: DocumentContent {
  init(_ value: JSONValue) throws { try self.init(from2: value["from2"], reaches: value["reaches"]) }
}

extension IndexRecord.Effort: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(lists: value["lists"], codes: value["codes"], rows: value["rows"])
  }
}

extension IndexRecord.Starts: DocumentContent {
  init(_ value: JSONValue) throws { try self.init(recall: value["recall"], starts: value["starts"]) }
}

extension IndexRecord.Starts.Start: DocumentContent {
  init(_ value: JSONValue) throws { try self.init(distance2: value["distance2"], effort: value["effort"]) }
}
