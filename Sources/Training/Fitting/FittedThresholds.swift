import Glibc

extension ValidationTable {
  /// What a threshold is drawn towards another counts as much as this many groups.
  private static let priorGroups = 5.0
  /// Thresholds are averaged as logits, of probabilities no nearer to 0 and 1 than this.
  private static let nearest = 1e-6

  /// A threshold for each class: the one of the highest F1, as far as there are groups that tell.
  ///
  /// The positives of one protein lie where that protein lies. The best threshold for them may be anywhere, and another
  /// protein of the class lies elsewhere. So the best threshold of a class counts as many times as there are groups with
  /// positives of it, and five times the one that is best for all decisions about all classes, which has more to rest on:
  /// all groups, with five times the usual threshold. Without positives it is the common one.
  ///
  /// - Parameter groups: of each sample; empty where each is by itself.
  func fittedThresholds(groups: [Int32]) -> [Float] {
    let groups = groups.isEmpty ? Array(0..<Int32(probabilities.count / max(classCount, 1))) : groups
    let usual = Self.logit(TrainingConfiguration.Defaults.threshold)
    let common = Self.drawn(
      Self.bestThreshold(Array(zip(probabilities, isPositive))), of: Set(groups).count, to: usual)
    return (0..<classCount).map { index in
      let known = Set(groups.indices.lazy.filter { isPositive[$0 * classCount + index] }.map { groups[$0] })
      let logit = known.isEmpty ? common : Self.drawn(bestThreshold(of: index), of: known.count, to: common)
      return Float(1 / (1 + exp(-logit)))
    }
  }

  /// The logit of a threshold that so many groups tell, drawn towards another logit.
  private static func drawn(_ threshold: Float, of groupCount: Int, to other: Double) -> Double {
    let count = Double(groupCount)
    return (count * logit(threshold) + priorGroups * other) / (count + priorGroups)
  }

  private static func logit(_ probability: Float) -> Double {
    let held = min(max(Double(probability), nearest), 1 - nearest)
    return log(held / (1 - held))
  }

  /// The threshold of a class with the highest F1 on these samples.
  func bestThreshold(of index: Int) -> Float { Self.bestThreshold(column(index)) }

  /// The threshold with the highest F1, half-way between two probabilities; of equal ones the lowest. A half
  /// where nothing is positive.
  private static func bestThreshold(_ decisions: [(probability: Float, isPositive: Bool)]) -> Float {
    let samples = decisions.sorted { $0.probability > $1.probability }
    let positives = samples.count(where: \.isPositive)
    guard positives > 0 else { return TrainingConfiguration.Defaults.threshold }
    var (hits, best) = (0, (f1: -1.0, threshold: TrainingConfiguration.Defaults.threshold))
    for (place, sample) in samples.enumerated() {
      if sample.isPositive { hits += 1 }
      let next = place + 1 < samples.count ? samples[place + 1].probability : 0
      guard next < sample.probability || place + 1 == samples.count else { continue }
      let f1 = Double(2 * hits) / Double(place + 1 + positives)
      // Where the middle rounds to the upper of two neighbours, the lower one separates them.
      let middle = next + (sample.probability - next) / 2
      if f1 >= best.f1 { best = (f1, middle < sample.probability ? middle : next) }
    }
    return best.threshold
  }
}
