import ArgumentParser
import Storage
import Training

/// `cellvec knn`: how well cells are classified by those that look most like them.
struct KNN: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "knn",
    abstract: "Classify cells by their nearest neighbors, and say how well that works.",
    discussion: """
      Each labelled cell is classified by its k nearest labelled cells of other
      groups. A neighbor of similarity s weighs exp(s / temperature). Of one label a
      cell (a string field) the class of most weight is predicted, of several (a
      list) every class with more than half of it. Nothing is stored: train
      --neighbors makes a head of it.

      The neighbors are looked for through the index of the space, if it has all of
      them, where that is estimated to take less time than comparing all; what that
      changes is measured and said.

      Example:
        cellvec knn --db lab.cellvec --labels localization --group gene -k 1,5,20
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var labels: LabelOptions
  @Option(help: ArgumentHelp("One label a cell or several; default by the field's type.", valueName: "task"))
  var task: ClassificationTask?
  @Option(
    name: [.customShort("k", allowingJoined: true), .customLong("neighbors")],
    help: "How many neighbors vote, as in 1,5,20.")
  var counts = NeighborVotes.Defaults.ks.map(String.init).joined(separator: ",")
  @Option(
    help: ArgumentHelp("How fast a neighbor's weight falls with similarity; above 0.", valueName: "number"))
  var temperature = NeighborVotes.Defaults.temperature
  @Option(
    help: ArgumentHelp(
      "Share of the nearest cells to find through the index; 1 compares all.", valueName: "share"))
  var recall = Search.defaultRecall
  @OptionGroup var selection: WhereOptions
  @OptionGroup var space: SpaceOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  private var ks: [Int] { names(in: counts).compactMap(Int.init).filter { $0 > 0 } }

  func validate() throws {
    guard !ks.isEmpty, ks.count == names(in: counts).count else {
      throw ValidationError("-k: expected whole numbers from 1 such as 1,5,20, found \"\(counts)\"")
    }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError("--temperature: expected a number above 0, found \(temperature)")
    }
    if !(recall > 0 && recall <= 1) {
      throw ValidationError("--recall: expected more than 0 and at most 1, found \(recall)")
    }
  }

  func run() throws {
    if let advice = labels.advice { talk.say(advice) }
    Interruption.listen()
    let report = try database.open().read { snapshot in
      if let advice = try labels.adviceOnLists(in: snapshot) { talk.say(advice) }
      let space = try space.resolve(in: snapshot)
      let samples = try DatabaseSamples(
        snapshot: snapshot, space: space, labelField: labels.field, grouping: labels.grouping,
        among: selection.rows(in: snapshot))
      let progress = ProgressLine(counting: "cells", of: samples.rows.count, isQuiet: talk.quiet)
      let votes = try NeighborVotes(
        of: samples, in: space, of: snapshot, ks: ks, rule: NeighborVotes.Rule(samples.task(task)),
        temperature: temperature, recall: recall, threads: threads.count
      ) { count in
        for _ in 0..<count { progress.advance() }
        try Interruption.check(leaving: .nothing)
      }
      progress.finish()
      return VotesReport(
        votes: votes, samples: samples, space: space.name, labels: labels.field, grouping: labels.grouping,
        temperature: temperature)
    }
    try report.write(as: output.format)
  }
}
