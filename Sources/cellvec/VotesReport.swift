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
      ("space", .text(space)), ("labels", .text(labels)),
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

  private var scores: Report {
    Report(
      [
        "k", Column("macro_f1", decimals: 3), Column("micro_f1", decimals: 3),
        "cells_without_prediction",
      ],
      rows: votes.results.map {
        [
          .integer($0.k), .real($0.scores.macroF1), .real($0.scores.microF1),
          .integer($0.scores.emptyPredictions),
        ]
      })
  }
}

/// The same as one JSON object, with the scores of each class.
private struct VotesDocument: Encodable {
  struct Result: Encodable {
    let k: Int
    let macroF1: Double
    let microF1: Double
    let scores: Scores
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
    recall = report.votes.indexUse?.recall
    agreeingCells = report.votes.indexUse?.agreeing
    cellsComparedWithAll = report.votes.indexUse?.compared
    results = report.votes.results.map {
      Result(k: $0.k, macroF1: $0.scores.macroF1, microF1: $0.scores.microF1, scores: $0.scores)
    }
  }
}
