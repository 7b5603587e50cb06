import Plots
import Training

extension PrintedReport {
  /// What was evaluated, and how well each space did: the figure that a paper would show first.
  static func summary(of evaluation: Evaluation) -> PageSection {
    var items: [PageItem] = [.facts(facts(of: evaluation))]
    let notes = evaluation.warnings + evaluation.partialMetrics
    if !notes.isEmpty { items.append(.notes(notes)) }
    items.append(.figure(barChart(of: evaluation), caption: barCaption(of: evaluation)))
    items.append(.table(scoreTable(of: evaluation)))
    if !evaluation.comparisons.isEmpty { items.append(.table(comparisonTable(of: evaluation))) }
    return PageSection(id: "summary", heading: "Summary", items: items)
  }

  private static func facts(of evaluation: Evaluation) -> [(name: String, value: String)] {
    let samples = evaluation.samples
    let cellCount = samples.reduce(0) { $0 + $1.cellCount }
    let pooling = evaluation.runs.first?.configuration.attention.map {
      "attention of \($0.width) gates over"
    }
    let cells = cellCount == samples.count ? "" : ", \(pooling ?? "means of") \(grouped(cellCount)) cells"
    let groups = evaluation.groupCount ?? 0
    let map = evaluation.labelMap.map { " through the map \($0)" } ?? ""
    var facts = [
      (name: "labels", value: "\(evaluation.labelField)\(map), \(evaluation.classes.count) classes"),
      (
        "task",
        evaluation.task == .single
          ? "one label a sample, the likeliest class is predicted"
          : "several labels a sample, each class is predicted above its threshold"
      ),
      ("samples", "\(grouped(samples.count)), each a \(evaluation.sampleUnit)\(cells)"),
      ("split", evaluation.splitting + (groups > 0 ? ", \(grouped(groups)) groups" : "")),
      ("validation", validation(of: evaluation)),
      ("absent classes", absentClasses(evaluation.design.absentClasses)),
      ("seed", "\(evaluation.design.seed)"), ("fingerprint of samples and labels", evaluation.fingerprint),
    ]
    if let training = evaluation.runs.first?.configuration, evaluation.task == .single {
      let limit = decimal(Double(training.abstainBelow), places: 3)
      facts.insert(
        (
          "abstention",
          training.abstainBelow > 0
            ? "below a probability of \(limit), which counts as predicting none of the classes"
            : "none: the likeliest class is always predicted"
        ), at: 2)
    }
    facts.insert(
      ("head", heads(of: evaluation).joined(separator: "; ")), at: evaluation.task == .single ? 3 : 2)
    if let training = evaluation.runs.lazy.map(\.configuration).first(where: { $0.neighbors == nil }) {
      var loss = training.loss.kind.rawValue
      if case .softmax(_, let smoothing) = training.loss, smoothing > 0 {
        loss += ", labels smoothed by \(decimal(Double(smoothing), places: 2))"
      }
      facts.insert(("loss", loss), at: 2)
    }
    return facts
  }

  /// What each kind of heads is.
  private static func heads(of evaluation: Evaluation) -> [String] {
    unique(
      evaluation.runs.map { run in
        if let neighbors = run.configuration.neighbors {
          return neighbors.explanation + ", nothing is trained"
        }
        let hidden = run.configuration.architecture.hidden
        let layers =
          hidden.isEmpty ? "linear" : "hidden layers of " + hidden.map(String.init).joined(separator: ", ")
        return "\(layers), at most \(run.configuration.epochs) epochs"
      })
  }

  /// What is held back to tune heads on, and what for.
  static func validation(of evaluation: Evaluation) -> String {
    let share = evaluation.design.validationShare
    guard share > 0 else { return "none: nothing is tuned, and all train groups teach" }
    let uses = evaluation.reasonsForValidation
    let use =
      uses.isEmpty ? "held back, though nothing was tuned on them" : "for \(uses.joined(separator: ", "))"
    return "\(decimal(share * 100, places: 0)) % of each fold's train groups, \(use)"
  }

  private static func absentClasses(_ rule: AbsentClasses) -> String {
    switch rule {
    case .skip: "left out of means over classes"
    case .zero: "count as 0 in means over classes"
    case .one: "count as 1 in means over classes where they are not predicted"
    }
  }

  /// Groups and series of the bars: backbones and strategies, where these tell the spaces apart, or spaces and heads.
  private static func barChart(of evaluation: Evaluation) -> Figure {
    let runs = evaluation.fullRuns
    let pairs = runs.map { "\($0.space.backbone ?? "")\n\($0.space.strategy ?? "")" }
    let isMatrix = Set(pairs).count == runs.count && runs.allSatisfy { $0.space.backbone != nil }
    func group(_ run: Evaluation.Run) -> String { isMatrix ? run.space.backbone ?? "" : run.space.name }
    func member(_ run: Evaluation.Run) -> String {
      isMatrix ? run.space.strategy ?? "" : run.head ?? "macro F1"
    }
    let groups = unique(runs.map(group))
    let series = unique(runs.map(member))
    let bars = groups.map { name in
      series.map { series in runs.first { group($0) == name && member($0) == series }.flatMap(bar) }
    }
    let chart = GroupedBars(groups: groups, series: series, bars: bars, yTitle: "macro F1")
    let words = runs.map { "\($0.name): \(described($0, .macroF1))" }.joined(separator: "; ")
    let subject =
      isMatrix ? "backbone and strategy" : evaluation.comparesHeads ? "space and head" : "space"
    return chart.figure(
      id: "summary", title: "Macro F1 by \(subject)",
      alternative: "Bars of macro F1, mean ± sample standard deviation over folds. \(words).")
  }

