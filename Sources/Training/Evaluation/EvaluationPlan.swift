import Faults
package import Storage

/// Heads that are compared with others.
package struct ComparedHead: Sendable {
  package let name: String
  package let configuration: TrainingConfiguration

  package init(name: String, configuration: TrainingConfiguration) {
    self.name = name
    self.configuration = configuration
  }
}

/// Which spaces of a database are compared, on which samples, by which heads.
package struct EvaluationPlan: Sendable {
  package var labelField: String
  package var labelMap: LabelMap?
  package var unit: SampleUnit
  package var grouping: FoldGrouping
  package var design: EvaluationDesign
  /// How heads are trained, where they are not compared.
  package var configuration: TrainingConfiguration
  /// Heads that are compared on the same splits; empty for those of `configuration` alone.
  package var heads: [ComparedHead] = []
  /// One label a sample or several; nil for what the field's type and the samples say.
  package var task: ClassificationTask?
  /// As of `TrainingPlan`; goes with cells as samples, and labels that are the classes.
  package var grades: (field: String, targets: GradeTargets)?

  package init(
    labelField: String, labelMap: LabelMap? = nil, unit: SampleUnit = .cell, grouping: FoldGrouping,
    design: EvaluationDesign = EvaluationDesign(),
    configuration: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.labelField = labelField
    self.labelMap = labelMap
    self.unit = unit
    self.grouping = grouping
    self.design = design
    self.configuration = configuration
  }

  /// Cells to learn from and cells to test on, of the scheme `transfer`.
  package struct Transfer: Sendable {
    package let train: RowSet
    package let test: RowSet

    package init(train: RowSet, test: RowSet) {
      self.train = train
      self.test = test
    }
  }
}

/// A plan carried out.
package struct EvaluationOutcome: Sendable {
  package let evaluation: Evaluation
  package let leftOut: LeftOut

  /// Cells that are no part of a sample, by the reason.
  package struct LeftOut: Sendable, Equatable {
    /// With a vector in some of the spaces only.
    package let withoutVector: Int
    package let withoutLabel: Int
    package let withoutGroup: Int
    /// With nothing to be brought together by.
    package let withoutSample: Int
  }
}

/// How many heads an evaluation has trained; told after every epoch of every head, from several threads.
package typealias EvaluationProgress = @Sendable (_ headsTrained: Int, _ headsInAll: Int) throws -> Void

extension EvaluationPlan {
  /// Trains and tests heads of each space on the same splits of the same samples, and compares them.
  ///
  /// The result depends on the arguments other than `threads` alone, bit for bit on one machine.
  ///
  /// - Parameters:
  ///   - spaces: at least one, and what is told of each.
  ///   - selection: cells to look at; nil for all.
  ///   - transfer: of the scheme `transfer` alone. Where groups are shared, it divides samples, and may divide no image.
  ///   - progress: called as heads are trained; a throw ends the work.
  /// - Throws: before any training, `usage`, `missingInput` or `badData` for a plan that the cells do not allow.
  package func run(
    snapshot: borrowing Snapshot, spaces: [(record: SpaceRecord, description: Evaluation.Space)],
    among selection: RowSet? = nil, transfer: Transfer? = nil, threads: Int,
    progress: @escaping EvaluationProgress = { _, _ in }
  ) throws -> EvaluationOutcome {
    precondition(!spaces.isEmpty && (transfer != nil) == (design.scheme == .transfer))
    guard !design.sharesGroups || grouping != .image else {
      throw Fault(
        .usage, "shared groups", "would be images, of which none is learned from and tested on",
        remedy: "group by a field, as with --group gene, or leave out --shared-groups")
    }
    let samples = try EvaluationSamples(
      of: snapshot, spaces: spaces.map(\.record), plan: self, among: selection, transfer: transfer)
    if let transfer, design.sharesGroups {
      let cells = samples.sampledCells
      try requireOtherImages(
        of: cells.intersection(transfer.test), than: cells.intersection(transfer.train), in: snapshot)
    }
    return try evaluate(
      samples, spaces: spaces.map(\.description),
      witnesses: try CellWitness.of(samples.samples.distinctRows, in: snapshot),
      threads: threads, progress: progress
    ) { try samples.vectors(in: spaces[$0].record, of: snapshot) }
  }

  /// Cells of another database to test on, of the scheme `transfer`.
  package struct OtherDatabase: Sendable {
    /// What it is called.
    package let name: String
    /// The cells to look at; nil for all.
    package let selection: RowSet?

    package init(name: String, selection: RowSet?) {
      self.name = name
      self.selection = selection
    }
  }

