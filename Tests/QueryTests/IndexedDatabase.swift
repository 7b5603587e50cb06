import Glibc
import Identity
import Query
import Randomness
import Storage
import TestSupport
import Testing

/// A database with one space of vectors around some centres, as a test of indexes fills, changes and searches it.
struct IndexedDatabase {
  let writer: DatabaseWriter
  let space: SpaceRecord
  private var imageCount: UInt64 = 0

  init(in directory: String, dimension: Int) throws {
    writer = try DatabaseWriter(path: "\(directory)/db", create: true)
    space = try writer.write { try $0.addSpace(name: "test", dimension: dimension) }
  }

  /// - Returns: the rows of the vectors, in their order.
  @discardableResult
  mutating func add(_ vectors: [[Float]]) throws -> [Row] {
    imageCount += 1
    let number = imageCount
    return try writer.write { transaction in
      let image = try transaction.addImage(
        ImageRecord(
          identity: ContentHash(high: 1, low: number), name: "part \(number)", files: [], width: 0, height: 0)
      )
      let rows = try transaction.addCells(
        vectors.indices.map { CellRecord(image: image, object: .index(UInt32($0)), geometry: nil) }, of: image
      )
      try vectors.flatMap { $0 }.withUnsafeBufferPointer {
        try transaction.setVectors($0, of: rows, in: space)
      }
      return rows
    }
  }

  /// Cells without a vector.
  mutating func addCells(_ count: Int) throws -> [Row] {
    imageCount += 1
    let number = imageCount
    return try writer.write { transaction in
      let image = try transaction.addImage(
        ImageRecord(
          identity: ContentHash(high: 2, low: number), name: "bare \(number)", files: [], width: 0, height: 0)
      )
      return try transaction.addCells(
        (0..<count).map { CellRecord(image: image, object: .index(UInt32($0)), geometry: nil) }, of: image)
    }
  }

  func set(_ vectors: [[Float]], of rows: [Row]) throws {
    try writer.write { transaction in
      try vectors.flatMap { $0 }.withUnsafeBufferPointer {
        try transaction.setVectors($0, of: rows, in: space)
      }
    }
  }

  func delete(_ rows: some Sequence<Row>) throws {
    _ = try writer.write { try $0.deleteCells(RowSet(rows)) }
  }

  @discardableResult
  func build(isFresh: Bool = false) throws -> IndexBuild.Summary {
    try IndexBuild(of: space, in: writer, threads: 2).run(isFresh: isFresh)
  }

  @discardableResult
  func buildGraph(isFresh: Bool = false, threads: Int = 2) throws -> GraphBuild.Summary {
    try GraphBuild(of: space, in: writer, threads: threads).run(isFresh: isFresh)
  }

  /// Cells with a vector.
  var present: RowSet {
    get throws { try writer.database.read { try $0.rows(in: space) } }
  }

  /// Through the index however few rows match.
  func search(
    _ queries: [[Float]], k: Int, among rows: RowSet? = nil, recall: Double = 0.99, threads: Int = 2,
    scanWeight: Double = SearchPlan.indexWeight
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    try writer.database.read {
      try $0.nearest(
        to: queries.flatMap { $0 }, count: queries.count, k: k, in: space, among: rows, recall: recall,
        threads: threads, scanWeight: scanWeight)
    }
  }

  func exact(_ queries: [[Float]], k: Int, among rows: RowSet? = nil) throws -> [[Neighbor]] {
    try writer.database.read {
      try $0.nearest(to: queries.flatMap { $0 }, count: queries.count, k: k, in: space, among: rows)
    }
  }
}

extension IndexedDatabase {
  /// That a search's results are cells that match, none twice, in order, with the similarities of an exact search, and as
  /// many as there can be.
  func expectSound(
    _ found: [[Neighbor]], _ queries: [[Float]], k: Int, among rows: RowSet? = nil,
    _ comment: @autoclosure () -> Comment? = nil, _ place: SourceLocation = #_sourceLocation
  ) throws {
    let matching = try rows?.intersection(present) ?? present
    #expect(found.count == queries.count, comment(), sourceLocation: place)
    // All at once: what an exact search finds of a query depends on no other.
    let union = RowSet(found.flatMap { $0.map(\.row) })
    let compared = try union.isEmpty ? found : exact(queries, k: union.count, among: union)
    for (neighbors, compared) in zip(found, compared) {
      let rows = Set(neighbors.map(\.row))
      #expect(
        neighbors.count == min(k, matching.count) && rows.count == neighbors.count, comment(),
        sourceLocation: place)
      #expect(
        neighbors == compared.filter { rows.contains($0.row) }, comment(), sourceLocation: place)
    }
    #expect(union.subtracting(matching).isEmpty, comment(), sourceLocation: place)
  }
}

extension SearchPlan {
  var usesGraph: Bool { if case .graph = way { true } else { false } }
  var usesLists: Bool { if case .index = way { true } else { false } }
}

/// Vectors around centres, some of which are far apart.
func clusteredVectors(
  _ count: Int, dimension: Int, clusters: Int = 40, seed: UInt64, spread: Float = 0.5
) -> [[Float]] {
  var centres = SeededGenerator(seed: 99)
  let middles = (0..<clusters).map { _ in (0..<dimension).map { _ in Float(centres.normal()) } }
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in
    let middle = middles[Int(generator.next() % UInt64(clusters))]
    return middle.map { $0 + spread * Float(generator.normal()) }
  }
}

/// The share of the true neighbors that were found.
func recall(_ found: [[Neighbor]], _ truth: [[Neighbor]]) -> Double {
  var (hits, total) = (0, 0)
  for (found, truth) in zip(found, truth) {
    hits += Set(found.map(\.row)).intersection(truth.map(\.row)).count
    total += truth.count
  }
  return total == 0 ? 1 : Double(hits) / Double(total)
}

/// How many searches were not given up, the share of the neighbors that these found, and its standard deviation, as that
/// of the queries' shares tells it.
func reached(
  _ found: [[Neighbor]?], _ truth: [[Neighbor]]
) -> (count: Int, recall: Double, deviation: Double) {
  let shares = zip(found, truth).compactMap { found, truth in found.map { recall([$0], [truth]) } }
  let count = Double(max(1, shares.count))
  let mean = shares.reduce(0, +) / count
  let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  return (shares.count, mean, (variance / count).squareRoot())
}

/// Vectors turned by so many degrees into random directions, of unit length.
func turned(_ vectors: [[Float]], degrees: Double, seed: UInt64) -> [[Float]] {
  var generator = SeededGenerator(seed: seed)
  func product(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  func unit(_ vector: [Float]) -> [Float] {
    let length = product(vector, vector).squareRoot()
    return vector.map { $0 / length }
  }
  let angle = Float(degrees / 180 * .pi)
  return vectors.map { vector in
    let near = unit(vector)
    let direction = near.map { _ in Float(generator.normal()) }
    let along = product(direction, near)
    let across = unit(zip(direction, near).map { $0 - along * $1 })
    return zip(near, across).map { $0 * cos(angle) + $1 * sin(angle) }
  }
}

/// Means of some of the vectors each, of weights that differ: with equal ones these would be equally near.
func means(of parts: Int, _ vectors: [[Float]], count: Int, seed: UInt64) -> [[Float]] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in
    var sum = [Float](repeating: 0, count: vectors[0].count)
    for part in 0..<parts {
      let vector = vectors[Int(generator.next() % UInt64(vectors.count))]
      for place in sum.indices { sum[place] += (1 + 0.3 * Float(part)) * vector[place] }
    }
    return sum
  }
}
