import Kernels

/// Finds the lists of some vectors; one for each thread.
///
/// A row has a code in the list whose centre is nearest and, where it has two, in one that is near too but leaves another
/// residue: a query from which the one centre hides the row is mostly led to it by the other.
struct ListMembership {
  /// Nearest lists among which the second is chosen.
  private static let candidateLimit = 16
  /// How much a residue that points the same way as the first one counts against a list.
  private static let weight: Float = 2

  private let table: CentreTable
  private let scratch = CentreTable.Scratch()
  private var scores: [Float]
  private var values: [Float]
  private var candidates = [UInt32](repeating: 0, count: Self.candidateLimit)

  /// - Parameter rowLimit: vectors that are given at once, at most.
  init(_ table: CentreTable, rowLimit: Int) {
    self.table = table
    scores = [Float](repeating: 0, count: rowLimit * table.scoreStride)
    values = [Float](repeating: 0, count: rowLimit)
  }

  /// - Shape: `vectors` is [rows, width], rotated; `lists` is [rows, listsPerRow], the nearest first.
  /// - Parameter listsPerRow: 1, or 2 where there are two lists or more.
  mutating func find(
    of vectors: UnsafePointer<Float>, rows: Int, listsPerRow: Int, _ lists: UnsafeMutablePointer<UInt32>
  ) {
    scores.withUnsafeMutableBufferPointer { scores in
      guard let base = scores.baseAddress else { return }
      table.score(vectors, rows: rows, into: base, scratch)
      if listsPerRow == 1 {
        return kernels_largest(base, rows, table.count, table.scoreStride, lists, &values)
      }
      for row in 0..<rows {
        let count = kernels_best(
          base + row * table.scoreStride, table.count, Self.candidateLimit, &candidates)
        lists[2 * row] = candidates[0]
        lists[2 * row + 1] = kernels_second_list(
          table.width, vectors + row * table.width, table.values, table.squares, candidates[0], candidates,
          count, Self.weight)
      }
    }
  }
}

/// The places of members in order of their lists, and in their own order within a list.
struct ListOrder {
  /// List l has positions[bounds[l]..<bounds[l + 1]].
  private(set) var bounds: [UInt32]
  private(set) var positions: [UInt32]

  init(of lists: [UInt32], listCount: Int) {
    bounds = [UInt32](repeating: 0, count: listCount + 1)
    for list in lists { bounds[Int(list) + 1] += 1 }
    for list in 0..<listCount { bounds[list + 1] += bounds[list] }
    var next = bounds
    positions = [UInt32](repeating: 0, count: lists.count)
    for (position, list) in lists.enumerated() {
      positions[Int(next[Int(list)])] = UInt32(position)
      next[Int(list)] += 1
    }
  }

  func places(in list: Int) -> ArraySlice<UInt32> { positions[Int(bounds[list])..<Int(bounds[list + 1])] }

  /// The list that a position in the order belongs to.
  func list(at position: Int) -> Int { bounds.countOfFirst { Int($0) <= position } - 1 }
}

extension Array {
  /// How many elements a predicate holds for, all of which come before those that it does not hold for.
  /// - Complexity: O(log count)
  func countOfFirst(where isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
