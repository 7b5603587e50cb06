import Training

/// A sample and a class about which labels and a head that had not seen the sample disagree.
struct Contradiction: Equatable {
  let sample: Int
  let classIndex: Int
  /// Whether the sample has the label, and the head doubts it; otherwise the head misses it.
  let isLabelled: Bool
  let probability: Double
  /// By which contradictions are ordered, 0 to 1.
  let weight: Double
}

extension RunView {
  /// Wrong decisions, the most confident first: by how far the probability lies beyond the threshold, as part of how
  /// far it could. Of each sample the worst. Of one label the wrong class is the mistake: a sample without a prediction
  /// has none.
  func mistakes() -> [Contradiction] {
    strongest { sample, index in
      let (isTrue, isPredicted) = (isTrue(sample, index), isPredicted(sample, index))
      guard isTrue != isPredicted else { return nil }
      let (probability, threshold) = (probability(sample, index), threshold(sample, index))
      if task == .single { return isPredicted ? probability : nil }
      let room = isPredicted ? 1 - threshold : threshold
      return room > 0 ? abs(probability - threshold) / room : 0
    }
  }

  /// Labels that are probably wrong: a head that had not seen the sample is as sure of the opposite as it usually is
  /// where the opposite is labelled, and less sure of the label than it usually is. Of each sample the worst, by the
  /// probability of the opposite.
  ///
  /// - Source: Northcutt, Jiang, Chuang, "Confident learning" (2021), of several labels each class by itself.
  func labelNoise() -> [Contradiction] { task == .single ? otherLabels() : doubtedLabels() }

  /// Of one label a sample: the likeliest of the classes that are as probable as usual among their samples, where it is
  /// another one than the label.
  private func otherLabels() -> [Contradiction] {
    let usual = classes.indices.map { usualConfidence($0)?.positive ?? .infinity }
    let likely = tested.reduce(into: [Int: Int]()) { likely, sample in
      let confident = classes.indices.filter { probability(sample, $0) >= usual[$0] }
      likely[sample] = confident.max { (probability(sample, $0), $1) < (probability(sample, $1), $0) }
    }
    return strongest { sample, index in
      likely[sample] == index && !isTrue(sample, index) ? probability(sample, index) : nil
    }
  }

  private func doubtedLabels() -> [Contradiction] {
    let usual = classes.indices.map(usualConfidence)
    return strongest { sample, index in
      let isTrue = isTrue(sample, index)
      let positive = probability(sample, index)
      let (label, opposite) = isTrue ? (positive, 1 - positive) : (1 - positive, positive)
      guard let usual = usual[index] else { return nil }
      let (usualLabel, usualOpposite) =
        isTrue ? (usual.positive, usual.negative) : (usual.negative, usual.positive)
      return opposite >= usualOpposite && label < usualLabel && opposite > label ? opposite : nil
    }
  }

  /// Mean probability of a class among its samples, and of its absence among the others; nil where one is missing.
  private func usualConfidence(_ index: Int) -> (positive: Double, negative: Double)? {
    var (positives, negatives, positiveSum, negativeSum) = (0, 0, 0.0, 0.0)
    for sample in tested {
      if isTrue(sample, index) {
        positives += 1
        positiveSum += probability(sample, index)
      } else {
        negatives += 1
        negativeSum += 1 - probability(sample, index)
      }
    }
    guard positives > 0, negatives > 0 else { return nil }
    return (positiveSum / Double(positives), negativeSum / Double(negatives))
  }

  /// The heaviest class of each sample that has one, the heaviest first, equal ones by sample.
  private func strongest(_ weight: (_ sample: Int, _ classIndex: Int) -> Double?) -> [Contradiction] {
    var found: [Contradiction] = []
    for sample in tested {
      var worst: Contradiction?
      for index in classes.indices {
        guard let weight = weight(sample, index), weight > worst?.weight ?? -1 else { continue }
        worst = Contradiction(
          sample: sample, classIndex: index, isLabelled: isTrue(sample, index),
          probability: probability(sample, index), weight: weight)
      }
      if let worst { found.append(worst) }
    }
    return found.sorted { ($1.weight, $0.sample) < ($0.weight, $1.sample) }
  }
}
