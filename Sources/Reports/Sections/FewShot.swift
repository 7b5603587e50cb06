import Plots
import Training

extension PrintedReport {
  /// How scores grow with what there is to learn from; nil of one part only.
  static func fewShot(of evaluation: Evaluation) -> PageSection? {
    let fractions = Set(evaluation.runs.map(\.fraction)).filter { $0 > 0 }.sorted()
    guard fractions.count > 1 else { return nil }
    let subject = evaluation.comparesHeads ? "space and head" : "space"
    var names: [String] = []
    for run in evaluation.runs where !names.contains(run.name) { names.append(run.name) }
    let lines = names.enumerated().map { index, name in
      let runs = evaluation.runs.filter { $0.name == name && $0.fraction > 0 }
        .sorted { $0.fraction < $1.fraction }
      let known = runs.filter { $0.summary[.macroF1] != nil }
      return LinePanels.Line(
        name: name, points: known.map { Point($0.fraction, $0.summary[.macroF1]?.mean ?? 0) },
        errors: known.map { $0.summary[.macroF1]?.sampleSD ?? 0 }, color: index)
    }
    let ticks = fractions.map { Tick(value: $0, label: "\(percent($0)) %") }
    let panel = LinePanels.Panel(
      title: "", xTitle: "part of the train groups", yTitle: "macro F1", isLogarithmic: true,
      xTicks: ticks, yDomain: 0...1, lines: lines, hasMarkers: true)
    let figure = LinePanels(panels: [panel]).figure(
      id: "few-shot", title: "Macro F1 by the part that is learned from",
      alternative:
        "Lines of macro F1 over the part of the train groups, one for each of \(names.count): by \(subject).")
    let rows = names.flatMap { name in
      evaluation.runs.filter { $0.name == name }.sorted { $0.fraction < $1.fraction }.map { run in
        let counts = run.folds.map(\.trainCount)
        let count = counts.isEmpty ? "–" : grouped(counts.reduce(0, +) / counts.count)
        return [name, "\(percent(run.fraction)) %", count, described(run, .macroF1)]
      }
    }
    let table = PageTable(
      "macro F1 by part",
      [.text(subject), .number("part"), .number("train samples, mean"), .number("macro F1")],
      rows: rows)
    return PageSection(
      id: "few-shot", heading: "Learning from less",
      items: [
        .figure(
          figure,
          caption:
            "Heads are trained on a part of each fold's train groups and tested on the whole fold; bands are "
            + "± one sample standard deviation over folds, cut at 1. The horizontal axis is logarithmic."),
        .table(table),
      ])
  }

  /// A part in percent, with no more digits than it has.
  private static func percent(_ fraction: Double) -> String {
    let places = [0, 1, 2].first { places in
      let scaled = fraction * [100, 1000, 10000][places]
      return abs(scaled - scaled.rounded()) < 1e-6
    }
    return decimal(fraction * 100, places: places ?? 3)
  }
}
