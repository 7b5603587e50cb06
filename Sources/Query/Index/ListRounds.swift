import Kernels

/// Ranges of scores in which lists are visited, best first. A few lists are found and sorted at a time, because a search
/// mostly needs few of them.
struct ListRounds {
  let largest: Float
  private var step: Float
  /// What was visited has scores from here on.
  private var visited = Float.infinity

  init(_ scores: UnsafePointer<Float>, count: Int, stride: Int) {
    var place: UInt32 = 0
    var largest: Float = 0
    kernels_largest(scores, 1, count, stride, &place, &largest)
    // A rough mean will do.
    var (sum, terms): (Float, Float) = (0, 0)
    for list in Swift.stride(from: 0, to: count, by: 16) {
      sum += scores[list]
      terms += 1
    }
    self.largest = largest
    step = max(0.1 * (largest - sum / terms), 1e-6)
  }

  /// The next range; nil when all are visited that reach the least score, which is -infinity while too few neighbors
  /// are known.
  mutating func next(leastScore: Float) -> Range<Float>? {
    guard visited > leastScore else { return nil }
    let end = visited
    if end < .infinity, leastScore > -.infinity {
      visited = leastScore
    } else {
      visited = step > 8 ? -.infinity : largest - step
      step *= 2
    }
    return visited..<end
  }
}

/// A list in the order of visits: the higher score first, of equals the smaller number.
struct ListKey: Comparable {
  private let key: UInt64

  init(list: UInt32, score: Float) {
    let bits = score.bitPattern
    // Ascends as scores do.
    let ascending = bits >> 31 == 1 ? ~bits : bits | 1 << 31
    key = UInt64(~ascending) << 32 | UInt64(list)
  }

  var list: Int { Int(key & 0xFFFF_FFFF) }
  static func < (left: ListKey, right: ListKey) -> Bool { left.key < right.key }
}