  /// The same for heads that learn from cells of one database and are tested on those of another, whose spaces have the
  /// same recipes and backbones.
  ///
  /// - Parameters:
  ///   - selection: cells of the first database to learn from; nil for all.
  ///   - other: the database behind `otherSnapshot`.
  /// - Throws: as above, `usage` where the other database has no such space, and `badData` where it has an image that is
  ///   learned from.
  package func run(
    snapshot: borrowing Snapshot, spaces: [(record: SpaceRecord, description: Evaluation.Space)],
    among selection: RowSet? = nil, testedOn otherSnapshot: borrowing Snapshot, _ other: OtherDatabase,
    threads: Int, progress: @escaping EvaluationProgress = { _, _ in }
  ) throws -> EvaluationOutcome {
    precondition(!spaces.isEmpty && design.scheme == .transfer)
    guard grades == nil else {
      throw Fault(.usage, "grades", "go with one database", remedy: "leave the grades out")
    }
    var otherSpaces: [SpaceRecord] = []
    for space in spaces {
      otherSpaces.append(try otherSnapshot.requiredSpace(like: space.record, inDatabase: other.name))
    }
    let testing = try EvaluationSamples(
      of: otherSnapshot, spaces: otherSpaces, plan: self, among: other.selection, transfer: nil)
    let teaching = try EvaluationSamples(
      of: snapshot, spaces: spaces.map(\.record), plan: self, among: selection, transfer: nil)
    try requireOtherImages(
      of: testing.sampledCells, in: otherSnapshot, named: other.name, than: teaching.sampledCells,
      in: snapshot)
    let samples = try EvaluationSamples(teaching: teaching, testing: testing, grouping: grouping)
    return try evaluate(
      samples, spaces: zip(spaces, otherSpaces).map { $0.description.tested(as: $1.name) },
      testDatabase: other.name,
      witnesses: try CellWitness.of(testing.samples.distinctRows, in: otherSnapshot),
      threads: threads, progress: progress
    ) { number in
      try samples.vectors(
        in: spaces[number].record, of: snapshot, and: otherSpaces[number], of: otherSnapshot)
    }
  }

  /// - Parameters:
  ///   - witnesses: of the cells of the database that samples which are tested are of.
  ///   - vectors: of a space, by its number.
  private func evaluate(
    _ samples: EvaluationSamples, spaces: [Evaluation.Space], testDatabase: String? = nil,
    witnesses: [CellWitness], threads: Int, progress: @escaping EvaluationProgress,
    vectors: (Int) throws -> UnitVectors
  ) throws -> EvaluationOutcome {
    let task = try samples.task(task)
    let heads = try checkedHeads(for: task)
    let splits = try SplitPlan(design, of: samples.subjects)
    try require(heads.map { $0.configuration }, on: splits, labels: samples.labels, of: spaces)
    let splitCount = splits.splits.reduce(0) { $0 + $1.count }
    let headCount = heads.reduce(0) { $0 + splitCount * $1.configuration.ensembleCount }
    var warnings = splits.warnings
    var tests: [RunTest] = []
    let tables = try EvaluationTables(
      runCount: spaces.count * heads.count, plan: splits, labels: samples.labels, threads: threads)
    for (number, space) in spaces.enumerated() {
      let vectors = try vectors(number)
      try requireTrainable(
        source: vectors.means, labels: samples.labels, samples: 0..<Int32(samples.labels.count),
        threads: threads)
      let copies = try IdenticalVectors(in: vectors.cells, groups: samples.groupsOfCells)
      if let pair = copies.example {
        warnings.append(
          samples.warning(of: pair, count: copies.count, space: space.name, testDatabase: testDatabase))
      }
      var done = number * headCount
      for (place, head) in heads.enumerated() {
        let evaluator = RunEvaluator(
          vectors: vectors, targets: samples.targets, subjects: samples.subjects, plan: splits,
          design: design,
          head: head.name, configuration: head.configuration, cells: samples.cells + samples.testCells,
          threads: threads)
        let before = done
        tests += try evaluator.runs(
          in: space, tablesOfFractions: tables.probabilities[number * heads.count + place],
          scoreTables: tables.scoring
        ) { trained in try progress(before + trained, spaces.count * headCount) }
        done += splitCount * head.configuration.ensembleCount
      }
    }
    let subjects = samples.subjects
    let evaluation = Evaluation(
      labelField: labelField, labelMap: labelMap?.name, task: task, sampleUnit: unit.name,
      groupField: grouping.name, groupCount: subjects.groups.map { Set($0).count },
      sharedGroups: design.sharesGroups && !subjects.groupsAreImages
        ? subjects.testedGroups.map { (tested: $0.all.count, shared: $0.shared.count) } : nil,
      testDatabase: testDatabase, design: design, classes: samples.labels.classes, samples: samples.samples,
      testFolds: splits.testFolds,
      sampleCells: samples.rangesOfCells, fingerprint: samples.fingerprint, witnesses: witnesses,
      runs: tests.map(\.run), comparisons: comparisons(of: tests),
      warnings: warnings)
    return EvaluationOutcome(evaluation: evaluation, leftOut: samples.leftOut)
  }

