import Training

/// What `train` says: how heads did, and on what.
struct TrainingReport {
  let outcome: TrainingOutcome
  let plan: TrainingPlan
  let space: String
  /// Name of the head that was kept; nil when none was.
  let head: String?

  init(of outcome: TrainingOutcome, plan: TrainingPlan, space: String, head: String?) {
    self.outcome = outcome
    self.plan = plan
    self.space = space
    self.head = head
  }

  /// Scores are only comparable between groupings of the same name, so it stands beside each.
  var grouping: String {
    plan.grouping.name.map { "grouped by \($0)" } ?? "UNGROUPED"
  }

  func write(as format: OutputFormat) throws {
    if format == .json { return try StandardOutput.writeJSON(TrainingDocument(self)) }
    let table = (format == .table ? classes : classesWithMacroF1).lines(
      as: format, isBold: Terminal.current.hasStyle)
    try StandardOutput.write(lines: format == .table ? summary.lines() + [""] + table + notes : table)
  }

  private var summary: Card {
    let samples = outcome.samples
    let groups = outcome.groupCount.map { " in \($0) groups" } ?? ""
    let classes = "\(groups), \(outcome.classCount) classes"
    var entries: [(String, Value)] = [
      ("space", .text(space)), ("labels", .text(plan.labelField)),
      ("task", .text(outcome.configuration.task.explanation)),
      outcome.brought.map { brought in
        let cells = "\(plan.pooling) \(brought.cellCount) cells of each \(plan.unit.name)"
        return ("samples", .text("\(brought.sampleCount) (\(cells))\(classes)"))
      } ?? ("cells", .text("\(samples.rows.count)\(classes)")),
      ("left out", .text(samples.leftOut(plan.grouping) + withoutSample)),
    ]
    if let neighbors = outcome.configuration.neighbors {
      entries.append(("neighbors", .text(neighbors.explanation)))
    }
    if outcome.configuration.abstainBelow > 0 {
      entries.append(
        ("abstention", .text(ClassificationTask.abstention(below: outcome.configuration.abstainBelow))))
    }
    entries += outcome.evaluation.spreads.map { score in
      (score.name, .text(score.spread.map { described($0, over: score.folds) } ?? score.undefined))
    }
    if let head { entries.append(("head", .text(head))) }
    return Card(entries)
  }

  private var withoutSample: String {
    let count = outcome.withoutSampleCount
    return count > 0 ? ", \(count) without \(plan.unit.name)" : ""
  }

  private func described(_ score: Spread, over folds: String) -> String {
    func text(_ number: Double) -> String { fixed(number, decimals: 3) }
    var deviations = ""
    if let sample = score.sampleSD, let population = score.populationSD {
      deviations = " ± \(text(sample)) sample SD (± \(text(population)) population SD)"
    }
    return "\(text(score.mean))\(deviations), \(folds), \(grouping)"
  }

  /// Scores of every class over all cells, or samples of several, each predicted by the head that had not seen it.
  private var classes: Report {
    Report(
      [
        "class", outcome.brought == nil ? "cells" : "samples", Column("precision", decimals: 3),
        Column("recall", decimals: 3),
        Column("f1", decimals: 3), Column("auroc", decimals: 3), Column("average_precision", decimals: 3),
      ],
      rows: outcome.validation.pooled.perClass.map {
        [
          .text($0.className), .integer($0.support), .real($0.precision), .real($0.recall), .real($0.f1),
          .real($0.auroc), .real($0.averagePrecision),
        ]
      })
  }

  /// The same with the mean over folds in each line, for readers of delimited text, who have no summary.
  private var classesWithMacroF1: Report {
    let score = outcome.evaluation.macroF1
    return Report(
      classes.columns + ["macro_f1", "macro_f1_sample_sd", "macro_f1_population_sd"],
      rows: classes.rows.map { $0 + [.real(score.mean), .real(score.sampleSD), .real(score.populationSD)] })
  }

  private var notes: [String] {
    let warnings = outcome.warnings.map { "warning: \($0)" }
    return warnings.isEmpty ? [] : [""] + warnings
  }
}

extension TrainingPlan {
  fileprivate var pooling: String {
    configuration.attention == nil ? "means of the" : "attention over the"
  }
}

extension TrainingOutcome {
  /// What to say where more neighbors are asked for than there are.
  var adviceOfNeighbors: String? {
    configuration.neighbors?.advice(voters: validation.folds.map(\.trainCount))
  }
}

extension Evaluation {
  /// The same of the runs.
  var adviceOfNeighbors: String? {
    runs.lazy.compactMap { $0.configuration.neighbors?.advice(voters: $0.folds.map(\.trainCount)) }.first
  }
}

