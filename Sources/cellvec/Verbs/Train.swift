import ArgumentParser
import Faults
import Storage
import Training

/// `cellvec train`: a classifier on top of vectors, with its scores.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "train", abstract: "Cross-validate a classifier of cells, and keep one with --save.",
    discussion: """
      Each fold's head is tested on groups of cells that it was not trained on. More
      options: cellvec train --help-hidden, and docs/classification.md.

      cellvec train --db lab.cellvec --labels localization --group gene --save loc-v1
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "Training") var fitting: FittingOptions
  @OptionGroup var selection: WhereOptions
  @OptionGroup var space: SpaceOptions
  @Option(help: ArgumentHelp("Train a head on all cells and keep it under this name.", valueName: "head"))
  var save: String?
  @Flag(help: "Let --save take the place of a head of the name.") var replace = false
  @OptionGroup var writer: WriterOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if replace && save == nil { throw ValidationError("--replace goes with --save") }
    try fitting.requireOneKindOfHead()
  }

  func run() throws {
    if let save { try HeadRecord.requireName(save) }
    if let advice = training.advice { talk.say(advice) }
    // A head that is to be kept needs the writer's lock before the work, not after it.
    let path = try database.path()
    let writer = save == nil ? nil : try self.writer.open(path: path, isQuiet: talk.quiet)
    let database = try writer?.database ?? Database(path: path)
    if let save, !replace, try database.read({ try $0.head(named: save) != nil }) {
      throw Fault(
        .usage, "head \"\(save)\"", "is there already",
        remedy: "choose another name for --save, or replace it with --replace")
    }
    let plan = try training.plan(fitting)
    try plan.validate()
    let report = try database.read { snapshot in
      let space = try space.resolve(in: snapshot)
      for advice in try training.advice(fitting, in: snapshot) { talk.say(advice) }
      return TrainingReport(
        of: try train(plan, snapshot, in: space), plan: plan, space: space.name, head: save)
    }
    if let writer, let head = report.outcome.head {
      if try database.read({ try $0.head(named: head.name) != nil }) {
        talk.say("replacing head \(head.name)")
      }
      try writer.write { try $0.saveHead(head) }
    }
    if let advice = report.outcome.adviceOfNeighbors { talk.say(advice) }
    try report.write(as: output.format)
    if let save { talk.say("saved head \(save); use it with cellvec predict --head \(save)") }
  }

  private func train(
    _ plan: TrainingPlan, _ snapshot: borrowing Snapshot, in space: SpaceRecord
  ) throws -> TrainingOutcome {
    Interruption.listen()
    let epochs = plan.epochCount(withHead: save != nil)
    let progress = ProgressLine(
      counting: epochs == nil ? "batches of votes" : "epochs", of: epochs, isQuiet: talk.quiet)
    let outcome = try plan.run(
      snapshot: snapshot, space: space, among: selection.rows(in: snapshot), headName: save,
      threads: threads.count
    ) { _ in
      progress.advance()
      try Interruption.check(leaving: .nothing)
    }
    progress.finish()
    return outcome
  }
}
