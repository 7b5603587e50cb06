import Plots
import Training

extension Ranking {
  /// Recall and precision, in steps: between two thresholds that samples separate there is nothing. Empty without a
  /// positive.
  var precisionRecall: [Point] {
    guard positives > 0 else { return [] }
    var (found, above, recall) = (0, 0, 0.0)
    var points: [Point] = []
    for run in runs {
      found += run.positives
      above += run.count
      guard run.positives > 0 || above == count else { continue }
      let precision = Double(found) / Double(above)
      points.append(Point(recall, precision))
      recall = Double(found) / Double(positives)
      points.append(Point(recall, precision))
    }
    return thinned(points)
  }

  /// False and true positive rate. Empty without a positive or without a negative.
  var receiverOperating: [Point] {
    let negatives = count - positives
    guard positives > 0, negatives > 0 else { return [] }
    var (found, wrong) = (0, 0)
    var points = [Point(0, 0)]
    for run in runs {
      found += run.positives
      wrong += run.count - run.positives
      points.append(Point(Double(wrong) / Double(negatives), Double(found) / Double(positives)))
    }
    return thinned(points)
  }

  /// The points that differ from the one before by more than an eye sees, and the last one.
  private func thinned(_ points: [Point]) -> [Point] {
    let visible = 1.0 / 256
    var kept: [Point] = []
    for (index, point) in points.enumerated() {
      guard let last = kept.last else {
        kept.append(point)
        continue
      }
      let isLast = index == points.count - 1
      if isLast || abs(point.x - last.x) >= visible || abs(point.y - last.y) >= visible { kept.append(point) }
    }
    return kept
  }
}

extension RunView {
  /// The tested samples by their probability of a class.
  func ranked(_ classIndex: Int) -> Ranking {
    Ranking(tested.map { (score: Float(probability($0, classIndex)), isPositive: isTrue($0, classIndex)) })
  }
}
