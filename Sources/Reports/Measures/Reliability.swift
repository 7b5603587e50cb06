import Plots
import Training

extension RunView {
  /// How far probabilities are what they say, over all tested samples and all classes, or their likeliest ones.
  func calibration() -> Calibration {
    var values: [Float] = []
    var labels: [Bool] = []
    for sample in tested {
      for index in classes.indices {
        values.append(Float(probability(sample, index)))
        labels.append(isTrue(sample, index))
      }
    }
    return Calibration(probabilities: values, isPositive: labels, classCount: classes.count, task: task)
  }
}

extension Calibration {
  /// Bins of equal width from 0 to 1 as the diagram takes them; nil for empty ones.
  var diagramBins: [ReliabilityDiagram.Bin?] {
    bins.map { bin in
      guard bin.count > 0 else { return nil }
      let count = Double(bin.count)
      return ReliabilityDiagram.Bin(
        meanProbability: bin.probabilitySum / count, trueShare: Double(bin.positives) / count,
        count: bin.count)
    }
  }
}
