import ArgumentParser
import Backbone
import Faults
import Formats
import Ingest
import Reports
import Storage
import Training

/// `cellvec evaluate`: which space knows the labels best.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "evaluate",
    abstract: "Compare spaces, or heads, on the same folds.",
    discussion: """
      Heads are tested on groups that are new to them, unless --shared-groups. More
      options, as of train: cellvec evaluate --help-hidden, docs/classification.md.

      Examples:
        cellvec evaluate --db lab.cellvec --labels localization --group gene
        cellvec evaluate --db a.db --test-db b.db --labels dose --group well
      """)

  @OptionGroup var database: DatabaseOptions
  @Option(help: ArgumentHelp("Spaces to compare, separated by commas; default: all.", valueName: "names"))
  var spaces: String?
  @Option(
    help: ArgumentHelp("Only spaces made by these strategies: map,average.", valueName: "names"))
  var strategies: String?
  @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "Training", visibility: .hidden) var fitting: FittingOptions
  @OptionGroup var selection: WhereOptions
  @Option(
    name: .long, help: ArgumentHelp("Save it all as JSON, predictions too.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var output: String?
  @Option(
    help: ArgumentHelp("Draw figures of it: a folder, or one file .html.", valueName: "path"),
    completion: .file())
  var report: String?
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    if let strategies, names(in: strategies).isEmpty {
      throw ValidationError("--strategies: expected names such as map,average, found \"\(strategies)\"")
    }
    try evaluation.requireHeads(of: fitting)
  }

  func run() throws {
    let plan = try evaluation.plan(training.plan(fitting), fitting)
    if let advice = training.advice { talk.say(advice) }
    let page = report.map { PrintedReport.page(at: $0) }
    try requireSeparateFiles(
      outputs: [output, page].compactMap(\.self), inputs: evaluation.inputs + selection.inputs)
    Interruption.listen()
    let path = try self.database.path()
    let database = try Database(path: path)
    let other = try evaluation.testDb.map { try otherDatabase(at: $0, than: path) }
    for images in [database, other].compactMap(\.self) {
      if let output { try images.requireImagesKept(by: [output]) }
      if let page { try images.requireImagesKept(by: [page], keepsFolders: true) }
    }
    let hasNewFolder = try report.map { try PrintedReport.prepare(at: $0) } ?? false
    defer { if hasNewFolder, let report { PrintedReport.removeEmptyFolder(at: report) } }
    if let output { try Evaluation.prepare(at: output) }
    let outcome = try database.read { snapshot in
      for advice in try training.advice(fitting, in: snapshot) { talk.say(advice) }
      guard let other else { return try evaluate(plan, snapshot: snapshot) }
      return try other.read { try evaluate(plan, snapshot: snapshot, testedOn: $0) }
    }
    if let output {
      try outcome.evaluation.save(to: output)
      talk.say("saved the evaluation in \(output)")
    }
    if let advice = outcome.evaluation.adviceOfNeighbors { talk.say(advice) }
    try EvaluationReport(outcome).write(as: format.format)
    if let report {
      let tested = evaluation.testDb ?? path
      let remains = output.map {
        Interruption.Remains.evaluation(path: $0, database: tested, report: report)
      }
      try DrawnReport(
        of: outcome.evaluation, database: other ?? database, leaving: remains ?? .nothing, talk: talk
      ).write(to: report)
    }
  }

  private func evaluate(_ plan: EvaluationPlan, snapshot: borrowing Snapshot) throws -> EvaluationOutcome {
    try showingProgress { progress in
      try plan.run(
        snapshot: snapshot, spaces: comparedSpaces(in: snapshot), among: selection.rows(in: snapshot),
        transfer: evaluation.transfer(in: snapshot), threads: threads.count, progress: progress)
    }
  }

  private func evaluate(
    _ plan: EvaluationPlan, snapshot: borrowing Snapshot, testedOn other: borrowing Snapshot
  ) throws -> EvaluationOutcome {
    try showingProgress { progress in
      try plan.run(
        snapshot: snapshot, spaces: comparedSpaces(in: snapshot),
        among: evaluation.teaching(in: snapshot, among: selection.rows(in: snapshot)), testedOn: other,
        EvaluationPlan.OtherDatabase(
          name: lastName(of: evaluation.testDb ?? ""),
          selection: evaluation.testing(in: other, among: selection.rows(in: other))),
        threads: threads.count, progress: progress)
    }
  }

  private func showingProgress(
    _ work: (@escaping EvaluationProgress) throws -> EvaluationOutcome
  ) rethrows -> EvaluationOutcome {
    let progress = ProgressLine(counting: "heads", of: nil, isQuiet: talk.quiet)
    let outcome = try work { trained, all in
      progress.update(done: trained, note: "\(all) in all")
      try Interruption.check(leaving: .nothing)
    }
    progress.finish()
    return outcome
  }

  /// - Throws: `usage` where it is the database that is learned from.
  private func otherDatabase(at path: String, than first: String) throws -> Database {
    let database = try Database(path: path)
    guard absolutePath("\(path)/.") != absolutePath("\(first)/.") else {
      throw Fault(
        .usage, "--test-db", "is the database that is learned from",
        remedy: "choose cells of it with --train-where and --test-where")
    }
    return database
  }

  /// The last name of a path, which a report may show.
  private func lastName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private func comparedSpaces(
    in snapshot: borrowing Snapshot
  ) throws -> [(record: SpaceRecord, description: Evaluation.Space)] {
    var records = snapshot.spaces
    if let spaces {
      records = []
      for name in names(in: spaces) where !records.contains(where: { $0.name == name }) {
        records.append(try snapshot.requiredSpace(named: name))
      }
    }
    guard !records.isEmpty else {
      throw Fault(
        .missingInput, "the database", "has no embedding space",
        remedy: "fill one with cellvec ingest or cellvec import")
    }
    if let strategies { records = try made(by: names(in: strategies), of: records) }
    return try records.map { ($0, try Evaluation.Space($0)) }
  }

  /// Those of the spaces that strategies of these names have made.
  /// - Throws: `usage` for a strategy that made none of them.
  private func made(by names: [String], of spaces: [SpaceRecord]) throws -> [SpaceRecord] {
    let strategies = try spaces.map { try Evaluation.Space.strategy(of: $0)?.name }
    let known = Set(strategies.compactMap(\.self))
    if let unknown = names.first(where: { !known.contains($0) }) {
      throw Fault(
        .usage, "--strategies", "no space was made by \"\(unknown)\"",
        remedy: adviceOnUnknownName("strategy", unknown, among: known.sorted()))
    }
    return zip(spaces, strategies).filter { names.contains($1 ?? "") }.map(\.0)
  }
}

extension Evaluation.Space {
  /// What reports tell of a space.
  init(_ record: SpaceRecord) throws {
    self.init(
      name: record.name, dimension: record.dimension,
      backbone: record.backbonePath.flatMap { $0.split(separator: "/").last.map(String.init) },
      backboneHash: record.backboneHash, strategy: try Self.strategy(of: record)?.description)
  }

  /// nil of imported vectors.
  static func strategy(of record: SpaceRecord) throws -> ChannelStrategy? {
    try record.recipe.map { try Recipe(canonicalJSON: $0, space: record.name).strategy }
  }
}