  /// nil where macro F1 is undefined.
  private static func bar(_ run: Evaluation.Run) -> GroupedBars.Bar? {
    let values = run.folds.compactMap { $0.values[.macroF1] }
    return run.summary[.macroF1].map { summary in
      GroupedBars.Bar(
        mean: summary.mean, error: summary.sampleSD, values: values.count <= 30 ? values : [])
    }
  }

  private static func barCaption(of evaluation: Evaluation) -> String {
    "Mean over test folds (\(evaluation.splitting)); error bars are ± one sample standard deviation, dots single folds. "
      + "Scores of other splits, or of another grouping, cannot be compared with these."
  }

  private static let tableMetrics: [Metric] = [
    .macroF1, .accuracy, .balancedAccuracy, .cohenKappa, .matthews, .microF1, .weightedF1, .macroAUROC,
    .macroAveragePrecision, .macroMatthews, .subsetAccuracy, .hammingLoss, .brier, .calibrationError,
  ]

  private static func scoreTable(of evaluation: Evaluation) -> PageTable {
    let runs = evaluation.fullRuns
    let abstains = runs.contains { $0.configuration.abstainBelow > 0 }
    let metrics = (tableMetrics + (abstains ? Metric.ofAbstention : [])).filter { metric in
      runs.contains { $0.summary[metric] != nil }
    }
    let hasIntervals = runs.contains { $0.macroF1Interval != nil }
    // A line for each score: spaces are few, scores are many.
    func line(_ name: String, _ value: (Evaluation.Run) -> String) -> [String] { [name] + runs.map(value) }
    let ofSpaces = [
      line("backbone") { $0.space.backbone ?? "imported" }, line("strategy") { $0.space.strategy ?? "–" },
      line("dimension") { "\($0.space.dimension)" },
    ]
    let testNames =
      runs.contains { $0.space.testName != nil }
      ? [line("name in \(evaluation.testDatabase ?? "the other database")") { $0.space.nameWhereTested }] : []
    let ofScores = metrics.map { metric in line(metric.words) { described($0, metric) } }
    let population = line("population SD of macro F1") { run in
      run.summary[.macroF1]?.populationSD.map { decimal($0, places: 4) } ?? "–"
    }
    let intervals = hasIntervals ? [line("interval of pooled macro F1") { interval($0.macroF1Interval) }] : []
    return PageTable(
      "scores, mean ± sample SD over folds, \(evaluation.grouping)",
      [.text("space")] + runs.map { .number($0.name) },
      rows: ofSpaces + testNames + ofScores + [population] + intervals, isFolded: false)
  }

  private static func comparisonTable(of evaluation: Evaluation) -> PageTable {
    func p(_ value: Double?) -> String {
      value.map { $0 < 0.0001 ? "< 0.0001" : decimal($0, places: 4) } ?? "–"
    }
    func name(_ index: Int) -> String {
      let run = evaluation.runs[index]
      let isPart = run.fraction < 1
      return run.name + (isPart ? " (\(decimal(run.fraction * 100, places: 1)) %)" : "")
    }
    return PageTable(
      "paired comparisons of macro F1",
      [
        .text("first"), .text("second"), .number("mean difference"), .number("interval"),
        .number("p, corrected t"), .number("the same, Holm"), .number("p, Wilcoxon"),
      ],
      rows: evaluation.comparisons.map { comparison in
        [
          name(comparison.first), name(comparison.second), decimal(comparison.meanDifference, places: 4),
          interval(comparison.interval), p(comparison.correctedT), p(comparison.correctedTHolm),
          p(comparison.wilcoxon),
        ]
      })
  }

  private static func interval(_ interval: Evaluation.Interval?) -> String {
    guard let interval else { return "–" }
    return "\(decimal(interval.lower, places: 3)) to \(decimal(interval.upper, places: 3))"
      + " (\(decimal(interval.level * 100, places: 0)) %)"
  }

  /// "0.822 ± 0.006"; a dash where there is no value.
  static func described(_ run: Evaluation.Run, _ metric: Metric) -> String {
    guard let summary = run.summary[metric], summary.mean.isFinite else { return "–" }
    let deviation = summary.sampleSD.map { " ± \(decimal($0, places: 4))" } ?? ""
    return decimal(summary.mean, places: 4) + deviation
  }

  private static func unique(_ names: [String]) -> [String] {
    names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
