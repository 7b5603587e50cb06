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
    help: ArgumentHelp("Compare heads: linear, hidden, neighbors.", valueName: "heads"))
  private var heads: String?

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
      "Test on another database, as of another microscope.", valueName: "directory"), completion: .directory)
  private(set) var testDb: String?

  @Flag(help: "Let groups be learned from and tested on.")
  private var sharedGroups = false

  @Option(
    help: ArgumentHelp(
      "What labels are called: opencell-hpa, or a table.", valueName: "map"), completion: .file())
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
    if let heads, kinds.isEmpty || !names(in: heads).allSatisfy({ HeadKind(rawValue: $0) != nil }) {
      throw ValidationError("--heads: expected \(HeadKind.allNames) or some of them, found \"\(heads)\"")
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

  /// Refuses options of heads that are not made.
  /// - Throws: `ValidationError`.
  func requireHeads(of fitting: FittingOptions) throws {
    guard heads != nil else { return try fitting.requireOneKindOfHead() }
    if !kinds.contains(.neighbors), fitting.neighbors != nil || fitting.temperature != nil {
      throw ValidationError("--neighbors and --temperature go with neighbors among --heads")
    }
    if !kinds.contains(.hidden), fitting.hidden != nil || fitting.dropout != nil {
      throw ValidationError("--hidden and --dropout go with hidden among --heads")
    }
    if kinds == [.neighbors] { try fitting.requireNoTraining(beside: "--heads neighbors") }
  }

  /// The heads to compare, each once.
  private var kinds: [HeadKind] {
    names(in: heads ?? "").compactMap { HeadKind(rawValue: $0) }
      .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Whether some cells teach and others test.
  private var isTransfer: Bool { trainWhere != nil || testDb != nil }

  private var fractions: [Double] { Set(names(in: fraction).compactMap(Double.init)).sorted() }

  /// The files that say what is evaluated.
  var inputs: [String] { [labelMap].compactMap(\.self) }

  /// - Throws: those of reading a label map; `usage` for heads that are not said enough of.
  func plan(_ training: TrainingPlan, _ fitting: FittingOptions) throws -> EvaluationPlan {
    let heads = try comparedHeads(training.configuration, fitting)
    let configurations = heads.isEmpty ? [training.configuration] : heads.map(\.configuration)
    var plan = EvaluationPlan(
      labelField: training.labelField, labelMap: try labelMap.map { try LabelMap(named: $0) },
      unit: training.unit, grouping: training.grouping,
      design: EvaluationDesign(
        scheme: isTransfer ? .transfer : leaveOneGroupOut ? .leaveOneGroupOut : .folds,
        folds: training.folds, repeats: repeats, validationShare: validationShare(configurations),
        fractions: fractions,
        absentClasses: absentClasses, resamplings: resamplings, seed: training.configuration.seed),
      configuration: heads.count == 1 ? heads[0].configuration : training.configuration)
    // Of one alone there is nothing to tell apart.
    plan.heads = heads.count > 1 ? heads : []
    plan.design.sharesGroups = sharedGroups
    plan.task = training.task
    plan.grades = training.grades
    return plan
  }

  /// What is held back: nothing, unless it is asked for or something is tuned on it.
  private func validationShare(_ configurations: [TrainingConfiguration]) -> Double {
    validation
      ?? (configurations.allSatisfy(\.reasonsForValidation.isEmpty)
        ? 0 : EvaluationDesign.Defaults.validationShare)
  }

  /// What is compared on the same splits; empty where heads are of one kind.
  private func comparedHeads(
    _ configuration: TrainingConfiguration, _ fitting: FittingOptions
  ) throws -> [ComparedHead] {
    try kinds.map { kind in
      if kind == .neighbors {
        return ComparedHead(name: kind.rawValue, configuration: configuration.voting(fitting))
      }
      var own = configuration
      own.neighbors = nil
      if kind == .linear { own.architecture = .linear }
      guard kind != .hidden || !own.architecture.hidden.isEmpty else {
        throw Fault(
          .usage, "--heads hidden", "has no hidden layers", remedy: "give their widths, as in --hidden 512")
      }
      return ComparedHead(name: kind.rawValue, configuration: own)
    }
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

/// Kinds of heads that `evaluate` compares.
private enum HeadKind: String, CaseIterable {
  /// Trained, without hidden layers.
  case linear
  /// Trained, with the hidden layers of --hidden or the preset.
  case hidden
  /// Of nearest neighbors, those of --neighbors.
  case neighbors
}

extension TrainingConfiguration {
  /// What of this is left where neighbors vote.
  fileprivate func voting(_ fitting: FittingOptions) -> TrainingConfiguration {
    var own = TrainingConfiguration(seed: seed)
    (own.loss, own.thresholds, own.calibration) = (loss, thresholds, calibration)
    (own.abstainBelow, own.attention) = (abstainBelow, attention)
    own.neighbors = fitting.voting
    return own
  }
}
