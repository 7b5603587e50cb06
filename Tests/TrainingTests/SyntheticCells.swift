import Randomness

@testable import Training

/// Labelled vectors drawn from a known model: every class adds its own direction, the rest is noise whose
/// dimensions differ in scale and mean as those of real embeddings do.
struct SyntheticCells {
  let vectors: [Float]
  let labels: [[String]]
  let dimension: Int

  var source: InMemoryVectors { InMemoryVectors(vectors, dimension: dimension) }
  var table: LabelTable { get throws { try LabelTable(labels: labels) } }

  /// - Parameter signal: length of a class's direction over the noise of one dimension.
  init(count: Int, dimension: Int, classes: Int, signal: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func normal() -> Float { Float(generator.normal()) }
    let step = Float(signal / Double(dimension).squareRoot())
    let directions = (0..<classes * dimension).map { _ in normal() * step }
    let scales = (0..<dimension).map { 4 / Float($0 + 1).squareRoot() }
    let means = scales.map { $0 * 2 * normal() }
    // Box-Muller is the cost of large sets: noise is drawn from a table at random offsets instead.
    let noise = (0..<4096 + dimension).map { _ in normal() }
    var vectors = [Float](repeating: 0, count: count * dimension)
    var labels: [[String]] = []
    for sample in 0..<count {
      var members = (0..<classes).filter { _ in generator.uniform() < 0.15 }
      if members.isEmpty { members = [Int(generator.next() % UInt64(classes))] }
      labels.append(members.map { "class-\($0)" })
      let offset = Int(generator.next() % 4096)
      for index in 0..<dimension {
        var value = noise[offset + index]
        for member in members { value += directions[member * dimension + index] }
        vectors[sample * dimension + index] = value * scales[index] + means[index]
      }
    }
    self.vectors = vectors
    self.labels = labels
    self.dimension = dimension
  }
}