extension NeighborConfiguration {
  /// - Parameter voters: how many each fold has.
  fileprivate func advice(voters: [Int]) -> String? {
    guard let most = counts.last, let fewest = voters.min(), most > fewest else { return nil }
    return "--neighbors \(most): a fold has \(fewest) samples that may vote, and then all of them do"
  }
}

extension ClassificationTask {
  /// What is predicted, for those who did not ask for it.
  var explanation: String {
    switch self {
    case .single: "single: one label a cell, the likeliest class is predicted"
    case .multi: "multi: several labels a cell, each class is predicted above its threshold"
    }
  }

  /// When a head abstains, and what that counts as.
  static func abstention(below probability: Float) -> String {
    "below \(probability), which counts as predicting none of the classes"
  }
}

/// A score of cross-validation, by the name that people give it.
struct NamedSpread {
  let name: String
  /// nil where no fold has it, and of a kept head where a single one has it.
  let spread: Spread?
  /// The folds that it is the mean of.
  let folds: String
  /// What stands in its place.
  let undefined: String

  /// - Parameters:
  ///   - missing: folds that do not have it.
  ///   - need: what so many folds lack.
  init(_ name: String, _ spread: Spread?, folds: Int, missing: Int = 0, need: (Int) -> String = { _ in "" }) {
    self.name = name
    self.spread = spread
    let others = missing == 1 ? "the other" : "the others"
    self.folds =
      missing == 0
      ? "\(folds) folds" : "\(folds - missing) of \(folds) folds (\(others) \(need(missing)))"
    if missing > 0, folds - missing == 1 {
      undefined = "not kept, \(self.folds)"
    } else {
      undefined = missing == 0 ? "undefined" : "undefined: \(missing) of \(folds) folds \(need(missing))"
    }
  }
}

extension HeadEvaluation {
  /// Means over the folds that have the score, as of `evaluate`.
  var spreads: [NamedSpread] {
    func named(_ name: String, _ spread: Spread?, missing: Int? = nil, need: Metric? = nil) -> NamedSpread {
      NamedSpread(name, spread, folds: folds, missing: missing ?? 0) { need?.need($0) ?? "" }
    }
    guard let accuracy else { return [named("macro F1", macroF1), named("micro F1", microF1)] }
    let scores = [
      named("macro F1", macroF1), named("accuracy", accuracy), named("balanced accuracy", balancedAccuracy),
      named("Cohen's kappa", cohenKappa, missing: oneClassFoldCount, need: .cohenKappa),
      named("Matthews", matthews, missing: oneClassFoldCount, need: .matthews),
    ]
    guard let coverage else { return scores }
    return scores + [
      named("coverage", coverage),
      named(
        "accuracy of the decided", decidedAccuracy, missing: undecidedFoldCount, need: .decidedAccuracy),
      named("macro F1 of the decided", decidedMacroF1, missing: undecidedFoldCount, need: .decidedMacroF1),
    ]
  }
}

extension DatabaseSamples {
  /// The cells that were left out, and why.
  func leftOut(_ grouping: FoldGrouping) -> String {
    let ungrouped = ungroupedCount > 0 ? ", \(ungroupedCount) without \(grouping.name ?? "group")" : ""
    return "\(unlabeledCount) cells without label\(ungrouped)"
  }
}

/// The same as one JSON object.
private struct TrainingDocument: Encodable {
  let space: String
  let labelField: String
  let task: ClassificationTask
  let sampleUnit: String
  let sampleCount: Int
  let cellCount: Int
  let groupCount: Int?
  let cellsWithoutLabel: Int
  let cellsWithoutGroup: Int
  let cellsWithoutSample: Int
  let configuration: TrainingConfiguration
  /// Folds, grouping, and scores of each class with their counts.
  let evaluation: HeadEvaluation
  let foldMacroF1: [Double]
  let foldMicroF1: [Double]
  let warnings: [String]
  let head: String?

  init(_ report: TrainingReport) {
    space = report.space
    labelField = report.plan.labelField
    task = report.outcome.configuration.task
    let samples = report.outcome.samples
    sampleUnit = report.plan.unit.name
    sampleCount = report.outcome.sampleCount
    cellCount = report.outcome.cellCount
    groupCount = report.outcome.groupCount
    cellsWithoutLabel = samples.unlabeledCount
    cellsWithoutGroup = samples.ungroupedCount
    cellsWithoutSample = report.outcome.withoutSampleCount
    configuration = report.outcome.configuration
    evaluation = report.outcome.evaluation
    foldMacroF1 = report.outcome.validation.folds.map(\.scores.macroF1)
    foldMicroF1 = report.outcome.validation.folds.map(\.scores.microF1)
    warnings = report.outcome.warnings
    head = report.head
  }
}
