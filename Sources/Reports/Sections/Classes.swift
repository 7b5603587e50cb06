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
          view.classes[index], grouped(score.support), optional(score.precision), optional(score.recall),
          optional(score.f1), optional(score.auroc), optional(score.averagePrecision),
        ]
      })
    return PageSection(
      id: "classes", heading: "Classes",
      items: [
        .figure(
          figure,
          caption:
            "Of the space \(view.run.name), over all \(view.unit), each predicted by a head that had not seen it: "
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
      let note = score.averagePrecision.map { "AP \(decimal($0, places: 2)) · " } ?? ""
      return CurveGrid.Curve(
        name: view.classes[index], note: "\(note)\(grouped(score.support)) \(view.unit)",
        points: ranked[index].precisionRecall, chance: (share, share),
        mark: mark(score.recall, score.precision))
    }
    return CurveGrid(curves: curves, xTitle: "recall", yTitle: "precision").figure(
      id: "precision-recall", title: "Precision and recall of each class",
      alternative: "A curve of precision over recall for each of \(curves.count) classes.")
  }

  private static func receiverOperating(of view: RunView, _ ranked: [Ranking], _ order: [Int]) -> Figure {
    let curves = order.map { index -> CurveGrid.Curve in
      let score = view.scores.perClass[index]
      let negatives = ranked[index].count - ranked[index].positives
      let rate = negatives > 0 ? Double(score.falsePositives) / Double(negatives) : nil
      let note = score.auroc.map { "AUROC \(decimal($0, places: 3))" } ?? "no curve: one side is empty"
      return CurveGrid.Curve(
        name: view.classes[index], note: note, points: ranked[index].receiverOperating, chance: (0, 1),
        mark: mark(rate, score.recall))
    }
    return CurveGrid(curves: curves, xTitle: "false positive rate", yTitle: "true positive rate").figure(
      id: "roc", title: "Receiver operating characteristic of each class",
      alternative: "A curve of the true over the false positive rate for each of \(curves.count) classes.")
  }

  /// The decisions that were taken; nil where one of the numbers is undefined.
  private static func mark(_ x: Double?, _ y: Double?) -> Point? {
    x.flatMap { x in y.map { Point(x, $0) } }
  }

  static func optional(_ value: Double?) -> String { value.map { decimal($0, places: 3) } ?? "–" }
}
