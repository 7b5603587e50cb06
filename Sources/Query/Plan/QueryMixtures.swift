import Glibc

/// Queries of all kinds by which is measured how long searches take that find little nearby: some that are like the
/// vectors, random directions, and what lies between.
struct QueryMixtures {
  /// Random directions, and queries of each step from the others to them.
  private static let perStep = 12
  private static let steps = 5
  private static let usualLimit = 64
  /// Queries whose searches are taken together.
  private static let partCount = 12

  /// Numbers of a vector.
  let width: Int
  /// [count, width], of unit length.
  private(set) var vectors: [Float]

  var count: Int { vectors.count / width }

  /// - Parameters:
  ///   - usual: [count, width], of unit length, of which at most 64 are taken.
  ///   - directions: [12, width], random ones.
  init(of usual: [Float], width: Int, _ directions: [Float]) {
    self.width = width
    let usualCount = usual.count / width
    vectors = (0..<min(Self.usualLimit, usualCount)).flatMap { number in
      let place = number * usualCount / min(Self.usualLimit, usualCount)
      return usual[place * width..<(place + 1) * width]
    }
    guard usualCount > 0 else { return }
    for step in 1...Self.steps {
      let angle = Double(step) / Double(Self.steps) * .pi / 2
      for number in 0..<Self.perStep {
        let near = (number * Self.steps + step) * usualCount / ((Self.perStep + 1) * Self.steps)
        append(
          usual[near * width..<(near + 1) * width], Float(cos(angle)),
          directions[number * width..<(number + 1) * width], Float(sin(angle)))
      }
    }
  }

  /// Random directions as they are needed here, [12, dimension].
  static func directions(dimension: Int) -> [Float] {
    MeasuredQueries.directions(perStep, dimension: dimension)
  }

  private mutating func append(
    _ near: ArraySlice<Float>, _ nearWeight: Float, _ far: ArraySlice<Float>, _ farWeight: Float
  ) {
    func length(_ vector: some Sequence<Float>) -> Float {
      vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    let scale = farWeight / max(length(far), .leastNormalMagnitude)
    let mixed = zip(near, far).map { nearWeight * $0 + scale * $1 }
    let norm = max(length(mixed), .leastNormalMagnitude)
    vectors += mixed.map { $0 / norm }
  }

  /// Queries in some order in parts that follow one another.
  static func parts(of order: [Int]) -> [ArraySlice<Int>] {
    let count = max(1, order.count / partCount)
    return (0..<count).map { order[$0 * order.count / count..<($0 + 1) * order.count / count] }
  }
}
