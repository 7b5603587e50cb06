import Glibc
import Kernels

/// What weighs the cells of a sample. A cell x has the score w · (tanh(V x + b) ⊙ sigmoid(U x + c)); the weights are the
/// softmax of the scores of a sample's cells, and the sample's vector is the mean of theirs under these weights.
///
/// - Source: Ilse, Tomczak, Welling, "Attention-based deep multiple instance learning", 2018, equations 7 and 9.
package struct CellAttention: Sendable, Equatable {
  /// Length of the vectors, and how many gates there are.
  package let dimension: Int
  package let width: Int
  /// V, then U, [2 width, dimension] row-major, and b, then c, [2 width]. They take vectors as they are stored.
  let gates: Head.Layer
  /// w, [width].
  let scores: [Float]

  /// - Parameters:
  ///   - gates: of as many outputs as twice the scores.
  init(gates: Head.Layer, scores: [Float]) {
    precondition(gates.outputs == 2 * scores.count)
    dimension = gates.inputs
    width = scores.count
    self.gates = gates
    self.scores = scores
  }

  /// Gates that act on standardised vectors, as gates that act on raw ones.
  init(standardizedGates gates: Head.Layer, scores: [Float], standardization: Standardization) {
    self.init(gates: gates.folding(standardization), scores: scores)
  }

  var isFinite: Bool { gates.isFinite && scores.allSatisfy(\.isFinite) }

  /// Cells that go through the gates together.
  private static let chunk = 256

  /// Writes the vector of each sample, one after the other.
  ///
  /// - Parameters:
  ///   - members: the cells of each sample, as positions in `cells`.
  ///   - weights: called for each sample, in order, with its cells' weights, which add up to 1; of numbers that overflow,
  ///     they are NaN, and so is the vector.
  func pool(
    _ members: [[Int32]], of cells: any SampleVectors, into batch: UnsafeMutableBufferPointer<Float>,
    weights: (_ sample: Int, _ weights: [Float]) -> Void
  ) {
    precondition(cells.dimension == dimension && batch.count >= members.count * dimension)
    let product = PackedLayer(gates, rows: Self.chunk)
    let vectors = FloatBuffer(count: Self.chunk * dimension)
    var sums = [Double](repeating: 0, count: dimension)
    for (sample, members) in members.enumerated() {
      let chunks = stride(from: 0, to: members.count, by: Self.chunk).map {
        members[$0..<min($0 + Self.chunk, members.count)]
      }
      var scores: [Double] = []
      for part in chunks {
        cells.gather(part, into: vectors.values)
        scores += gateScores(product.apply(to: vectors.start, rows: part.count), rows: part.count)
      }
      let own = Self.softmax(scores)
      for index in 0..<dimension { sums[index] = 0 }
      for part in chunks {
        // A single part still lies where it was gathered.
        if chunks.count > 1 { cells.gather(part, into: vectors.values) }
        for (row, place) in part.indices.enumerated() {
          let weight = Double(own[place])
          let vector = vectors.start + row * dimension
          for index in 0..<dimension { sums[index] += weight * Double(vector[index]) }
        }
      }
      for index in 0..<dimension { batch[sample * dimension + index] = Float(sums[index]) }
      weights(sample, own)
    }
  }

  /// Scores of cells whose products with the gates are [rows, 2 width]; these are overwritten.
  private func gateScores(_ products: UnsafeMutablePointer<Float>, rows: Int) -> [Double] {
    Self.openGates(products, rows: rows, width: width)
    return (0..<rows).map { row in
      let own = products + row * 2 * width
      var sum = 0.0
      for gate in 0..<width { sum += Double(scores[gate]) * Double(own[gate]) * Double(own[width + gate]) }
      return sum
    }
  }

  /// Turns the first `width` numbers of each row into their tanh, the others into their sigmoid.
  static func openGates(_ products: UnsafeMutablePointer<Float>, rows: Int, width: Int) {
    // tanh(x) = 2 sigmoid(2 x) - 1
    for row in 0..<rows {
      let own = products + row * 2 * width
      for gate in 0..<width { own[gate] *= 2 }
    }
    training_sigmoid(products, rows * 2 * width)
    for row in 0..<rows {
      let own = products + row * 2 * width
      for gate in 0..<width { own[gate] = 2 * own[gate] - 1 }
    }
  }

  static func softmax(_ scores: [Double]) -> [Float] {
    let largest = scores.max() ?? 0
    let powers = scores.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { Float($0 / sum) }
  }
}
