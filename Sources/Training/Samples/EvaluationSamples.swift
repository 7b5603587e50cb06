import Faults
import Identity
import Storage

/// The samples that an evaluation's spaces are compared on: cells, or means of cells, with labels and groups.
struct EvaluationSamples {
  /// The cells behind the samples, increasing; where two databases are evaluated, those that teach.
  let cells: [Row]
  /// Cells of another database, which test: their positions follow those of `cells`.
  let testCells: [Row]
  /// Of each sample, its cells as positions in `cells`; nil where samples are the cells.
  let members: [[Int32]]?
  let samples: Evaluation.SampleTable
  let labels: LabelTable
  /// Whether labels are of a list field.
  let areLists: Bool
  let subjects: SplitSubjects
  /// What classes are learned as; nil for 1.
  let targets: SoftTargets?
  let leftOut: EvaluationOutcome.LeftOut
  /// Digest of what the samples are: rows, groups, classes and labels.
  let fingerprint: String

  /// - Parameters:
  ///   - selection: cells to look at; nil for all.
  ///   - transfer: cells to learn from and cells to test on; nil where folds decide.
  /// - Throws: `usage`, `missingInput` or `badData` for cells that make no samples.
  init(
    of snapshot: borrowing Snapshot, spaces: [SpaceRecord], plan: EvaluationPlan,
    among selection: RowSet?, transfer: EvaluationPlan.Transfer?
  ) throws {
    var candidates = try selection ?? snapshot.allRows()
    if let transfer {
      let both = transfer.train.intersection(transfer.test).count
      guard both == 0 else {
        throw Fault(
          .badData, "the cells", "\(both) of those to learn from are to be tested on, too",
          remedy: "choose conditions that exclude each other")
      }
      var either = transfer.train
      either.formUnion(transfer.test)
      candidates = candidates.intersection(either)
    }
    let wanted = candidates
    var embedded = RowSet()
    for space in spaces {
      let rows = try snapshot.rows(in: space)
      candidates = candidates.intersection(rows)
      embedded.formUnion(rows)
    }
    if spaces.count > 1, candidates.isEmpty, !wanted.intersection(embedded).isEmpty {
      throw Fault(
        .missingInput, "spaces \(spaces.map(\.name).joined(separator: ", "))", "have no cell in common",
        remedy: "compare spaces of the same cells")
    }
    let database = try DatabaseSamples(
      snapshot: snapshot, labelField: plan.labelField, labelMap: plan.labelMap, grouping: plan.grouping,
      candidates: candidates)

    targets = try database.targets(of: plan, snapshot: snapshot)

    let limit = try snapshot.rowLimit()
    let images = try snapshot.images(of: database.rows, limit: limit)
    let units = try UnitSamples(
      plan.unit, of: database, in: snapshot, dividedBy: plan.design.sharesGroups ? transfer?.test : nil)
    let isTest = transfer.map { transfer in database.rows.map(transfer.test.contains) }
    labels = units?.labels ?? database.labels
    subjects = SplitSubjects(
      labels: labels, groups: units.map(\.groups) ?? database.groups, groupNames: database.groupNames,
      groupsAreImages: plan.grouping == .image,
      isTest: try isTest.map { isTest in try units?.sides(isTest) ?? isTest })
    let (members, names) = (units?.members, units?.names)
    cells = database.rows
    testCells = []
    areLists = database.areLists
    self.members = members
    let (groups, table) = (subjects.groups, labels)
    let list = (0..<table.count).lazy.map { index in
      let first = members.map { Int($0[index][0]) } ?? index
      return Evaluation.Sample(
        row: database.rows[first], cellCount: members?[index].count ?? 1, name: names?[index],
        image: images.names[Int(images.numbers[first])],
        group: groups.map { database.groupNames[Int($0[index])] },
        labels: table.classes(of: Int32(index)).map(Int.init))
    }
    samples = try Evaluation.SampleTable(list, labelCount: table.positives.reduce(0, +))
    let unitCells = units?.cellCount ?? database.rows.count
    leftOut = EvaluationOutcome.LeftOut(
      withoutVector: wanted.intersection(embedded).count - candidates.count,
      withoutLabel: database.unlabeledCount, withoutGroup: database.ungroupedCount,
      withoutSample: database.rows.count - unitCells)
    fingerprint = Self.fingerprint(of: samples, classes: table.classes)
  }

