import Kernels

/// What a space's index is made of. Layout: schema/store.md, "Index".
package struct IndexRecord: Sendable, Equatable, Codable {
  /// Rows that were given codes together. Its blocks never change.
  package struct Segment: Sendable, Equatable, Codable {
    /// What the keys of its blocks have; not used again while any of them is left.
    package let number: UInt32
    package let rowCount: Int

    package init(number: UInt32, rowCount: Int) {
      self.number = number
      self.rowCount = rowCount
    }
  }

  /// How far a search goes so that it finds a share of the nearest neighbors, as was measured when the index was built.
  package struct Calibration: Sendable, Equatable, Codable {
    /// The share of the ten nearest neighbors.
    package let recall: Double
    /// A list is passed over when the square of its centre's distance from the query is greater by more than this than
    /// that of the last neighbor.
    package let reach: Float
    /// The square of the last neighbor's distance up to which that holds.
    package let range: Float
    /// Beyond it: a list is passed over when a row at `radius` from its centre would have to lie so much farther to the
    /// query's side of it to be as near as the last neighbor.
    package let farReach: Float
    package let radius: Float
    /// A row is compared when its estimate and so many standard deviations reach the last neighbor.
    package let deviations: Float

    package init(
      recall: Double, reach: Float, range: Float, farReach: Float, radius: Float, deviations: Float
    ) {
      self.recall = recall
      self.reach = reach
      self.range = range
      self.farReach = farReach
      self.radius = radius
      self.deviations = deviations
    }
  }

  package let dimension: Int
  /// Of the random rotation.
  package let seed: UInt64
  package let listCount: Int
  /// The segment with which the lists' centres are stored.
  package let centres: UInt32
  package var segments: [Segment]
  /// By ascending recall.
  package var calibrations: [Calibration]

  package init(
    dimension: Int, seed: UInt64, listCount: Int, centres: UInt32, segments: [Segment],
    calibrations: [Calibration] = []
  ) {
    self.dimension = dimension
    self.seed = seed
    self.listCount = listCount
    self.centres = centres
    self.segments = segments
    self.calibrations = calibrations
  }

  /// The cheapest calibration that finds as much as asked; nil when none does.
  package func calibration(recall: Double) -> Calibration? {
    calibrations.first { $0.recall >= recall }
  }

  package var rowCount: Int { segments.reduce(0) { $0 + $1.rowCount } }

  /// Bytes that a search may read of each code: its bits, its two factors and its row.
  package var codeByteCount: Float {
    Float(kernels_group_bytes(kernels_code_width(dimension))) / Float(StoredIndex.codesPerGroup)
  }

  static func key(of space: UInt16) -> Key { Key().appending(space) }

  /// - Throws: `badData` when it cannot be the index of the space.
  init(decoding value: UnsafeRawBufferPointer, space: SpaceRecord) throws {
    self = try Document.decode(IndexRecord.self, from: value, of: "the index of space \"\(space.name)\"")
    guard dimension == space.dimension, (1...Int(UInt32.max)).contains(listCount), !segments.isEmpty,
      Set(segments.map(\.number)).count == segments.count,
      segments.allSatisfy({ (1...Int(UInt32.max)).contains($0.rowCount) })
    else { throw damagedIndex(of: space, "its record does not fit the space") }
  }
}
