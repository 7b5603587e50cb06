import Training

/// What `evaluate` says: how heads of each space did, and which differences are more than chance.
struct EvaluationReport {
  private let evaluation: Evaluation
  private let leftOut: EvaluationOutcome.LeftOut

  init(_ outcome: EvaluationOutcome) {
    evaluation = outcome.evaluation
    leftOut = outcome.leftOut
  }

  func write(as format: OutputFormat) throws {
    if format == .json { return try StandardOutput.writeJSON(EvaluationDocument(evaluation, leftOut)) }
    let isBold = Terminal.current.hasStyle
    guard format == .table else { return try StandardOutput.write(lines: allScores.lines(as: format)) }
    var parts = [summary.lines(), scores.lines(as: .table, isBold: isBold)]
    if abstainBelow > 0 { parts.append(abstention.lines(as: .table, isBold: isBold)) }
    if !evaluation.comparisons.isEmpty { parts.append(comparisons.lines(as: .table, isBold: isBold)) }
    parts.append(classes.lines(as: .table, isBold: isBold))
    let notes = evaluation.partialMetrics.map { "note: \($0)" }
    if !notes.isEmpty { parts.append(notes) }
    if !evaluation.warnings.isEmpty { parts.append(evaluation.warnings.map { "warning: \($0)" }) }
    try StandardOutput.write(lines: Array(parts.joined(separator: [""])))
  }

  // MARK: What was evaluated

  private var summary: Card {
    let cells = evaluation.samples.reduce(0) { $0 + $1.cellCount }
    let unit = evaluation.sampleUnit
    let samples =
      unit == SampleUnit.cellWord
      ? "\(cells) cells" : "\(evaluation.samples.count) (\(pooling) the \(cells) cells of each \(unit))"
    let groups = evaluation.groupCount.map { " in \($0) groups" }
    let entries: [(String, Value)] = [
      (
        "labels",
        .text(evaluation.labelField + (evaluation.labelMap.map { " by the map \($0)" } ?? ""))
      ),
      ("task", .text(task.explanation)), ("loss", .text(lossName)),
      ("neighbors", .text(neighbors)),
      (
        "abstention",
        .text(
          task == .multi
            ? nil : abstainBelow > 0 ? ClassificationTask.abstention(below: abstainBelow) : "none")
      ),
      ("samples", .text("\(samples)\(groups ?? ""), \(evaluation.classes.count) classes")),
      ("left out", .text(leftOutText)),
      (
        "split",
        .text("\(scheme), \(evaluation.groupField.map { "grouped by \($0)" } ?? "UNGROUPED")\(sharedGroups)")
      ),
      ("validation", .text(validation)),
      (
        "absent classes",
        .text(
          evaluation.design.absentClasses == .skip
            ? "left out of means over classes"
            : "count \(evaluation.design.absentClasses.rawValue) in means over classes")
      ),
      (
        "spread",
        .text("sample_sd divides by folds - 1, population_sd by folds; 95 % intervals draw groups anew")
      ),
    ]
    let left = [
      task == .multi ? "abstention" : nil, lossName == nil ? "loss" : nil,
      neighbors == nil ? "neighbors" : nil,
    ]
    return Card(entries.filter { !left.contains($0.0) })
  }

  /// Of heads that are trained; nil where none is.
  private var lossName: String? {
    evaluation.runs.first { $0.configuration.neighbors == nil }?.configuration.loss.kind.rawValue
  }

  /// nil where none vote.
  private var neighbors: String? {
    evaluation.runs.lazy.compactMap(\.configuration.neighbors).first?.explanation
  }

  /// The probability below which nothing is predicted; 0 where something always is.
  private var abstainBelow: Float { evaluation.runs.first?.configuration.abstainBelow ?? 0 }

  private var pooling: String {
    evaluation.runs.first?.configuration.attention == nil ? "means of" : "attention over"
  }

  private var leftOutText: String {
    let parts = [
      (leftOut.withoutLabel, "without label"), (leftOut.withoutVector, "not in every space"),
      (leftOut.withoutGroup, "without \(evaluation.groupField ?? "group")"),
      (leftOut.withoutSample, "without \(evaluation.sampleUnit)"),
    ].filter { $0.0 > 0 }
    return parts.isEmpty ? "no cells" : parts.map { "\($0.0) cells \($0.1)" }.joined(separator: ", ")
  }

  private var scheme: String {
    let design = evaluation.design
    let folds = (evaluation.testFolds.first?.max() ?? 0) + 1
    switch design.scheme {
    case .folds: return "\(folds) folds" + (design.repeats > 1 ? ", \(design.repeats) times" : "")
    case .leaveOneGroupOut: return "one of \(folds) groups left out at a time"
    case .transfer:
      let tested = evaluation.testFolds[0].count { $0 >= 0 }
      let place = evaluation.testDatabase.map { " of \($0)" } ?? ""
      return "\(evaluation.samples.count - tested) samples teach, \(tested)\(place) test"
    }
  }

