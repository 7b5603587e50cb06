import Training

/// What `knn` says: how well neighbors vote, and on what.
struct VotesReport {
  let votes: NeighborVotes
  let samples: DatabaseSamples
  let space: String
  let labels: String
  let grouping: FoldGrouping
  let temperature: Double

  func write(as format: OutputFormat) throws {
    if format == .json { return try StandardOutput.writeJSON(VotesDocument(self)) }
    let table = scores.lines(as: format, isBold: Terminal.current.hasStyle)
    try StandardOutput.write(lines: format == .table ? summary.lines() + [""] + table : table)
  }

  private var summary: Card {
    let use = votes.indexUse.map {
      "through the index, recall \($0.recall); \($0.agreeing) of \($0.compared) cells are predicted as by comparing all"
    }
    let groups = samples.groupCount.map { " in \($0) groups" } ?? ""
    return Card([
      ("space", .text(space)), ("labels", .text(labels)), ("task", .text(task)),
      ("cells", .text("\(samples.rows.count)\(groups), \(samples.labels.classes.count) classes")),
      ("left out", .text(samples.leftOut(grouping))),
      ("neighbors", .text("\(grouping.name.map { "of another \($0)" } ?? "of all cells, UNGROUPED")")),
      ("found", .text(use ?? "by comparing all")),
      (
        "predicted",
        .text(votes.rule == .best ? "the class of most weight" : "classes with more than half of the weight")
      ),
    ])
  }

  private var task: String {
    switch votes.rule.task {
    case .single: "single: one label a cell"
    case .multi: "multi: several labels a cell"
    }
  }

  private var scores: Report {
    let metrics: [(name: String, metric: Metric)] =
      switch votes.rule.task {
      case .single:
        [
          ("macro_f1", .macroF1), ("accuracy", .accuracy), ("balanced_accuracy", .balancedAccuracy),
          ("cohen_kappa", .cohenKappa), ("matthews", .matthews),
        ]
      case .multi: [("macro_f1", .macroF1), ("micro_f1", .microF1)]
      }
    return Report(
      ["k"] + metrics.map { Column($0.name, decimals: 3) } + ["cells_without_prediction"],
      rows: votes.results.map { result in
        [.integer(result.k)] + metrics.map { .real(result.scores.value(of: $0.metric)) }
          + [.integer(result.scores.emptyPredictions)]
      })
  }
}

/// The same as one JSON object, with the scores of each class.
private struct VotesDocument: Encodable {
  struct Result: Encodable {
    let k: Int
    let macroF1: Double
    let microF1: Double
    /// Of one label a cell; absent of several.
    let accuracy: Double?
    let balancedAccuracy: Double?
    let cohenKappa: Double?
    let matthews: Double?
    let scores: Scores

    init(_ result: NeighborVotes.Result) {
      (k, scores) = (result.k, result.scores)
      (macroF1, microF1) = (result.scores.macroF1, result.scores.microF1)
      func single(_ metric: Metric) -> Double? {
        result.scores.task == .single ? result.scores.value(of: metric) : nil
      }
      accuracy = single(.accuracy)
      balancedAccuracy = single(.balancedAccuracy)
      cohenKappa = single(.cohenKappa)
      matthews = single(.matthews)
    }
  }

  let space: String
  let labels: String
  let cells: Int
  let groups: Int?
  let group: String?
  let cellsWithoutLabel: Int
  let cellsWithoutGroup: Int
  let temperature: Double
  let rule: NeighborVotes.Rule
  let task: ClassificationTask
  /// Absent where all cells were compared.
  let recall: Double?
  let agreeingCells: Int?
  let cellsComparedWithAll: Int?
  let results: [Result]

  init(_ report: VotesReport) {
    space = report.space
    labels = report.labels
    cells = report.samples.rows.count
    groups = report.samples.groupCount
    group = report.grouping.name
    cellsWithoutLabel = report.samples.unlabeledCount
    cellsWithoutGroup = report.samples.ungroupedCount
    temperature = report.temperature
    rule = report.votes.rule
    task = report.votes.rule.task
    recall = report.votes.indexUse?.recall
    agreeingCells = report.votes.indexUse?.agreeing
    cellsComparedWithAll = report.votes.indexUse?.compared
    results = report.votes.results.map(Result.init)
  }
}
