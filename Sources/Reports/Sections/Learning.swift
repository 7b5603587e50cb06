import Plots
import Training

extension PrintedReport {
  /// What happened in training; nil where no fold has a curve.
  static func learning(of view: RunView) -> PageSection? {
    let folds = view.run.folds.filter { !$0.learningCurve.isEmpty }
    guard !folds.isEmpty else { return nil }
    let loss = lines(folds) { $0.loss }
    let score = lines(folds) { $0.validationMacroF1 }
    var panels = [
      LinePanels.Panel(
        title: "Loss of training", xTitle: "epoch", yTitle: "mean loss", lines: loss)
    ]
    if score.contains(where: { !$0.points.isEmpty }) {
      panels.append(
        LinePanels.Panel(
          title: "Validation", xTitle: "epoch", yTitle: "macro F1", yDomain: 0...1, lines: score))
    }
    let figure = LinePanels(panels: panels).figure(
      id: "learning", title: "Learning curves",
      alternative:
        "Loss of training\(panels.count > 1 ? " and macro F1 of validation" : "") over epochs, \(folds.count) folds and their mean."
    )
    let rows = folds.map { fold -> [String] in
      let best = fold.learningCurve.max { ($0.validationMacroF1 ?? 0) < ($1.validationMacroF1 ?? 0) }
      return [
        "\(fold.repetition + 1)", "\(fold.fold + 1)", grouped(fold.trainCount), grouped(fold.validationCount),
        grouped(fold.testCount), "\(fold.learningCurve.count)",
        decimal(fold.learningCurve.last?.loss ?? 0, places: 4),
        optional(best?.validationMacroF1), optional(fold.values[.macroF1]),
      ]
    }
    let table = PageTable(
      "folds",
      [
        .number("repetition"), .number("fold"), .number("train"), .number("validation"), .number("test"),
        .number("epochs"), .number("last loss"), .number("best validation F1"), .number("test macro F1"),
      ], rows: rows)
    return PageSection(
      id: "learning", heading: "Training",
      items: [
        .figure(
          figure,
          caption:
            "Thin lines are folds, the bold one is their mean over the epochs that all of them reached. Space "
            + "\(view.run.name)."), .table(table),
      ])
  }

  private static func lines(
    _ folds: [Evaluation.Fold], _ value: (EpochScore) -> Double?
  ) -> [LinePanels.Line] {
    let curves = folds.map { fold in
      fold.learningCurve.enumerated().compactMap { index, epoch -> Point? in
        value(epoch).flatMap { $0.isFinite ? Point(Double(index + 1), $0) : nil }
      }
    }
    let common = curves.map(\.count).min() ?? 0
    let mean = (0..<common).map { place in
      Point(curves[0][place].x, curves.reduce(0) { $0 + $1[place].y } / Double(curves.count))
    }
    let thin = curves.enumerated().map { index, points in
      LinePanels.Line(name: "fold \(index + 1)", points: points, isThin: curves.count > 1)
    }
    return curves.count > 1 ? thin + [LinePanels.Line(name: "mean", points: mean)] : thin
  }
}
