import Faults
package import Storage

/// How the heads of a database are trained and tested.
package struct TrainingPlan: Sendable {
  package enum Defaults {
    package static let folds = 5
  }

  package var labelField: String
  package var unit: SampleUnit
  package var grouping: FoldGrouping
  /// How many folds of cross-validation.
  package var folds: Int
  package var configuration: TrainingConfiguration
  /// One label a cell or several; nil for what the field's type says. The configuration's loss follows it.
  package var task: ClassificationTask?
  /// The list field with the grade of each label, as nucleoplasm:3, and what grades are learned as; nil for
  /// labels alone.
  package var grades: (field: String, targets: GradeTargets)?

  package init(
    labelField: String, unit: SampleUnit = .cell, grouping: FoldGrouping, folds: Int = Defaults.folds,
    configuration: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.labelField = labelField
    self.unit = unit
    self.grouping = grouping
    self.folds = folds
    self.configuration = configuration
  }
}

/// A plan carried out.
package struct TrainingOutcome: Sendable {
  /// The cells that were learned from.
  package let samples: DatabaseSamples
  /// What they are brought together in; nil where samples are cells.
  package let brought: BroughtSamples?
  /// How heads were trained: the plan's, with a loss for the task.
  package let configuration: TrainingConfiguration
  package let validation: CrossValidation
  /// What the folds cannot measure well, in a few sentences.
  package let warnings: [String]
  package let evaluation: HeadEvaluation
  /// Trained on all samples; nil when only scores were asked for.
  package let head: HeadRecord?
}

extension TrainingOutcome {
  /// How many samples of how many classes there are, and in how many groups; nil groups where nothing keeps them
  /// together.
  package var sampleCount: Int { brought?.sampleCount ?? samples.rows.count }
  package var classCount: Int { brought?.classCount ?? samples.labels.classes.count }
  package var groupCount: Int? { brought.map(\.groupCount) ?? samples.groupCount }
  /// Cells that are part of a sample, and cells that have nothing to be brought together by.
  package var cellCount: Int { brought?.cellCount ?? samples.rows.count }
  package var withoutSampleCount: Int { samples.rows.count - cellCount }
}

extension TrainingPlan {
  /// - Throws: `usage` for what cannot be carried out whatever the cells.
  package func validate() throws {
    guard folds >= 2 else {
      throw Fault(
        .usage, "folds", expected: "at least 2", found: "\(folds)",
        remedy: "ask for 2 folds or more, such as \(Defaults.folds)")
    }
    let limit = 100_000
    guard folds <= limit else {
      throw Fault(.usage, "folds", expected: "at most \(limit)", found: "\(folds)")
    }
    try (task.map { configuration.adapted(to: $0) } ?? configuration).validateAlone()
  }

  /// Cross-validates heads on samples of a space, and trains one on all of them when it is given a name.
  ///
  /// - Parameters:
  ///   - selection: cells to learn from; nil for all.
  ///   - headName: name of the head to make; nil for scores alone.
  ///   - progress: called after every epoch, from several threads; a throw ends the training.
  /// - Throws: before any training, `usage`, `missingInput` or `badData` for a plan that the cells do not
  ///   allow, and `inputOutput` where there is no room for what the folds need. The head that is saved needs no more, and
  ///   is refused only where something else has taken it meanwhile.
  package func run(
    snapshot: borrowing Snapshot, space: SpaceRecord, among selection: RowSet? = nil,
    headName: String? = nil, threads: Int? = nil, progress: @escaping ProgressReport = { _ in }
  ) throws -> TrainingOutcome {
    try validate()
    let samples = try DatabaseSamples(
      snapshot: snapshot, space: space, labelField: labelField, grouping: grouping, among: selection)
    let units = try UnitSamples(unit, of: samples, in: snapshot)
    let task = try units?.task(task, areLists: samples.areLists) ?? samples.task(task)
    let configuration = try configuration.checked(for: task, hasGrades: grades != nil)
    try configuration.attention?.validate(within: configuration, unit: unit)
    let (labels, groups) = units.map { ($0.labels, $0.groups) } ?? (samples.labels, samples.groups)
    let vectors = UnitVectors(
      of: try BlockVectors(snapshot: snapshot, space: space, rows: samples.rows), members: units?.members)
    let targets = try grades.map { grades in
      guard unit == .cell else {
        throw Fault(
          .usage, "grades", "go with cells as samples", remedy: "leave out the grades, or the sample")
      }
      return try samples.softTargets(field: grades.field, targets: grades.targets, snapshot: snapshot)
    }
    let folds = try split(labels, groups: groups)
    let validation = try crossValidate(
      vectors: vectors, labels: labels, targets: targets, folds: folds, groups: groups,
      configuration: configuration, threads: threads, progress: progress)
    let evaluation = HeadEvaluation(
      validation, groupField: grouping.name, foldSeed: configuration.seed,
      abstains: configuration.abstainBelow > 0)
    let head = try headName.map { name in
      let set = try TrainingSet(
        0..<Int32(labels.count), labels: labels, groups: groups, configuration: configuration)
      // The labels of all samples were looked through by the cross-validation.
      let fit = try fitHeads(
        on: vectors, labels: labels, targets: targets, sets: [set], configuration: configuration,
        threads: threads ?? 1, progress: progress)[0]
      let cells = units?.cells(of: set) ?? set
      let trained = fit.head.knowing(voters: set.samples, among: cells, members: units?.members)
      let summary = HeadSummary(
        of: trained, unit: unit, labelField: labelField, training: configuration, evaluation: evaluation,
        course: HeadCourse(of: fit),
        data: try HeadData(rows: samples.rows, labels: samples.labels, set: cells, snapshot: snapshot),
        space: HeadSpace(space))
      return HeadRecord(
        name: name, space: space.id, summary: try summary.json(), weights: trained.encodedWeights())
    }
    return TrainingOutcome(
      samples: samples, brought: units.map { BroughtSamples($0) },
      configuration: configuration, validation: validation,
      warnings: FoldWarning.summary(of: folds.warnings, isGrouped: folds.isGrouped),
      evaluation: evaluation, head: head)
  }

  private func split(_ labels: LabelTable, groups: [Int32]?) throws -> Folds {
    if let groups {
      try Folds.grouped(groups: groups, labels: labels, k: folds, seed: configuration.seed)
    } else {
      try Folds.ungrouped(labels: labels, k: folds, seed: configuration.seed)
    }
  }

  /// Epochs of all heads together, of a valid plan: what progress counts to. nil where nothing is trained, and progress
  /// tells of batches of samples.
  package func epochCount(withHead: Bool) -> Int? {
    guard configuration.neighbors == nil else { return nil }
    return (folds + (withHead ? 1 : 0)) * configuration.epochs * configuration.ensembleCount
  }
}
