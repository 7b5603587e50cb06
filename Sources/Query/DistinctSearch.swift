import Faults
package import Storage

extension Snapshot {
  /// The nearest cell of each value of a field, for the `k` values that come nearest to a query; nearest first.
  ///
  /// Cells without a value take no part. The result is that of a search of all cells from which every cell is struck
  /// whose value has come before.
  ///
  /// - Shape: `queries` is [count, dimension], row-major; the result has `count` lists.
  /// - Parameters:
  ///   - field: of strings or numbers.
  ///   - rows, least, threads: as of a search for cells.
  /// - Complexity: for each query one search of the rows, and another one for each time that more than three in four of
  ///   the neighbors found share their value with a nearer one; before that, one look-up for each value found, which for
  ///   a field of numbers passes over the column.
  /// - Throws: `usage` for a field of lists, whose cells have several values; else as `nearest` does.
  package func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, distinct field: Field,
    among rows: RowSet? = nil, atLeast least: Float = -1, threads: Int = 1
  ) throws -> [[Neighbor]] {
    guard field.type != .list else {
      throw Fault(
        .usage, "field \"\(field.name)\"", expected: "a field of strings or numbers, of which a cell has one",
        found: "lists", remedy: "name another field")
    }
    let withValue = try self.rows(withValueIn: field)
    let candidates = try withValue.intersection(rows ?? self.rows(in: space))
    return try (0..<count).map { query in
      let query = Array(queries[query * space.dimension..<(query + 1) * space.dimension])
      var left = candidates
      var found: [Neighbor] = []
      while found.count < k {
        let wanted = k - found.count
        let neighbors = try nearest(
          to: query, count: 1, k: max(4 * wanted.clamped, 64), in: space, among: left, atLeast: least,
          threads: threads)[0]
        if neighbors.isEmpty { break }
        for neighbor in neighbors where found.count < k && left.contains(neighbor.row) {
          found.append(neighbor)
          left.remove(neighbor.row)
          guard let value = try listedCell(at: neighbor.row).values[field.id] else {
            throw Fault(
              .badData, "cell \(neighbor.row)", "has lost its value of field \"\(field.name)\"",
              remedy: "run cellvec check")
          }
          left = left.subtracting(try self.rows(field, sharing: value))
        }
      }
      return found
    }
  }
}

extension Int {
  /// Small enough to be multiplied.
  fileprivate var clamped: Int { Swift.min(self, Int(Row.max)) }
}
