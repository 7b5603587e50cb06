import Training

/// Which classes are predicted for the samples of each class. With one label a sample it is the confusion matrix, by
/// rows.
struct CoOccurrence: Equatable {
  /// Samples of each class.
  let support: [Int]
  /// Samples of a class for which each class is predicted, then those for which none is.
  /// - Shape: [classes][classes + 1]
  let counts: [[Int]]

  init(_ view: RunView) {
    let classCount = view.classes.count
    var support = [Int](repeating: 0, count: classCount)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: classCount + 1), count: classCount)
    for sample in view.tested {
      let predicted = view.predicted(sample)
      for label in view.evaluation.samples.labels(of: sample) {
        support[label] += 1
        for index in predicted { counts[label][index] += 1 }
        if predicted.isEmpty { counts[label][classCount] += 1 }
      }
    }
    self.support = support
    self.counts = counts
  }

  /// Whether something is predicted for every sample.
  var isComplete: Bool { counts.allSatisfy { $0.last == 0 } }

  /// Parts of the samples of each class; nil where a class has none.
  var shares: [[Double?]] {
    zip(support, counts).map { support, row in
      row.map { support == 0 ? nil : Double($0) / Double(support) }
    }
  }
}
