import Plots
import Training

/// How often the likeliest class is wrong among the samples that a head is surest of, by their part of all: what
/// abstention would gain.
///
/// - Source: Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017.
struct RiskCoverage {
  /// Samples whose likeliest class has at least a probability.
  struct Point: Equatable {
    let probability: Double
    /// Their part of all samples.
    let coverage: Double
    /// The part of them whose likeliest class is wrong.
    let risk: Double
  }

  /// One for each probability that occurs, coverage increasing.
  let points: [Point]
  /// The mean of the risk over samples, each at its own probability: the area under the curve.
  let area: Double

  /// - Parameter samples: of each sample the probability of its likeliest class, and whether that is right.
  init(_ samples: [(probability: Double, isRight: Bool)]) {
    let sorted = samples.sorted { $0.probability > $1.probability }
    var (points, wrong, area) = ([Point](), 0, 0.0)
    var first = 0
    while first < sorted.count {
      let probability = sorted[first].probability
      let end = sorted[first...].firstIndex { $0.probability < probability } ?? sorted.count
      wrong += sorted[first..<end].count { !$0.isRight }
      let risk = Double(wrong) / Double(end)
      points.append(
        Point(probability: probability, coverage: Double(end) / Double(sorted.count), risk: risk))
      area += risk * Double(end - first)
      first = end
    }
    self.points = points
    self.area = sorted.isEmpty ? 0 : area / Double(sorted.count)
  }

  /// The point of the samples with at least this probability; nil where there are none.
  func point(from probability: Double) -> Point? { points.last { $0.probability >= probability } }
}

extension RunView {
  /// Of one label a sample.
  func riskCoverage() -> RiskCoverage {
    RiskCoverage(
      tested.compactMap { sample in
        let own = classes.indices.map { Float(probability(sample, $0)) }
        guard let best = ClassificationTask.likeliest(own[...]) else { return nil }
        return (Double(own[best]), isTrue(sample, best))
      })
  }
}
