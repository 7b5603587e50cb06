import Kernels

/// What a space's index is made of. Layout: schema/store.md, "Index".
package struct IndexRecord: Sendable, Equatable, Encodable {
  /// Rows whose codes lie together. Its blocks never change.
  package struct Segment: Sendable, Equatable, Encodable {
    /// What the keys of its blocks have; not used again while any of them is left.
    package let number: UInt32
    package let rowCount: Int

    package init(number: UInt32, rowCount: Int) {
      self.number = number
      self.rowCount = rowCount
    }
  }

  /// A reach, and up to where it holds, as was measured for so many neighbors.
  package struct Reach: Sendable, Equatable, Encodable {
    package let neighbors: Int
    /// A list is passed over when the square of its centre's distance from the query is greater by more than this than
    /// that of the last neighbor.
    package let reach: Float
    /// The square of the last neighbor's distance up to which that holds.
    package let range: Float
    /// That of farther neighbors, as `Calibration.farReach`, which holds where this was not measured.
    package let farReach: Float?
    /// What a search did; nil of indexes that were made before that was kept.
    package let effort: Effort?

    package init(
      neighbors: Int, reach: Float, range: Float, farReach: Float? = nil, effort: Effort? = nil
    ) {
      self.neighbors = neighbors
      self.reach = reach
      self.range = range
      self.farReach = farReach
      self.effort = effort
    }
  }

  /// Reaches of queries that are unlike the rows.
  package struct WideReaches: Sendable, Equatable, Encodable {
    /// The square of the distance of a query's nearest centre from which on they hold.
    package let from2: Float
    /// By ascending numbers of neighbors.
    package let reaches: [Reach]

    package init(from2: Float, reaches: [Reach]) {
      self.from2 = from2
      self.reaches = reaches
    }
  }

  /// What a search did, on average.
  package struct Effort: Sendable, Equatable, Encodable {
    package let lists: Float
    package let codes: Float
    /// Rows that were compared exactly.
    package let rows: Float

    package init(lists: Float, codes: Float, rows: Float) {
      self.lists = lists
      self.codes = codes
      self.rows = rows
    }

    var isSound: Bool {
      [lists, codes, rows].allSatisfy { $0 > 0 && $0.isFinite }
    }
  }

  /// How far a search goes so that it finds a share of the nearest neighbors, as was measured when the index was built.
  package struct Calibration: Sendable, Equatable, Encodable {
    /// The share of the ten nearest neighbors.
    package let recall: Double
    /// By ascending numbers of neighbors. A search for more goes less far beyond the last of
    /// them, and so does one of which a filter leaves few, which are as far away as many would be.
    package let reaches: [Reach]
    /// Beyond these ranges: a list is passed over when a row at `radius` from its centre would have to lie so much farther to the
    /// query's side of it to be as near as the last neighbor.
    package let farReach: Float
    package let radius: Float
    /// A row is compared when its estimate and so many standard deviations reach the last neighbor.
    package let deviations: Float
    /// By ascending distance; none of indexes that were made before these were measured.
    package let wide: [WideReaches]

    package init(
      recall: Double, reaches: [Reach], farReach: Float, radius: Float, deviations: Float,
      wide: [WideReaches] = []
    ) {
      precondition(!reaches.isEmpty)
      self.recall = recall
      self.reaches = reaches
      self.farReach = farReach
      self.radius = radius
      self.deviations = deviations
      self.wide = wide
    }

    /// What a search for so many neighbors does; nil where that was not kept.
    package func effort(neighbors: Double) -> Effort? {
      let known = reaches.compactMap { reach in reach.effort.map { (Double(reach.neighbors), $0) } }
      guard !known.isEmpty else { return nil }
      func value(_ part: KeyPath<Effort, Float>) -> Float {
        Float(interpolated(known.map { ($0.0, Double($0.1[keyPath: part])) }, at: neighbors))
      }
      return Effort(lists: value(\.lists), codes: value(\.codes), rows: value(\.rows))
    }

    /// The reaches of a query whose nearest centre is so far, by the square of its distance.
    package func reaches(start2: Float) -> [Reach] {
      wide.last { $0.from2 <= start2 }?.reaches ?? reaches
    }
  }

  /// What the nearest centre tells of how long a search will be.
  package struct Starts: Sendable, Equatable, Encodable {
    /// Queries of all kinds, from those like the vectors to random directions, whose nearest centres lie about as far.
    package struct Start: Sendable, Equatable, Encodable {
      /// The square of the distance of the nearest centre, at most.
      package let distance2: Float
      /// What a search for ten neighbors did.
      package let effort: Effort

      package init(distance2: Float, effort: Effort) {
        self.distance2 = distance2
        self.effort = effort
      }
    }

    /// Of the calibration for which it was measured.
    package let recall: Double
    /// By ascending distance.
    package let starts: [Start]

    package init(recall: Double, starts: [Start]) {
      self.recall = recall
      self.starts = starts
    }

    var isSound: Bool { starts.allSatisfy { $0.distance2.isFinite && $0.effort.isSound } }
  }

  package let dimension: Int
  /// Of the random rotation.
  package let seed: UInt64
  package let listCount: Int
  /// Lists in which each row has a code: the nearest and, with 2, one besides.
  package let listsPerRow: Int
  /// The segment with which the lists' centres are stored.
  package let centres: UInt32
  package var segments: [Segment]
  /// Rows that were taken up since the centres were made.
  package var lateRowCount: Int
  /// Rows from this one on have no code, not even one of what they were.
  package var codedRowLimit: Row
  /// By ascending recall.
  package var calibrations: [Calibration]
  /// nil of indexes that were made before that was kept.
  package var starts: Starts?

  package init(
    dimension: Int, seed: UInt64, listCount: Int, listsPerRow: Int, centres: UInt32, segments: [Segment],
    lateRowCount: Int = 0, codedRowLimit: Row = .max, calibrations: [Calibration] = [], starts: Starts? = nil
  ) {
    self.dimension = dimension
    self.seed = seed
    self.listCount = listCount
    self.listsPerRow = listsPerRow
    self.centres = centres
    self.segments = segments
    self.lateRowCount = lateRowCount
    self.codedRowLimit = codedRowLimit
    self.calibrations = calibrations
    self.starts = starts
  }

  package var rowCount: Int { segments.reduce(0) { $0 + $1.rowCount } }

  /// Bytes that a search may read of each row: the bits, the two factors and the number of each of its codes.
  package var codeByteCount: Float {
    Float(listsPerRow * kernels_group_bytes(kernels_code_width(dimension))) / Float(StoredIndex.codesPerGroup)
  }

  static func key(of space: UInt16) -> Key { Key().appending(space) }

  /// - Throws: `badData` when it cannot be the index of the space.
  init(decoding value: UnsafeRawBufferPointer, space: SpaceRecord) throws {
    self = try Document.decode(IndexRecord.self, from: value, of: "the index of space \"\(space.name)\"")
    guard dimension == space.dimension, (1...Int(UInt32.max)).contains(listCount), !segments.isEmpty,
      (1...2).contains(listsPerRow),
      calibrations.allSatisfy({ calibration in
        ([calibration.reaches] + calibration.wide.map(\.reaches)).allSatisfy { reaches in
          !reaches.isEmpty && reaches.allSatisfy { $0.neighbors > 0 && $0.effort?.isSound != false }
        }
      }), starts?.isSound != false,
      Set(segments.map(\.number)).count == segments.count,
      segments.allSatisfy({ (1...Int(UInt32.max) / listsPerRow).contains($0.rowCount) })
    else { throw damagedIndex(of: space, "its record does not fit the space") }
  }
}

extension [IndexRecord.Reach] {
  /// A reach for a number of neighbors: the longest of those that were measured for as many or fewer and for as many or
  /// more. Between them clusters may end, so that neither is enough; for more than was measured the last two count.
  /// - Parameter far: what stands for a far reach that was not measured.
  package func reach(neighbors: Float, far: Float) -> (near: Float, range: Float, far: Float) {
    let next = Swift.min(firstIndex { Float($0.neighbors) >= neighbors } ?? count, count - 1)
    let first = Float(self[next].neighbors) == neighbors ? next : Swift.max(0, next - 1)
    var longest = (near: -Float.infinity, range: -Float.infinity, far: -Float.infinity)
    for reach in self[first...next] {
      longest = (
        Swift.max(longest.near, reach.reach), Swift.max(longest.range, reach.range),
        Swift.max(longest.far, reach.farReach ?? far)
      )
    }
    return longest
  }
}
