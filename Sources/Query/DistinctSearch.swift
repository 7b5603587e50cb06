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
  /// - Complexity: one search of the rows for up to 256 queries, and of a query another one for each time that more than
  ///   three in four of the neighbors found share their value with a nearer one; before that, one look-up for each value
  ///   found, which for a field of numbers passes over the column.
  /// - Throws: `usage` for a field of lists, whose cells have several values; else as `nearest` does.
  package func nearest(
    to queries: [Float], count: Int, k: Int, in space: SpaceRecord, distinct field: Field,
    among rows: RowSet? = nil, metric: Metric = .cosine, atLeast least: Float? = nil, threads: Int = 1
  ) throws -> [[Neighbor]] {
    guard field.type != .list else {
      throw Fault(
        .usage, "field \"\(field.name)\"", expected: "a field of strings or numbers, of which a cell has one",
        found: "lists", remedy: "name another field")
    }
    let withValue = try self.rows(withValueIn: field)
    let candidates = try withValue.intersection(rows ?? self.rows(in: space))
    let dimension = space.dimension
    var found: [[Neighbor]] = []
    let together = queriesTogether(finding: min(breadth(for: k), candidates.count))
    for start in stride(from: 0, to: count, by: together) {
      let end = min(start + together, count)
      let first = try nearest(
        to: Array(queries[start * dimension..<end * dimension]), count: end - start, k: breadth(for: k),
        in: space,
        among: candidates, metric: metric, atLeast: least, threads: threads)
      for query in start..<end {
        let vector = Array(queries[query * dimension..<(query + 1) * dimension])
        found.append(
          try nearestOfValues(field, among: candidates, first[query - start], k) { left, breadth in
            try nearest(
              to: vector, count: 1, k: breadth, in: space, among: left, metric: metric, atLeast: least,
              threads: threads)[0]
          })
      }
    }
    return found
  }

  /// The nearest cell of each value of a field.
  /// - Parameters:
  ///   - first: the nearest of the candidates.
  ///   - search: gives the nearest of the cells that are left, and so many of them.
  private func nearestOfValues(
    _ field: Field, among candidates: RowSet, _ first: [Neighbor], _ k: Int,
    _ search: (_ left: RowSet, _ breadth: Int) throws -> [Neighbor]
  ) throws -> [Neighbor] {
    var left = candidates
    var found: [Neighbor] = []
    var neighbors = first
    while !neighbors.isEmpty {
      for neighbor in neighbors where found.count < k && left.contains(neighbor.row) {
        found.append(neighbor)
        left.remove(neighbor.row)
        guard let value = try listedCell(at: neighbor.row, reading: [field.id]).values[field.id] else {
          throw Fault(
            .badData, "cell \(neighbor.row)", "has lost its value of field \"\(field.name)\"",
            remedy: "run cellvec check")
        }
        left = left.subtracting(try rows(field, sharing: value))
      }
      if found.count == k { break }
      neighbors = try search(left, breadth(for: k - found.count))
    }
    return found
  }
}

/// Queries that are searched for together, when each finds so many neighbors: it bounds the memory of these.
private func queriesTogether(finding count: Int) -> Int { max(1, min(256, (4 << 20) / max(1, count))) }

/// Neighbors to look for where so many values are wanted.
private func breadth(for wanted: Int) -> Int { max(4 * min(wanted, Int(Row.max)), 64) }
