import Faults
package import Storage

/// A value of a field whose cells a search found to be near, taken together.
package struct NeighborGroup: Sendable, Equatable {
  package let value: String
  /// Its cells that took part.
  package let count: Int
  /// Cosine similarity of the query with the mean of the cells' vectors, each scaled to unit length.
  package let similarity: Float

  /// The more similar one comes first, of equals the one whose value does.
  fileprivate func precedes(_ other: NeighborGroup) -> Bool {
    similarity == other.similarity ? value < other.value : similarity > other.similarity
  }
}

extension Snapshot {
  /// The mean of the vectors of some cells, each scaled to unit length: what they have in common, whatever their
  /// lengths. Zero vectors count as none.
  ///
  /// - Returns: [dimension]; nil when none has a vector in the space, or only zeros.
  package func meanVector(of rows: RowSet, in space: SpaceRecord) throws -> [Float]? {
    let present = try rows.intersection(self.rows(in: space))
    let order = beginVectors(present.count, of: space)
    defer { endVectors(order) }
    var means = MeanVectors(groups: 1, dimension: space.dimension)
    try forEachBlock(of: space, containing: present) { block in
      for row in block.rows { means.add(block, row, to: [0]) }
    }
    let mean = means.mean(0)
    return mean.contains { $0 != 0 } ? mean : nil
  }

  /// The values of a field whose cells are on average nearest to each query, nearest first.
  ///
  /// A cell of a list field belongs to each of its texts; cells without a value to none.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Complexity: one pass over the vectors of the rows; memory for 8 bytes a row and value, and a vector a value.
  /// - Throws: `usage` for a field of numbers; else as `nearest` does.
  package func nearestGroups(
    to queries: [Float], count: Int, k: Int, by field: Field, in space: SpaceRecord,
    among rows: RowSet? = nil,
    atLeast least: Float = -1
  ) throws -> [[NeighborGroup]] {
    guard field.type != .number else {
      throw Fault(
        .usage, "field \"\(field.name)\"", expected: "a field of strings or lists", found: "numbers",
        remedy: "name another field")
    }
    let units = try queries.withUnsafeBufferPointer {
      try unitVectors($0, count: count, space: space).vectors
    }
    let groups = try GroupMeans(of: field, in: space, among: rows, from: self)
    return (0..<count).map { query in
      let unit = units[query * space.dimension..<(query + 1) * space.dimension]
      let near = groups.compare(with: unit).filter { $0.similarity >= least }
      return Array(near.sorted { $0.precedes($1) }.prefix(k))
    }
  }
}

/// The mean vectors of a field's values.
private struct GroupMeans {
  private let values: [(text: String, count: Int)]
  private let means: MeanVectors

  init(
    of field: Field, in space: SpaceRecord, among rows: RowSet?, from snapshot: borrowing Snapshot
  ) throws {
    let present = try snapshot.rows(in: space)
    let candidates = rows?.intersection(present) ?? present
    var values: [(text: String, count: Int)] = []
    // A row and a value, in order of rows.
    var members: [UInt64] = []
    var all = RowSet()
    for (text, _) in try snapshot.distinctTexts(field) {
      let rows = try snapshot.rows(field, equals: text).intersection(candidates)
      if rows.isEmpty { continue }
      members += rows.toArray().map { UInt64($0) << 32 | UInt64(values.count) }
      values.append((text, rows.count))
      all.formUnion(rows)
    }
    members.sort()
    let order = snapshot.beginVectors(all.count, of: space)
    defer { snapshot.endVectors(order) }
    var means = MeanVectors(groups: values.count, dimension: space.dimension)
    var next = 0
    var groups: [Int] = []
    try snapshot.forEachBlock(of: space, containing: all) { block in
      for row in block.rows {
        while next < members.count, members[next] >> 32 < row { next += 1 }
        groups.removeAll(keepingCapacity: true)
        while next < members.count, members[next] >> 32 == row {
          groups.append(Int(truncatingIfNeeded: members[next] & 0xFFFF_FFFF))
          next += 1
        }
        means.add(block, row, to: groups)
      }
    }
    self.values = values
    self.means = means
  }

  /// All groups with their similarity to a query of unit length.
  func compare(with query: ArraySlice<Float>) -> [NeighborGroup] {
    values.indices.map { group in
      let (dot, norm2) = means.products(of: group, with: query)
      let similarity = norm2 > 0 ? Float(max(-1, min(1, dot / norm2.squareRoot()))) : 0
      return NeighborGroup(value: values[group].text, count: values[group].count, similarity: similarity)
    }
  }
}

/// Sums of vectors of unit length, by group, in double precision.
private struct MeanVectors {
  private let dimension: Int
  /// [groups, dimension]
  private var sums: [Double]
  /// The vector that is being added.
  private var vector: [Float]

  init(groups: Int, dimension: Int) {
    self.dimension = dimension
    vector = Array(repeating: 0, count: dimension)
    sums = Array(repeating: 0, count: groups * dimension)
  }

  mutating func add(_ block: VectorBlock, _ row: Row, to groups: [Int]) {
    block.widen(row, into: &vector)
    var norm2 = 0.0
    for element in vector { norm2 += Double(element) * Double(element) }
    guard norm2 > 0 else { return }
    let scale = 1 / norm2.squareRoot()
    for group in groups {
      let start = group * dimension
      for i in 0..<dimension { sums[start + i] += Double(vector[i]) * scale }
    }
  }

  /// The direction of a group's mean: its sum scaled so that no component is larger than 1.
  func mean(_ group: Int) -> [Float] {
    let sum = sums[group * dimension..<(group + 1) * dimension]
    let largest = sum.reduce(0) { max($0, abs($1)) }
    return sum.map { largest > 0 ? Float($0 / largest) : 0 }
  }

  /// The dot product of a group's sum with a vector, and its squared length.
  func products(of group: Int, with vector: ArraySlice<Float>) -> (dot: Double, norm2: Double) {
    var dot = 0.0
    var norm2 = 0.0
    for (sum, element) in zip(sums[group * dimension..<(group + 1) * dimension], vector) {
      dot += sum * Double(element)
      norm2 += sum * sum
    }
    return (dot, norm2)
  }
}
