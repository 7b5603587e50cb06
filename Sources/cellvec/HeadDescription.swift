import Training

/// What `heads show` says of a head.
struct HeadDescription {
  let name: String
  let summary: HeadSummary
  /// The space that it belongs to.
  let space: String?
  /// How many of the cells that it was trained on this database has; nil when it was trained in another one,
  /// or does not say.
  let trainedHere: Int?

  var lines: [String] { card.lines() + [""] + classes.lines(as: .table, isBold: Terminal.current.hasStyle) }

  private var card: Card {
    var entries: [(String, Value)] = [
      ("head", .text(name)), ("space", .text(space)), ("labels", .text(summary.labelField)),
      ("task", .text(summary.task.explanation)), ("sample", .text(sample)),
      decider,
    ]
    if summary.task == .single {
      entries.append(
        (
          "abstention",
          .text(
            summary.abstainBelow.map { ClassificationTask.abstention(below: $0) }
              ?? "none: the likeliest class is always predicted")
        ))
    }
    if let training = summary.training {
      if summary.neighbors == nil { entries.append(("loss", .text(training.loss.kind.rawValue))) }
      entries.append(("seed", .text(String(training.seed))))
    }
    if let data = summary.data {
      let place = trainedHere.map { "\($0) of them in this database" } ?? "of another database"
      entries.append(
        ("trained on", .text("\(data.trainCells) cells, watched on \(data.validationCells); \(place)")))
      entries.append(("fingerprint", .text(data.fingerprint)))
    }
    if let evaluation = summary.evaluation {
      let grouping = evaluation.groupField.map { "grouped by \($0)" } ?? "UNGROUPED"
      let spreads = summary.task == .single ? evaluation.spreads : Array(evaluation.spreads.prefix(1))
      entries += spreads.map { score in
        guard let spread = score.spread else { return (score.name, .text(score.undefined)) }
        let deviation = spread.sampleSD.map { " ± \(short($0)) sample SD" } ?? ""
        let scores = short(spread.mean) + deviation
        return (score.name, .text("\(scores), \(score.folds), \(grouping)"))
      }
    }
    if let trial = summary.course?.trials.first(where: \.isChosen) {
      let count = summary.course?.trials.count ?? 1
      let of = count > 1 ? ", the best of \(count) pairs" : ""
      entries.append(
        (
          "trained with",
          .text("rate \(trial.learningRate), decay \(trial.weightDecay), epoch \(trial.epoch)\(of)")
        ))
    }
    if let trials = summary.course?.neighborTrials, trials.count > 1 {
      let scores = trials.map { trial in
        "\(trial.neighbors): \(trial.validationMacroF1.map(short) ?? "-")" + (trial.isChosen ? " (kept)" : "")
      }
      entries.append(("chosen by", .text("validation macro F1 of " + scores.joined(separator: ", "))))
    }
    if let report = summary.course?.calibration {
      entries.append(
        (
          "calibration",
          .text(
            "error \(short(report.before.expectedError)) to \(short(report.after.expectedError)), "
              + "Brier \(short(report.before.brier)) to \(short(report.after.brier)), on \(report.samples) cells"
              + (report.partCount.map { ", each corrected by what was fitted to others (\($0) parts)" }
                ?? " that the correction was fitted to, hence too good")
          )
        ))
    }
    return Card(entries)
  }

  private func short(_ number: Double) -> String { fixed(number, decimals: 3) }

  private var sample: String {
    let unit = summary.unit
    guard unit != .cell else { return "a cell" }
    let attention = summary.attentionWidth.map { "the attention of \($0) gates over" }
    return "\(attention ?? "the mean of") the cells of each \(unit.name)"
  }

  /// What makes probabilities of vectors.
  private var decider: (String, Value) {
    if let neighbors = summary.neighbors { return ("neighbors", .text(neighbors.explanation)) }
    return ("layers", .text(layers))
  }

  private var layers: String {
    let widths = [summary.dimension] + summary.architecture.hidden + [summary.classes.count]
    let ensemble = summary.memberCount > 1 ? ", mean of \(summary.memberCount)" : ""
    return widths.map(String.init).joined(separator: " -> ") + ensemble
  }

  /// Thresholds of the head, and the F1 that heads of cross-validation came to with theirs.
  private var classes: Report {
    Report(
      ["class", Column("threshold", decimals: 3), Column("f1_of_folds", decimals: 3)],
      rows: zip(summary.classes, summary.thresholds).map { name, threshold in
        let score = summary.evaluation?.perClass.first { $0.className == name }
        return [.text(name), .real(Double(threshold)), .real(score?.f1)]
      })
  }
}