  /// Groups that are learned from and tested on.
  private var sharedGroups: String {
    evaluation.sharedGroups.map { ", \($0.shared) of \($0.tested) tested groups LEARNED FROM, TOO" } ?? ""
  }

  private var validation: String {
    let share = evaluation.design.validationShare
    let tuned = evaluation.reasonsForValidation
    if share == 0 { return "none: nothing is tuned, and all train groups teach" }
    return "\(Value.real(share).plain) of the train groups"
      + (tuned.isEmpty ? ", though nothing is tuned on them" : ", for \(tuned.joined(separator: ", "))")
  }

  private var task: ClassificationTask { evaluation.task ?? .multi }

  // MARK: Scores

  private var hasFractions: Bool { evaluation.design.fractions != [1] }

  /// What tells runs apart.
  private var namingColumns: [Column] {
    ["space"] + (evaluation.comparesHeads ? ["head"] : []) + (hasFractions ? ["fraction"] : [])
  }

  private func names(of run: Evaluation.Run) -> [Value] {
    [.text(run.space.name)] + (evaluation.comparesHeads ? [.text(run.head)] : [])
      + (hasFractions ? [.real(run.fraction)] : [])
  }

  /// The scores that fit a terminal.
  private var scores: Report {
    scores(
      withSpreadOf: [.macroF1],
      metrics: task == .single
        ? [.accuracy, .balancedAccuracy, .cohenKappa, .matthews, .macroAUROC]
        : [.microF1, .macroAUROC, .macroAveragePrecision], decimals: 3)
  }

  /// Every score.
  private var allScores: Report {
    scores(withSpreadOf: Metric.all(of: task), metrics: [], decimals: nil)
  }

  private func scores(withSpreadOf spread: [Metric], metrics: [Metric], decimals: Int?) -> Report {
    var columns = namingColumns
    for metric in spread {
      columns.append(Column(metric.columnName, decimals: decimals))
      let prefix = spread.count > 1 ? "\(metric.columnName)_" : ""
      columns += ["sample_sd", "population_sd"].map { Column(prefix + $0, decimals: decimals) }
      if metric == .macroF1 {
        columns += ["pooled", "pooled_lower", "pooled_upper"].map { Column(prefix + $0, decimals: decimals) }
      }
      if decimals == nil { columns.append(Column(prefix + "folds")) }
    }
    columns += metrics.map { Column($0.columnName, decimals: decimals) }
    return Report(
      columns,
      rows: evaluation.runs.map { run in
        var row = names(of: run)
        for metric in spread {
          let summary = run.summary[metric]
          row += [.real(summary?.mean), .real(summary?.sampleSD), .real(summary?.populationSD)]
          if metric == .macroF1 {
            row += [
              .real(run.pooledMacroF1(absent: evaluation.design.absentClasses)),
              .real(run.macroF1Interval?.lower), .real(run.macroF1Interval?.upper),
            ]
          }
          if decimals == nil { row.append(.integer(summary?.foldCount ?? 0)) }
        }
        return row + metrics.map { .real(run.summary[$0]?.mean) }
      })
  }

  /// Of how many samples something is predicted, and how well.
  private var abstention: Report {
    let metrics = Metric.ofAbstention
    return Report(
      namingColumns
        + metrics.flatMap {
          [Column($0.columnName, decimals: 3), Column("\($0.columnName)_sample_sd", decimals: 3)]
        },
      rows: evaluation.runs.map { run in
        names(of: run)
          + metrics.flatMap { [.real(run.summary[$0]?.mean), .real(run.summary[$0]?.sampleSD)] }
      })
  }

  private var comparisons: Report {
    Report(
      ["first", "second"] + (hasFractions ? ["fraction"] : []) + [
        Column("macro_f1_difference", decimals: 4), Column("lower", decimals: 4),
        Column("upper", decimals: 4),
        Column("p_corrected_t", decimals: 4), Column("p_holm", decimals: 4),
        Column("p_wilcoxon", decimals: 4),
      ],
      rows: evaluation.comparisons.map { comparison in
        let (first, second) = (evaluation.runs[comparison.first], evaluation.runs[comparison.second])
        return [.text(first.name), .text(second.name)]
          + (hasFractions ? [.real(first.fraction)] : []) + [
            .real(comparison.meanDifference), .real(comparison.interval?.lower),
            .real(comparison.interval?.upper), .real(comparison.correctedT), .real(comparison.correctedTHolm),
            .real(comparison.wilcoxon),
          ]
      })
  }

