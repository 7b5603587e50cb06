import ArgumentParser
import Faults
import Filter
import Storage
import Training

/// How samples are split and what is told of them.
struct EvaluationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How often folds are drawn anew.", valueName: "count"))
  private var repeats = 1

  @Flag(help: "Test each group on a head of all others.")
  private var leaveOneGroupOut = false

  @Option(
    help: ArgumentHelp(
      "Part of each fold's train groups that tune; default: \(EvaluationDesign.Defaults.validationShare) where something is tuned.",
      valueName: "part", visibility: .hidden))
  private var validation: Double?

  @Option(
    help: ArgumentHelp("Parts of the train groups, as in 0.1,1.", valueName: "parts"))
  private var fraction = "1"

  @Option(
    help: ArgumentHelp("Learn from these cells, test on --test-where.", valueName: "cells"))
  private var trainWhere: String?

  @Option(help: ArgumentHelp("Test on these cells.", valueName: "cells"))
  private var testWhere: String?

  @Option(
    help: ArgumentHelp(
      "Test on another database, as of another microscope.", valueName: "directory"))
  private(set) var testDb: String?

  @Flag(help: "Let groups be learned from and tested on.")
  private var sharedGroups = false

  @Option(
    help: ArgumentHelp(
      "What labels are called: opencell-hpa, or a table.", valueName: "map"))
  private var labelMap: String?

  @Option(
    help: ArgumentHelp(
      "What a class without positives counts in means over classes.", valueName: "value",
      visibility: .hidden))
  private var absentClasses = AbsentClasses.skip

  @Option(
    help: ArgumentHelp(
      "Draws of groups behind each interval; 0 for none.", valueName: "count", visibility: .hidden))
  private var resamplings = EvaluationDesign.Defaults.resamplings

  func validate() throws {
    guard !fractions.isEmpty, fractions.count == names(in: fraction).count else {
      throw ValidationError("--fraction: expected parts such as 0.1,1, found \"\(fraction)\"")
    }
    guard testDb != nil || (trainWhere == nil) == (testWhere == nil) else {
      throw ValidationError("--train-where and --test-where go together, or with --test-db")
    }
    if sharedGroups && !isTransfer {
      throw ValidationError("--shared-groups goes with --test-db, or --train-where and --test-where")
    }
    if isTransfer && leaveOneGroupOut {
      throw ValidationError(
        "\(testDb == nil ? "--train-where" : "--test-db") and --leave-one-group-out exclude each other")
    }
  }

  /// Whether some cells teach and others test.
  private var isTransfer: Bool { trainWhere != nil || testDb != nil }

  private var fractions: [Double] { Set(names(in: fraction).compactMap(Double.init)).sorted() }

  /// The files that say what is evaluated.
  var inputs: [String] { [labelMap].compactMap(\.self) }

  /// - Throws: those of reading a label map.
  func plan(_ training: TrainingPlan) throws -> EvaluationPlan {
    var plan = EvaluationPlan(
      labelField: training.labelField, labelMap: try labelMap.map { try LabelMap(named: $0) },
      unit: training.unit, grouping: training.grouping,
      design: EvaluationDesign(
        scheme: isTransfer ? .transfer : leaveOneGroupOut ? .leaveOneGroupOut : .folds,
        folds: training.folds, repeats: repeats, validationShare: validationShare(training.configuration),
        fractions: fractions,
        absentClasses: absentClasses, resamplings: resamplings, seed: training.configuration.seed),
      configuration: training.configuration)
    plan.design.sharesGroups = sharedGroups
    plan.task = training.task
    plan.grades = training.grades
    return plan
  }

  /// What is held back: nothing, unless it is asked for or something is tuned on it.
  private func validationShare(_ configuration: TrainingConfiguration) -> Double {
    validation
      ?? (configuration.reasonsForValidation.isEmpty ? 0 : EvaluationDesign.Defaults.validationShare)
  }

  /// The cells of the database to learn from, where those to test on are of another.
  func teaching(in snapshot: borrowing Snapshot, among selection: RowSet?) throws -> RowSet? {
    try cells(trainWhere, origin: "--train-where", in: snapshot, among: selection)
  }

  /// The cells of another database to test on.
  func testing(in snapshot: borrowing Snapshot, among selection: RowSet?) throws -> RowSet? {
    try cells(testWhere, origin: "--test-where", in: snapshot, among: selection)
  }

  private func cells(
    _ condition: String?, origin: String, in snapshot: borrowing Snapshot, among selection: RowSet?
  ) throws -> RowSet? {
    guard let condition else { return selection }
    let rows = try Filter(condition, origin: origin).rows(in: snapshot)
    return selection.map(rows.intersection) ?? rows
  }

  /// The cells to learn from and those to test on, both of one database; nil where folds decide.
  func transfer(in snapshot: borrowing Snapshot) throws -> EvaluationPlan.Transfer? {
    guard let trainWhere, let testWhere else { return nil }
    return EvaluationPlan.Transfer(
      train: try Filter(trainWhere, origin: "--train-where").rows(in: snapshot),
      test: try Filter(testWhere, origin: "--test-where").rows(in: snapshot))
  }
}

extension AbsentClasses: ExpressibleByArgument {}
