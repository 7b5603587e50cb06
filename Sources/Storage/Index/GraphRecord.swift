import Faults
import Kernels

/// What a space's graph is made of. Layout: schema/store.md, "Graphs".
package struct GraphRecord: Sendable, Equatable, Encodable {
  /// How far a search goes so that it finds a share of the nearest neighbors, as was measured when the graph was built.
  package struct Calibration: Sendable, Equatable, Encodable {
    /// The share of the ten nearest neighbors.
    package let recall: Double
    /// A search ends when no vertex is left whose distance, squared, seems to be at most 1 + reach times that of the last
    /// neighbor.
    package let reach: Float
    /// Where that is not enough; nil where it is, and of graphs that were made before that was measured.
    package let wideReach: WideReach?
    /// 1 less the similarity of the last neighbor up to which enough is found, where that is less than `GraphRecord.range`;
    /// nil where it is not, and of graphs that were made before that was measured.
    package let range: Float?
    /// 1 less the similarity of the nearest of the first visits (`GraphStarts.firstVisits`) beyond which a search does not
    /// find so much, however far it goes, and is to be given up; nil where it does, and of graphs that were made before
    /// that was measured.
    package let startLimit: Float?
    /// The same for queries that are unlike the vectors; nil where so many vertices would be visited that comparing all
    /// vectors takes less time.
    package let farReach: Float?
    /// What searches visited; nil of graphs that were made before that was kept.
    package let effort: GraphEffort?

    package init(
      recall: Double, reach: Float, wideReach: WideReach? = nil, range: Float? = nil,
      startLimit: Float? = nil,
      farReach: Float?, effort: GraphEffort? = nil
    ) {
      self.recall = recall
      self.reach = reach
      self.wideReach = wideReach
      self.range = range
      self.startLimit = startLimit
      self.farReach = farReach
      self.effort = effort
    }
  }

  /// How far a search goes for a query between those like the vectors and random directions, by 1 less the similarity of
  /// the last of ten neighbors.
  package struct WideReach: Sendable, Equatable, Encodable {
    /// Up to where a query is like the vectors.
    package let nearLast: Float
    /// From where on `reach` holds; in between it is interpolated.
    package let wideLast: Float
    package let reach: Float

    package init(nearLast: Float, wideLast: Float, reach: Float) {
      self.nearLast = nearLast
      self.wideLast = wideLast
      self.reach = reach
    }

    /// The same for another number of neighbors, which are so much farther.
    package func farther(by distance: Float) -> WideReach {
      WideReach(nearLast: nearLast + distance, wideLast: wideLast + distance, reach: reach)
    }

    var isSound: Bool { nearLast.isFinite && wideLast.isFinite && nearLast < wideLast && reach.isFinite }
  }

  /// How far so many neighbors of a query are.
  package struct Distance: Sendable, Equatable, Encodable {
    package let neighbors: Int
    /// 1 less the similarity of the last, of the queries like the vectors of which all but one in twenty have it nearer.
    package let distance: Float

    package init(neighbors: Int, distance: Float) {
      self.neighbors = neighbors
      self.distance = distance
    }
  }

  package let dimension: Int
  /// Of the random rotation.
  package let seed: UInt64
  /// What the keys of its blocks have.
  package let segment: UInt32
  package let vertexCount: Int
  package let entryCount: Int
  /// Rows of the space that were not taken up when it was made: of equal vectors all but one, and zeros.
  package let leftOutCount: Int
  /// Rows from which on none was given out when it was made; nil where that was not kept.
  package let rowLimit: Row?
  /// 1 less the similarity of the last neighbor up to which recall was measured.
  package let range: Float
  /// By ascending numbers of neighbors; none of graphs that were made before that was kept.
  package let distances: [Distance]
  /// nil of graphs that were made before that was kept.
  package let starts: GraphStarts?
  /// By ascending recall.
  package var calibrations: [Calibration]

  package init(
    dimension: Int, seed: UInt64, segment: UInt32, vertexCount: Int, entryCount: Int, leftOutCount: Int,
    rowLimit: Row? = nil, range: Float, distances: [Distance] = [], starts: GraphStarts? = nil,
    calibrations: [Calibration]
  ) {
    self.dimension = dimension
    self.seed = seed
    self.segment = segment
    self.vertexCount = vertexCount
    self.entryCount = entryCount
    self.leftOutCount = leftOutCount
    self.rowLimit = rowLimit
    self.range = range
    self.distances = distances
    self.starts = starts
    self.calibrations = calibrations
  }

  /// Bytes of a vertex.
  package var vertexByteCount: Int { kernels_vertex_bytes(kernels_code_width(dimension)) }

  static func key(of space: UInt16) -> Key { Key().appending(space).appending(UInt8(2)) }

  /// - Throws: `badData` when it cannot be the graph of the space.
  init(decoding value: UnsafeRawBufferPointer, space: SpaceRecord) throws {
    self = try Document.decode(GraphRecord.self, from: value, of: "the graph of space \"\(space.name)\"")
    let limit = StoredGraph.entryLimit(dimension: space.dimension)
    guard dimension == space.dimension, (1..<Int(UInt32.max)).contains(vertexCount),
      (0...Int(UInt32.max)).contains(leftOutCount),
      (1...min(vertexCount, limit)).contains(entryCount), range.isFinite, starts?.isSound != false,
      distances.allSatisfy({ $0.neighbors > 0 && $0.distance.isFinite }),
      calibrations.allSatisfy({
        $0.reach.isFinite && $0.farReach?.isFinite != false && $0.effort?.isSound != false
          && $0.wideReach?.isSound != false && $0.range?.isFinite != false && $0.startLimit?.isFinite != false
      })
    else { throw damagedGraph(of: space, "its record does not fit the space") }
  }
}

extension [GraphRecord.Distance] {
  /// By how much farther the last of so many neighbors is than that of ten; 0 where that is not known.
  package func beyondTen(neighbors: Double) -> Float {
    guard let last else { return 0 }
    let known = map { (Double($0.neighbors), Double(Swift.max($0.distance, 1e-6))) }
    return Float(
      interpolated(known, at: Swift.min(neighbors, Double(last.neighbors))) - interpolated(known, at: 10))
  }
}

func damagedGraph(of space: SpaceRecord, _ problem: String) -> Fault {
  Fault(
    .badData, "the graph of space \"\(space.name)\"", "is damaged: \(problem)",
    remedy: "search with --exact, and make it anew with cellvec index build --kind graph")
}
