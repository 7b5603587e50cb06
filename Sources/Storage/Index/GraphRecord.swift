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
    package let wide: WideReach?
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
      recall: Double, reach: Float, wide: WideReach? = nil, startLimit: Float? = nil, farReach: Float?,
      effort: GraphEffort? = nil
    ) {
      self.recall = recall
      self.reach = reach
      self.wide = wide
      self.startLimit = startLimit
      self.farReach = farReach
      self.effort = effort
    }
  }

  /// How far a search goes for a query between those like the vectors and random directions, by 1 less the similarity of
  /// the nearest of its first visits (`GraphStarts.firstVisits`).
  package struct WideReach: Sendable, Equatable, Encodable {
    /// Up to where a query is like the vectors.
    package let nearStart: Float
    /// From where on `reach` holds; in between it is interpolated.
    package let wideStart: Float
    package let reach: Float

    package init(nearStart: Float, wideStart: Float, reach: Float) {
      self.nearStart = nearStart
      self.wideStart = wideStart
      self.reach = reach
    }

    var isSound: Bool { nearStart.isFinite && wideStart.isFinite && nearStart < wideStart && reach.isFinite }
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
  /// nil of graphs that were made before that was kept.
  package let starts: GraphStarts?
  /// By ascending recall.
  package var calibrations: [Calibration]

  package init(
    dimension: Int, seed: UInt64, segment: UInt32, vertexCount: Int, entryCount: Int, leftOutCount: Int,
    rowLimit: Row? = nil, range: Float, starts: GraphStarts? = nil, calibrations: [Calibration]
  ) {
    self.dimension = dimension
    self.seed = seed
    self.segment = segment
    self.vertexCount = vertexCount
    self.entryCount = entryCount
    self.leftOutCount = leftOutCount
    self.rowLimit = rowLimit
    self.range = range
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
      calibrations.allSatisfy({
        $0.reach.isFinite && $0.farReach?.isFinite != false && $0.effort?.isSound != false
          && $0.wide?.isSound != false && $0.startLimit?.isFinite != false
      })
    else { throw damagedGraph(of: space, "its record does not fit the space") }
  }
}

func damagedGraph(of space: SpaceRecord, _ problem: String) -> Fault {
  Fault(
    .badData, "the graph of space \"\(space.name)\"", "is damaged: \(problem)",
    remedy: "search with --exact, and make it anew with cellvec index build --kind graph")
}