  /// F1 of every class over all predictions of the first repetition, by the space.
  private var classes: Report {
    let runs = evaluation.runs.filter { $0.fraction == evaluation.design.fractions.last }
    return Report(
      ["class", "samples"]
        + runs.map { Column(runs.count > 1 ? "f1_\($0.name)" : "f1", decimals: 3) },
      rows: evaluation.classes.indices.map { index in
        let scores = runs.map { $0.predictions[0].pooled.perClass[index] }
        return [.text(evaluation.classes[index]), .integer(scores.first?.support ?? 0)]
          + scores.map { .real($0.f1) }
      })
  }
}

extension Metric {
  /// "macro_f1" of macroF1.
  fileprivate var columnName: String {
    switch self {
    case .macroF1: "macro_f1"
    case .macroPrecision: "macro_precision"
    case .macroRecall: "macro_recall"
    case .accuracy: "accuracy"
    case .balancedAccuracy: "balanced_accuracy"
    case .cohenKappa: "cohen_kappa"
    case .matthews: "matthews"
    case .microF1: "micro_f1"
    case .weightedF1: "weighted_f1"
    case .macroAUROC: "macro_auroc"
    case .macroAveragePrecision: "macro_average_precision"
    case .macroMatthews: "macro_matthews"
    case .subsetAccuracy: "subset_accuracy"
    case .hammingLoss: "hamming_loss"
    case .brier: "brier"
    case .calibrationError: "calibration_error"
    case .coverage: "coverage"
    case .decidedAccuracy: "decided_accuracy"
    case .decidedMacroF1: "decided_macro_f1"
    }
  }
}

/// The evaluation as one JSON object, without samples and their predictions.
private struct EvaluationDocument: Encodable {
  struct Run: Encodable {
    let space: Evaluation.Space
    let head: String?
    let fraction: Double
    let configuration: TrainingConfiguration
    /// By the names that columns have.
    let summary: [String: Evaluation.MetricSummary]
    let pooledMacroF1: Double?
    let macroF1Interval: Evaluation.Interval?
    let folds: [Fold]
    /// Scores of each class over all predictions, one list a repetition.
    let perClass: [[ClassScore]]
  }

  struct Fold: Encodable {
    let repetition: Int
    let fold: Int
    let trainCount: Int
    let validationCount: Int
    let testCount: Int
    let values: [String: Double]
  }

  let labelField: String
  let labelMap: String?
  let task: ClassificationTask?
  let sampleUnit: String
  let groupField: String?
  let groupCount: Int?
  let testedGroupCount: Int?
  let sharedGroupCount: Int?
  let testDatabase: String?
  let sampleCount: Int
  let cellCount: Int
  let cellsWithoutLabel: Int
  let cellsWithoutGroup: Int
  let cellsWithoutSample: Int
  let cellsWithoutVector: Int
  let classes: [String]
  let design: EvaluationDesign
  let fingerprint: String
  let runs: [Run]
  let comparisons: [Evaluation.Comparison]
  let warnings: [String]

  init(_ evaluation: Evaluation, _ leftOut: EvaluationOutcome.LeftOut) {
    labelField = evaluation.labelField
    labelMap = evaluation.labelMap
    task = evaluation.task
    sampleUnit = evaluation.sampleUnit
    groupField = evaluation.groupField
    groupCount = evaluation.groupCount
    testedGroupCount = evaluation.sharedGroups?.tested
    sharedGroupCount = evaluation.sharedGroups?.shared
    testDatabase = evaluation.testDatabase
    sampleCount = evaluation.samples.count
    cellCount = evaluation.samples.reduce(0) { $0 + $1.cellCount }
    cellsWithoutLabel = leftOut.withoutLabel
    cellsWithoutGroup = leftOut.withoutGroup
    cellsWithoutSample = leftOut.withoutSample
    cellsWithoutVector = leftOut.withoutVector
    classes = evaluation.classes
    design = evaluation.design
    fingerprint = evaluation.fingerprint
    runs = evaluation.runs.map { run in
      Run(
        space: run.space, head: run.head, fraction: run.fraction, configuration: run.configuration,
        summary: named(run.summary),
        pooledMacroF1: run.pooledMacroF1(absent: evaluation.design.absentClasses),
        macroF1Interval: run.macroF1Interval,
        folds: run.folds.map {
          Fold(
            repetition: $0.repetition, fold: $0.fold, trainCount: $0.trainCount,
            validationCount: $0.validationCount, testCount: $0.testCount, values: named($0.values))
        }, perClass: run.predictions.map(\.pooled.perClass))
    }
    comparisons = evaluation.comparisons
    warnings = evaluation.warnings
  }
}

/// Values of metrics by the names that their columns have.
private func named<T>(_ values: [Metric: T]) -> [String: T] {
  Dictionary(uniqueKeysWithValues: values.map { ($0.key.columnName, $0.value) })
}
