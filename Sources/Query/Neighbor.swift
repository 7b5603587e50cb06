package import Storage

/// A cell that a search found.
package struct Neighbor: Sendable, Equatable {
  package let row: Row
  /// Cosine similarity with the query, in [-1, 1]; 0 when either vector is zero. By another metric the dot product, or
  /// the distance times -1: the larger, the nearer.
  package let similarity: Float

  package init(row: Row, similarity: Float) {
    self.row = row
    self.similarity = similarity
  }

  /// Whether this neighbor comes before the other: the more similar one, of equals the smaller row. A total
  /// order, because similarities are never NaN.
  func precedes(_ other: Neighbor) -> Bool {
    similarity == other.similarity ? row < other.row : similarity > other.similarity
  }
}

extension [Neighbor] {
  /// A row that is there twice, of neighbors in their order; nil where none is. The two are equally similar, and so follow
  /// one another.
  var repeatedRow: Row? { zip(self, dropFirst()).first { $0.row == $1.row }?.0.row }
}

/// The best `capacity` of the neighbors that it was offered, whatever their order; those below `least` in similarity are
/// none.
///
/// A binary heap with the last of the kept neighbors at its root.
struct NearestNeighbors {
  private let capacity: Int
  private let least: Float
  private var heap: [Neighbor] = []

  /// Grows with what it is offered, so that a huge `capacity` costs nothing by itself.
  init(capacity: Int, least: Float) {
    precondition(capacity > 0)
    self.capacity = capacity
    self.least = least
  }

  /// What a similarity must reach to be worth offering.
  var threshold: Float { heap.count < capacity ? least : heap[0].similarity }

  /// - Complexity: O(log capacity); O(1) when the neighbor is not kept.
  mutating func offer(_ neighbor: Neighbor) {
    guard neighbor.similarity >= least else { return }
    if heap.count < capacity {
      heap.append(neighbor)
      siftUp(heap.count - 1)
    } else if neighbor.precedes(heap[0]) {
      heap[0] = neighbor
      siftDown(0)
    }
  }

  mutating func offer(contentsOf other: NearestNeighbors) { offer(contentsOf: other.heap) }

  mutating func offer(contentsOf neighbors: [Neighbor]) {
    for neighbor in neighbors { offer(neighbor) }
  }

  /// Nearest first.
  func sorted() -> [Neighbor] { heap.sorted { $0.precedes($1) } }

  /// The best of these and of some others, nearest first.
  /// - Parameter others: nearest first.
  func sorted(with others: [Neighbor]) -> [Neighbor] {
    // So it is with most, beside a few new rows.
    if heap.isEmpty, others.count <= capacity, others.last.map({ $0.similarity >= least }) != false {
      return others
    }
    var all = self
    all.offer(contentsOf: others)
    return all.sorted()
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[parent].precedes(heap[child]) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var last = parent
      for child in 2 * parent + 1...2 * parent + 2
      where child < heap.count && heap[last].precedes(heap[child]) {
        last = child
      }
      guard last != parent else { return }
      heap.swapAt(parent, last)
      parent = last
    }
  }
}
