/// Records of indexes as they are stored now, and as they were before rows had codes in two lists: without `listsPerRow`,
/// `lateRowCount` and `codedRowLimit`, and with one reach and its range, for ten neighbors, in each calibration.
extension IndexRecord {
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      dimension: values.decode(Int.self, forKey: .dimension),
      seed: values.decode(UInt64.self, forKey: .seed),
      listCount: values.decode(Int.self, forKey: .listCount),
      listsPerRow: values.decodeIfPresent(Int.self, forKey: .listsPerRow) ?? 1,
      centres: values.decode(UInt32.self, forKey: .centres),
      segments: values.decode([Segment].self, forKey: .segments),
      lateRowCount: values.decodeIfPresent(Int.self, forKey: .lateRowCount) ?? 0,
      codedRowLimit: values.decodeIfPresent(Row.self, forKey: .codedRowLimit) ?? .max,
      calibrations: values.decode([Calibration].self, forKey: .calibrations),
      starts: values.decodeIfPresent(Starts.self, forKey: .starts))
  }
}

extension IndexRecord.Calibration {
  private enum EarlierKeys: String, CodingKey {
    case reach, range
  }

  /// The number of neighbors for which the one reach of earlier records was measured.
  private static let earlierNeighborCount = 10

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    recall = try values.decode(Double.self, forKey: .recall)
    farReach = try values.decode(Float.self, forKey: .farReach)
    radius = try values.decode(Float.self, forKey: .radius)
    deviations = try values.decode(Float.self, forKey: .deviations)
    if let reaches = try values.decodeIfPresent([IndexRecord.Reach].self, forKey: .reaches) {
      self.reaches = reaches
    } else {
      let earlier = try decoder.container(keyedBy: EarlierKeys.self)
      reaches = [
        IndexRecord.Reach(
          neighbors: Self.earlierNeighborCount, reach: try earlier.decode(Float.self, forKey: .reach),
          range: try earlier.decode(Float.self, forKey: .range))
      ]
    }
  }
}
