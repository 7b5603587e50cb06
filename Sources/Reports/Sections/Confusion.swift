import Plots
import Training

extension PrintedReport {
  /// Which classes are taken for which, and how far probabilities can be believed.
  static func confusion(of view: RunView) -> PageSection {
    let table = CoOccurrence(view)
    let order = view.order
    let names = order.map { "\(view.classes[$0]) (\(grouped(table.support[$0])))" }
    // Of one label something is predicted for every sample, unless the head may abstain.
    let hasNone = view.task == .multi || !table.isComplete
    let columns = order.map { view.classes[$0] } + (hasNone ? ["none"] : [])
    let places = order + (hasNone ? [view.classes.count] : [])
    let shares = table.shares
    let figure = Heatmap(
      rows: names, columns: columns, values: order.map { row in places.map { shares[row][$0] } },
      rowTitle: "labelled", columnTitle: "predicted",
      scaleTitle: "part of the \(view.unit) with the label of the row",
      separatedColumn: hasNone ? view.classes.count : nil
    ).figure(
      id: "confusion", title: "Labels and predictions",
      alternative:
        "For the \(view.unit) of each of \(view.classes.count) labels the part for which each class is predicted."
    )
    let hasSeveral = view.tested.contains { view.evaluation.samples.labels(of: $0).count > 1 }
    let words =
      view.task == .single
      ? "Each row has the \(view.unit) of one label and adds up to 100 %."
      : hasSeveral
        ? "Samples may have several labels and several predictions, so rows need not add up to 100 %, and what stands beside "
          + "the diagonal may be right: a second label."
        : "Each row has the \(view.unit) of one label."
    let numbers = PageTable(
      "labels and predictions, counts",
      [.text("label"), .number("labelled")] + columns.map { .number($0) },
      rows: order.map { index in
        [view.classes[index], grouped(table.support[index])]
          + places.map { grouped(table.counts[index][$0]) }
      })
    return PageSection(
      id: "confusion", heading: "Confusion",
      items: [
        .figure(
          figure,
          caption:
            "\(words) Numbers are percent\(hasNone ? "; the last column has those for which nothing is predicted" : ""). "
            + "Space \(view.run.name)."), .table(numbers),
      ])
  }

  /// How far probabilities can be believed.
  static func reliability(of view: RunView) -> PageSection {
    let calibration = view.calibration()
    let bins = calibration.diagramBins
    let note =
      "ECE \(decimal(calibration.error, places: 3)) · Brier \(decimal(calibration.brier, places: 3))"
    let figure = ReliabilityDiagram(bins: bins, note: note).figure(
      id: "reliability", title: "Reliability of probabilities",
      alternative: "The part that is true over the predicted probability, in \(bins.count) bins. \(note).")
    let rows = bins.enumerated().map { index, bin -> [String] in
      let (low, high) = (Double(index) / Double(bins.count), Double(index + 1) / Double(bins.count))
      let range = "\(decimal(low, places: 3)) to \(decimal(high, places: 3))"
      guard let bin else { return [range, "0", "–", "–"] }
      return [
        range, grouped(bin.count), decimal(bin.meanProbability, places: 3), decimal(bin.trueShare, places: 3),
      ]
    }
    return PageSection(
      id: "reliability", heading: "Reliability",
      items: [
        .figure(
          figure,
          caption: (view.task == .single
            ? "The likeliest class of each sample: of those with a probability of 0.8 four of five should be true, which "
              + "is the dashed line. "
            : "All classes together: of decisions with a probability of 0.8 four of five should be true, which is the "
              + "dashed line. Most decisions are easy ones near 0. ")
            + "ECE is the mean distance from the line, by the number of decisions. Space \(view.run.name)."
        ),
        .table(
          PageTable(
            "reliability", [.text("probability"), .number("decisions"), .number("mean"), .number("true")],
            rows: rows)),
      ])
  }
}
