import Kernels
import Storage

/// Queries of an exact search, made ready for the scan. Lanes share them.
struct ScanQueries: Sendable {
  /// Queries for which it takes less time to make a block coarse than to compare it. A block is made coarse in the time
  /// of some fifteen comparisons (bench/exact/run).
  static let manyQueries = 16
  /// Where vectors have fewer numbers, little is won.
  private static let leastDimension = 32
  /// The share of the rows that may be asked for: of more, most would have to be compared.
  private static let mostNeighbors = 16
  /// Of a block of which fewer rows are wanted than one in so many, its int8 copy is no help.
  private static let sparseShare = 4
  /// A block of which this share is wanted is made coarse as a whole.
  static let denseShare = 0.75
  /// The share of the rows below which copies are no help, where the wanted ones are spread evenly.
  static var leastCopiedShare: Double { 1 / Double(sparseShare) }
  /// Similarities below which no row is out of reach.
  private static let farthest: Float = -0.5

  let space: SpaceRecord
  let request: ExactRequest
  let count: Int
  /// [count, dimension], of unit length or zero where cosines are asked for.
  let vectors: [Float]
  /// The same coarse; nil where that would not help.
  let coarse: CoarseQueries?
  /// Whether blocks without an int8 copy are worth one for this search.
  let areMany: Bool

  init(_ vectors: [Float], count: Int, space: SpaceRecord, _ request: ExactRequest, rowCount: Int) {
    self.vectors = vectors
    self.count = count
    self.space = space
    self.request = request
    let isLimited = request.least > Self.farthest || !request.found.isEmpty
    let helps =
      request.metric == .cosine
      && Self.copiesHelp(dimension: space.dimension, k: request.k, rowCount: rowCount, isLimited: isLimited)
    coarse = helps ? CoarseQueries(vectors, count: count, dimension: space.dimension) : nil
    areMany = count >= Self.manyQueries
  }

  /// Whether int8 copies rule most vectors out for a search of cosines: they do where few neighbors are asked for.
  /// - Parameter isLimited: whether it is known from the start how similar a neighbor is at least, by what was asked for or
  ///   by what was found among other rows.
  static func copiesHelp(dimension: Int, k: Int, rowCount: Int, isLimited: Bool) -> Bool {
    dimension >= leastDimension && (isLimited || k <= rowCount / mostNeighbors)
  }

  /// Whether a block is searched by its int8 copy, where it has one.
  /// - Parameter wantedCount: rows of it that are wanted.
  func usesCopy(for wantedCount: Int, of block: VectorBlock) -> Bool {
    coarse != nil && block.coarse != nil && wantedCount * Self.sparseShare >= block.slotCount
  }

  /// Whether the wanted vectors of a block are searched together with those of other blocks.
  func gathers(_ wantedCount: Int, of block: VectorBlock) -> Bool {
    coarse != nil && areMany && Double(wantedCount) < Self.denseShare * Double(block.slotCount)
      && !usesCopy(for: wantedCount, of: block)
  }
}

/// Queries in 8 bits a number.
struct CoarseQueries: Sendable {
  /// Queries that pass over a chunk of rows together: whole tiles of the kernel.
  static let batch = 4 * Int(KERNELS_COARSE_QUERIES)
  /// Rows that a batch passes over at once.
  static let chunk = Int(KERNELS_COARSE_GROUPS * KERNELS_COARSE_ROWS)

  /// Tiles, as `kernels_coarsen_queries` writes them.
  let codes: [Int8]
  let shapes: [kernels_coarse_query]
  /// Bytes of a query in its tile.
  let width: Int

  init(_ vectors: [Float], count: Int, dimension: Int) {
    width = kernels_coarse_width(dimension)
    var shapes = [kernels_coarse_query](repeating: kernels_coarse_query(), count: count)
    codes = [Int8](unsafeUninitializedCapacity: kernels_coarse_query_bytes(count, dimension)) { codes, size in
      size = codes.count
      if let base = codes.baseAddress { kernels_coarsen_queries(vectors, count, dimension, base, &shapes) }
    }
    self.shapes = shapes
  }
}