  /// Refuses heads that cannot be made of these splits: each for itself would be refused when its turn comes, with others
  /// trained by then.
  private func require(
    _ heads: [TrainingConfiguration], on plan: SplitPlan, labels: LabelTable, of spaces: [Evaluation.Space]
  ) throws {
    for head in heads {
      try head.requireValidation(
        of: plan.splits.joined().map { TrainingSet(samples: $0.trainSet, validation: $0.validation) })
    }
    guard heads.contains(where: { $0.neighbors != nil }) else { return }
    let most = plan.splits.flatMap { EvaluationTables.together($0) }.map { splits in
      splits.reduce(SampleSet([])) { $0.union($1.trainSet) }.count
    }.max()
    for space in spaces {
      try VoterTable.requireRoom(
        voters: most ?? 0, dimension: space.dimension, classes: labels.classes.count)
    }
  }

  /// The heads to make of each space, with their names where they are compared.
  private func checkedHeads(
    for task: ClassificationTask
  ) throws -> [(name: String?, configuration: TrainingConfiguration)] {
    let asked: [(name: String?, configuration: TrainingConfiguration)] =
      heads.isEmpty
      ? [(name: nil, configuration: configuration)]
      : heads.map { (name: $0.name, configuration: $0.configuration) }
    return try asked.map { head in
      let configuration = try head.configuration.checked(for: task, hasGrades: grades != nil)
      try configuration.attention?.validate(within: configuration, unit: unit)
      return (name: head.name, configuration: configuration)
    }
  }
}

extension EvaluationSamples {
  /// - Parameters:
  ///   - pair: positions of two cells with one vector.
  ///   - count: cells that have the vector of another.
  fileprivate func warning(
    of pair: (Int32, Int32), count: Int, space: String, testDatabase: String?
  ) -> String {
    let names = [Int(pair.0), Int(pair.1)].map { place in
      place < cells.count
        ? "cell \(cells[place])"
        : "cell \(testCells[place - cells.count])" + (testDatabase.map { " of \($0)" } ?? "")
    }
    return
      "space \(space): \(count) cells have the vector of a cell of another group, or of the other side, such as "
      + "\(names[0]) and \(names[1]); a copy may be learned from and tested on"
  }
}

/// Macro F1 of each pair of runs of one fraction.
private func comparisons(of tests: [RunTest]) -> [Evaluation.Comparison] {
  var comparisons: [Evaluation.Comparison] = []
  let fractions = tests.reduce(into: [Double]()) { fractions, test in
    if !fractions.contains(test.run.fraction) { fractions.append(test.run.fraction) }
  }
  for fraction in fractions {
    let members = tests.indices.filter { tests[$0].run.fraction == fraction }
    let pairs = members.indices.flatMap { first in
      members[(first + 1)...].map { (members[first], $0) }
    }
    let values = pairs.map { tests[$0.0].correctedT(against: tests[$0.1]) }
    let holm = PairedTests.holm(values)
    for (place, (first, second)) in pairs.enumerated() {
      let differences = tests[first].differences(from: tests[second])
      comparisons.append(
        Evaluation.Comparison(
          first: first, second: second,
          meanDifference: differences.reduce(0, +) / Double(max(differences.count, 1)),
          correctedT: values[place], correctedTHolm: holm[place],
          wilcoxon: differences.count < 2 ? nil : PairedTests.wilcoxonSignedRank(differences),
          interval: GroupResampling.interval(
            zip(tests[first].resampled, tests[second].resampled).map { $0 - $1 })))
    }
  }
  return comparisons
}
