import Glibc
import Storage

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

  /// Angles from queries like the vectors to some between them and random directions, in degrees.
  private static let anglesBetween = [30.0, 50, 70]

  /// Queries between some like the vectors and random directions, for each angle, [count, dimension], of unit length; nothing
  /// without any.
  /// - Parameters:
  ///   - usual: [usual count, dimension], of any length.
  ///   - directions: [count of directions, dimension], random ones.
  ///   - count: of each angle, where there are as many usual ones.
  static func between(_ usual: [Float], _ directions: [Float], dimension: Int, count: Int) -> [[Float]] {
    let (usualCount, directionCount) = (usual.count / dimension, directions.count / dimension)
    let count = min(count, usualCount)
    guard count > 0, directionCount > 0 else { return [] }
    return anglesBetween.enumerated().map { step, angle in
      var mixtures = QueryMixtures(width: dimension)
      for number in 0..<count {
        let near = unit(usual[row: number * usualCount / count, dimension])
        mixtures.append(
          near[...], Float(cos(angle / 180 * .pi)),
          directions[row: (number + step) % directionCount, dimension], Float(sin(angle / 180 * .pi)))
      }
      return mixtures.vectors
    }
  }

  /// Weighted means of two vectors and of three, [count, dimension] each, of unit length; nothing without any.
  /// - Parameters:
  ///   - vectors: [vector count, dimension], of any length.
  ///   - count: of both, where there are as many vectors.
  static func means(of vectors: [Float], dimension: Int, count: Int) -> [[Float]] {
    let vectorCount = vectors.count / dimension
    guard vectorCount > 0 else { return [] }
    return [2, 3].map { parts in
      (0..<min(count, vectorCount)).flatMap { number in
        var sum = [Float](repeating: 0, count: dimension)
        for part in 0..<parts {
          // Those that follow one another may be alike.
          let place = (number + part * vectorCount / parts) % vectorCount
          // With equal weights those of a mean would be equally near, and opposite ones leave nothing.
          let weight = 1 + 0.25 * Float(part)
          for (number, value) in unit(vectors[row: place, dimension]).enumerated() {
            sum[number] += weight * value
          }
        }
        return unit(sum[...])
      }
    }
  }

  private init(width: Int) {
    self.width = width
    vectors = []
  }

  /// Random directions as they are needed here, [12, dimension].
  static func directions(dimension: Int) -> [Float] { directions(perStep, dimension: dimension) }

  /// Random directions, [count, dimension], of unit length.
  static func directions(_ count: Int, dimension: Int) -> [Float] {
    let vector = (0..<dimension).map { Float($0 + 1).squareRoot() }
    return (1...count).flatMap { seed in
      let codeSpace = CodeSpace(dimension: dimension, seed: UInt64(seed))
      var turned = [Float](repeating: 0, count: codeSpace.width)
      codeSpace.rotate(vector, into: &turned)
      return unit(turned.prefix(dimension))
    }
  }

  private mutating func append(
    _ near: ArraySlice<Float>, _ nearWeight: Float, _ far: ArraySlice<Float>, _ farWeight: Float
  ) {
    vectors += Self.unit(zip(near, Self.unit(far)).map { nearWeight * $0 + farWeight * $1 }[...])
  }

  private static func unit(_ vector: ArraySlice<Float>) -> [Float] {
    let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), .leastNormalMagnitude)
    return vector.map { $0 / length }
  }

  /// Queries in some order in parts that follow one another.
  static func parts(of order: [Int]) -> [ArraySlice<Int>] {
    let count = max(1, order.count / partCount)
    return (0..<count).map { order[$0 * order.count / count..<($0 + 1) * order.count / count] }
  }
}

extension [Float] {
  /// A row of an array, [rows, width].
  fileprivate subscript(row row: Int, width: Int) -> ArraySlice<Float> {
    self[row * width..<(row + 1) * width]
  }
}
