import Kernels

/// Hits of a scan in a binary heap, the one with the highest bound first, of equals the one of the smaller row. Mostly few
/// of them are wanted, so that sorting all would take longer.
struct HitHeap {
  private let hits: UnsafeMutablePointer<kernels_code_hit>
  private var count: Int

  /// Rearranges the hits, which must outlive the heap.
  init(_ hits: UnsafeMutablePointer<kernels_code_hit>, count: Int) {
    self.hits = hits
    self.count = count
    for parent in stride(from: count / 2 - 1, through: 0, by: -1) { siftDown(parent) }
  }

  mutating func popFirst() -> kernels_code_hit? {
    guard count > 0 else { return nil }
    let first = hits[0]
    count -= 1
    hits[0] = hits[count]
    siftDown(0)
    return first
  }

  mutating func removeAll() { count = 0 }

  private func siftDown(_ start: Int) {
    var parent = start
    while 2 * parent + 1 < count {
      var child = 2 * parent + 1
      if child + 1 < count, precedes(hits[child + 1], hits[child]) { child += 1 }
      guard precedes(hits[child], hits[parent]) else { return }
      (hits[parent], hits[child]) = (hits[child], hits[parent])
      parent = child
    }
  }

  private func precedes(_ left: kernels_code_hit, _ right: kernels_code_hit) -> Bool {
    left.bound == right.bound ? left.row < right.row : left.bound > right.bound
  }
}
