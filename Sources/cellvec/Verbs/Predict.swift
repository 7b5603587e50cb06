import ArgumentParser
import Faults
import Storage
import Training

extension EmptyPrediction: ExpressibleByArgument {}

/// `cellvec predict`: labels from a trained head.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "predict",
    abstract: "Predict the labels of cells with a trained head, and store them as metadata.",
    discussion: """
      A head that was trained on the field localization writes the list field
      predicted_localization and, for each class, the number field
      probability_localization_<class>. A head of one label a cell writes the text
      field predicted_<labels> and the number field probability_<labels>.

      Where samples have several cells (train --sample), each cell gets what is
      predicted for its sample: select the same cells as in training.

      Heads of the same labels write the same fields: the later one replaces what
      the earlier one has predicted, unless its fields were renamed.

      Of the cells of an image that is not in the database (--image), predictions go
      to stdout, and nothing is stored. A table shows the likeliest classes, --csv
      and --json the probability of each. More: cellvec predict --help-hidden.

      Examples:
        cellvec predict --db lab.cellvec --head loc-v1 --empty top1
        cellvec predict --db lab.cellvec --head loc-v1 --image dna=d.png er=e.png
      """)

  @OptionGroup var database: DatabaseOptions
  @Option(help: ArgumentHelp("Head to predict with; cellvec heads list names them.", valueName: "name"))
  var head: String
  @OptionGroup var image: ImageOptions
  @OptionGroup var selection: WhereOptions
  @Option(help: ArgumentHelp("Predict classes above this probability.", valueName: "p"))
  var threshold: Float?
  @Option(
    help: ArgumentHelp(
      "Of one label a cell, predict none where the likeliest is less probable.", valueName: "p"))
  var abstainBelow: Float?
  @Option(
    help: ArgumentHelp(
      "What cells without a class get: no label (keep), the nearest (top1) or unknown.", valueName: "way"))
  var empty = EmptyPrediction.keep
  @OptionGroup var space: SpaceOptions
  @OptionGroup(visibility: .hidden) var threads: ThreadOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if image.isGiven && selection.isGiven {
      throw ValidationError("--where chooses cells of the database: it goes without --image")
    }
  }

  func run() throws {
    if image.isGiven { return try predictForImage() }
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let (prediction, rows) = try writer.database.read { snapshot in
      (try self.prediction(of: snapshot), try selection.rows(in: snapshot))
    }
    Interruption.listen()
    let progress = ProgressLine(counting: "cells", of: nil, isQuiet: talk.quiet)
    let counts = try prediction.write(to: writer, among: rows) {
      progress.update(done: $0)
      try Interruption.check()
    }
    progress.finish()
    let replaced = writer.replacedCellCount
    let unlabelled = empty == .keep ? counts.empty : 0
    let report = Report(
      ["label", "cells"],
      rows: counts.perClass.map { [.text($0.name), .integer($0.cells)] }
        + (unlabelled > 0 ? [[.text(nil), .integer(unlabelled)]] : []))
    try StandardOutput.write(report, as: output.format)
    let names =
      [prediction.predictionField] + (prediction.task == .single ? [prediction.probabilityField] : [])
      + [prediction.attentionField].compactMap(\.self)
    talk.say(
      "wrote \(names.joined(separator: " and ")) of \(counts.cells) cells, \(counts.empty) \(outcome)")
    if replaced > 0 {
      talk.say(
        "replaced other predictions of \(replaced) cells; to keep such, rename their fields before, with cellvec fields"
      )
    }
    if counts.withoutSample > 0 {
      talk.say("left out \(counts.withoutSample) cells without \(prediction.unit.name)")
    }
    switch counts.trained {
    case nil: talk.say("the head does not say which cells of this database it was trained on")
    case 0: break
    case let trained?:
      let how = prediction.isTuned ? "trained or tuned" : "trained"
      talk.say(
        prediction.hasVoters
          ? "the head has \(trained) of these cells: each has no vote on itself, the others of its group have"
          : "the head was \(how) on \(trained) of these cells: it is likely to be right about them")
    }
  }

  private func prediction(of snapshot: borrowing Snapshot) throws -> DatabasePrediction {
    let prediction = try DatabasePrediction(
      headNamed: head, threshold: threshold, abstainBelow: abstainBelow, empty: empty,
      isStored: !image.isGiven, threads: threads.count, snapshot: snapshot)
    if space.name != nil { try prediction.require(space.resolve(in: snapshot)) }
    return prediction
  }

  /// Predicts for the cells of an image that is not in the database.
  private func predictForImage() throws {
    let report = try database.open().read { snapshot in
      let prediction = try self.prediction(of: snapshot)
      let cells = try image.read(in: prediction.space, threads: threads.count)
      return try ImagePredictions(prediction, of: cells).report(forReading: output.format == .table)
    }
    try StandardOutput.write(report, as: output.format)
  }

  /// What became of cells without a class.
  private var outcome: String {
    switch empty {
    case .keep: "without a label"
    case .top1: "of them the label nearest to its threshold"
    case .unknown: "of them \"\(DatabasePrediction.unknownLabel)\""
    }
  }
}