  /// The cells of each sample as ranges of rows [first, end); nil where samples are cells.
  var rangesOfCells: [[[Row]]]? {
    members.map { members in
      members.map { own in
        HeadData.ranges(
          of: own.lazy.map { $0 < cells.count ? cells[Int($0)] : testCells[Int($0) - cells.count] })
      }
    }
  }

  /// The cells that are part of a sample, of the database that `cells` are of.
  var sampledCells: RowSet {
    guard let members else { return RowSet(cells) }
    return RowSet(members.joined().map { cells[Int($0)] }.sorted())
  }

  /// A number for each cell that is equal for those of one group that are on one side of a transfer; -1 for cells that
  /// are part of no sample.
  var groupsOfCells: [Int32] {
    let sides = subjects.effectiveGroups.enumerated().map { index, group in
      group * 2 + (subjects.isTest?[index] ?? false ? 1 : 0)
    }
    guard let members else { return sides }
    var groups = [Int32](repeating: -1, count: cells.count + testCells.count)
    for (side, cells) in zip(sides, members) {
      for cell in cells { groups[Int(cell)] = side }
    }
    return groups
  }

  /// The task of the samples' labels, as of `LabelTable`.
  func task(_ asked: ClassificationTask?) throws -> ClassificationTask {
    try labels.task(asked, areLists: areLists) { index in
      samples[index].name.map { "sample \"\($0)\"" } ?? "cell \(samples[index].row)"
    }
  }

  /// The vectors of the samples in a space.
  func vectors(in space: SpaceRecord, of snapshot: borrowing Snapshot) throws -> UnitVectors {
    UnitVectors(
      of: try BlockVectors(snapshot: snapshot, space: space, rows: cells), members: members)
  }

  static func fingerprint(of samples: Evaluation.SampleTable, classes: [String]) -> String {
    var hasher = ContentHasher()
    hasher.combine(classes.joined(separator: "\u{1F}"))
    for sample in samples {
      let labels = sample.labels.map(String.init).joined(separator: ",")
      hasher.combine("\n\(sample.row)\u{1F}\(sample.cellCount)\u{1F}\(sample.group ?? "")\u{1F}\(labels)")
    }
    return hasher.finalize().description
  }
}

extension DatabaseSamples {
  /// - Throws: `usage` for grades of labels that are not the samples' own.
  fileprivate func targets(of plan: EvaluationPlan, snapshot: borrowing Snapshot) throws -> SoftTargets? {
    guard let grades = plan.grades else { return nil }
    guard plan.unit == .cell, plan.labelMap == nil else {
      throw Fault(
        .usage, "grades", "go with cells as samples, and with labels as they are",
        remedy: "leave out the grades, the sample, or the label map")
    }
    return try softTargets(field: grades.field, targets: grades.targets, snapshot: snapshot)
  }
}

extension Snapshot {
  /// The image of each cell by its place among names, the first of which is that of cells of no image: for imported ones
  /// the image that their field names, if it does.
  fileprivate func images(of rows: [Row], limit: Row) throws -> (
    names: [String], numbers: ScratchTable<Int32>
  ) {
    let samples = try SampleNumbers(rows, limit: limit)
    let numbers = try ScratchTable<Int32>(count: rows.count)
    var names = [""]
    for image in try rowsByImage(among: RowSet(rows)) {
      for row in image.rows.toArray() { numbers[samples[row]] = Int32(names.count) }
      names.append(image.text)
    }
    return (names, numbers)
  }
}
