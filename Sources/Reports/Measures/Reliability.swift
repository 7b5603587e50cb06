import Plots

extension RunView {
  /// All decisions, of every tested sample about every class, in bins of equal width by their probability; nil for empty
  /// ones.
  func reliability(binCount: Int = 10) -> [ReliabilityDiagram.Bin?] {
    var sums = [Double](repeating: 0, count: binCount)
    var positives = [Int](repeating: 0, count: binCount)
    var counts = [Int](repeating: 0, count: binCount)
    for sample in tested {
      for index in classes.indices {
        let probability = probability(sample, index)
        let bin = min(Int(probability * Double(binCount)), binCount - 1)
        sums[bin] += probability
        counts[bin] += 1
        if isTrue(sample, index) { positives[bin] += 1 }
      }
    }
    return counts.indices.map { bin in
      guard counts[bin] > 0 else { return nil }
      let count = Double(counts[bin])
      return ReliabilityDiagram.Bin(
        meanProbability: sums[bin] / count, trueShare: Double(positives[bin]) / count, count: counts[bin])
    }
  }
}
