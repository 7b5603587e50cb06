import Plots
import Training

extension PrintedReport {
  /// Scores of each class, and its curves.
  static func classes(of view: RunView) -> PageSection {
    let scores = view.scores.perClass
    let order = view.order
    let figure = ClassBars(
      rows: order.map {
        .init(
          name: view.classes[$0], f1: scores[$0].f1, precision: scores[$0].precision,
          recall: scores[$0].recall,
          support: scores[$0].support)
      }, unit: view.unit
    ).figure(
      id: "classes", title: "Scores of each class",
      alternative:
        "F1, precision, recall and number of \(view.unit) of \(scores.count) classes; the table has the numbers."
    )
    let ranked = view.classes.indices.map(view.ranked)
    let table = PageTable(
      "scores of each class",
      [
        .text("class"), .number(view.unit), .number("precision"), .number("recall"), .number("F1"),
        .number("AUROC"), .number("average precision"),
      ],
      rows: order.map { index in
        let score = scores[index]
        return [
          view.classes[index], grouped(score.support), decimal(score.precision, places: 3),
          decimal(score.recall, places: 3), decimal(score.f1, places: 3), optional(score.auroc),
          optional(score.averagePrecision),
        ]
      })
    return PageSection(
      id: "classes", heading: "Classes",
      items: [
        .figure(
          figure,
          caption:
            "Of the space \(view.run.space.name), over all \(view.unit), each predicted by a head that had not seen it: "
            + "\(view.decisionWords). Bars are F1; the line spans precision and recall."),
        .table(table),
        .figure(
          precisionRecall(of: view, ranked, order),
          caption:
            "Each class in colour before all classes in gray. The dashed line is chance, the dot the decisions that "
            + "were taken. AP is average precision."),
        .figure(
          receiverOperating(of: view, ranked, order),
          caption:
            "Each class in colour before all classes in gray. The dashed line is chance, the dot the decisions that "
            + "were taken. Rare classes look better here than in precision and recall."),
      ])
  }

  private static func precisionRecall(of view: RunView, _ ranked: [Ranking], _ order: [Int]) -> Figure {
    let curves = order.map { index -> CurveGrid.Curve in
      let score = view.scores.perClass[index]
      let share = Double(ranked[index].positives) / Double(max(ranked[index].count, 1))
      let isDecided = score.truePositives + score.falsePositives > 0
      let note = score.averagePrecision.map { "AP \(decimal($0, places: 2)) · " } ?? ""
      return CurveGrid.Curve(
        name: view.classes[index], note: "\(note)\(grouped(score.support)) \(view.unit)",
        points: ranked[index].precisionRecall, chance: (share, share),
        mark: isDecided && score.support > 0 ? Point(score.recall, score.precision) : nil)
    }
    return CurveGrid(curves: curves, xTitle: "recall", yTitle: "precision").figure(
      id: "precision-recall", title: "Precision and recall of each class",
      alternative: "A curve of precision over recall for each of \(curves.count) classes.")
  }

  private static func receiverOperating(of view: RunView, _ ranked: [Ranking], _ order: [Int]) -> Figure {
    let curves = order.map { index -> CurveGrid.Curve in
      let score = view.scores.perClass[index]
      let negatives = ranked[index].count - ranked[index].positives
      let mark =
        score.support > 0 && negatives > 0
        ? Point(Double(score.falsePositives) / Double(negatives), score.recall) : nil
      let note = score.auroc.map { "AUROC \(decimal($0, places: 3))" } ?? "no curve: one side is empty"
      return CurveGrid.Curve(
        name: view.classes[index], note: note, points: ranked[index].receiverOperating, chance: (0, 1),
        mark: mark)
    }
    return CurveGrid(curves: curves, xTitle: "false positive rate", yTitle: "true positive rate").figure(
      id: "roc", title: "Receiver operating characteristic of each class",
      alternative: "A curve of the true over the false positive rate for each of \(curves.count) classes.")
  }

  static func optional(_ value: Double?) -> String { value.map { decimal($0, places: 3) } ?? "–" }
}
