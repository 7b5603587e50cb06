import Randomness

/// The plane in which vectors spread most.
struct PrincipalComponents {
  /// Coordinates along the first and the second component.
  let points: [(Double, Double)]
  /// Parts of the variance along them.
  let shares: (Double, Double)

  /// By power iteration, the second component in what the first leaves.
  /// - Parameter vectors: [count, dimension], row-major; at least two vectors.
  init(_ vectors: [Float], dimension: Int) {
    precondition(dimension > 0 && vectors.count.isMultiple(of: dimension) && vectors.count / dimension >= 2)
    let count = vectors.count / dimension
    var centered = vectors
    for column in 0..<dimension {
      var sum = 0.0
      for row in 0..<count { sum += Double(vectors[row * dimension + column]) }
      let mean = Float(sum / Double(count))
      for row in 0..<count { centered[row * dimension + column] -= mean }
    }
    let total = centered.reduce(0.0) { $0 + Double($1) * Double($1) }
    let first = Self.component(of: &centered, count, dimension)
    let second = Self.component(of: &centered, count, dimension)
    points = zip(first, second).map { ($0, $1) }
    func share(_ scores: [Double]) -> Double { total > 0 ? scores.reduce(0) { $0 + $1 * $1 } / total : 0 }
    shares = (share(first), share(second))
  }

  /// The scores of the rows on their main direction, which is then taken out of them.
  private static func component(of rows: inout [Float], _ count: Int, _ dimension: Int) -> [Double] {
    var generator = SeededGenerator(seed: 0, stream: 0)
    var direction = (0..<dimension).map { _ in generator.uniform(in: -1...1) }
    normalize(&direction)
    var scores = [Double](repeating: 0, count: count)
    rows.withUnsafeMutableBufferPointer { rows in
      func project() {
        for row in 0..<count {
          var sum = 0.0
          for column in 0..<dimension { sum += Double(rows[row * dimension + column]) * direction[column] }
          scores[row] = sum
        }
      }
      for _ in 0..<60 {
        project()
        var next = [Double](repeating: 0, count: dimension)
        for row in 0..<count {
          let score = scores[row]
          for column in 0..<dimension { next[column] += score * Double(rows[row * dimension + column]) }
        }
        guard normalize(&next) else { break }
        let agreement = zip(direction, next).reduce(0) { $0 + $1.0 * $1.1 }
        direction = next
        if agreement > 1 - 1e-12 { break }
      }
      // The sign is free: the largest part is positive.
      if let largest = direction.max(by: { abs($0) < abs($1) }), largest < 0 {
        for column in 0..<dimension { direction[column] = -direction[column] }
      }
      project()
      for row in 0..<count {
        for column in 0..<dimension {
          rows[row * dimension + column] -= Float(scores[row] * direction[column])
        }
      }
    }
    return scores
  }

  /// - Returns: false for a vector of zeros, which stays.
  @discardableResult
  private static func normalize(_ vector: inout [Double]) -> Bool {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 1e-30 else { return false }
    for index in vector.indices { vector[index] /= length }
    return true
  }
}
