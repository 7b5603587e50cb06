import Faults
import Training

extension Evaluation {
  /// - Throws: `badData` for counts below 0, or so large that they cannot be added up: the file was changed by something
  ///   that is not cellvec.
  func requirePlausibleCounts() throws {
    let limit = 1 << 40
    func check(_ counts: [Int], _ subject: @autoclosure () -> String) throws {
      guard let count = counts.first(where: { !(0...limit).contains($0) }) else { return }
      throw Fault(
        .badData, subject(), expected: "a count from 0 to 2^40", found: "\(count)", remedy: "evaluate again")
    }
    for sample in samples { try check([sample.cellCount], "evaluation, sample of cell \(sample.row)") }
    for run in runs {
      let name = "evaluation, space \"\(run.space.name)\""
      for fold in run.folds {
        try check(
          [fold.repetition, fold.fold, fold.trainCount, fold.validationCount, fold.testCount], "\(name), fold"
        )
      }
      for scores in run.folds.map(\.scores) + run.predictions.map(\.pooled) {
        for score in scores.perClass {
          try check(
            [score.truePositives, score.falsePositives, score.falseNegatives],
            "\(name), class \"\(score.className)\"")
        }
      }
    }
  }
}
