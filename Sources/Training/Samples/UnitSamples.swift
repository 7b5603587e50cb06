import Faults
import Storage

/// Cells of a database that are brought together in samples: those of an image, or of a field's value.
struct UnitSamples {
  let unit: SampleUnit
  /// The image or the value that each sample is.
  let names: [String]
  /// Of each sample, its cells as positions among those of the database; none is empty.
  let members: [[Int32]]
  /// Each sample with every class that one of its cells has.
  let labels: LabelTable
  /// The group of each sample; nil when cells are not grouped.
  let groups: [Int32]?

  /// nil where samples are the cells.
  /// - Parameter test: cells that are brought together apart from the others: their image or value is two samples.
  /// - Throws: `missingInput` where no cell is part of a sample; `usage` for a sample of two groups, or a field that
  ///   nothing can be brought together by.
  init?(
    _ unit: SampleUnit, of database: DatabaseSamples, in snapshot: borrowing Snapshot,
    dividedBy test: RowSet? = nil
  ) throws {
    guard var found = try snapshot.rowsByGroup(unit.grouping, among: RowSet(database.rows)) else {
      return nil
    }
    if let test {
      found = found.flatMap { whole in
        [whole.rows.subtracting(test), whole.rows.intersection(test)].filter { !$0.isEmpty }
          .map { (text: whole.text, rows: $0) }
      }
    }
    guard !found.isEmpty else {
      throw Fault(
        .missingInput, "field \"\(unit.name)\"", "none of the labelled cells has a value in it",
        remedy: "name another field with --sample")
    }
    let numbers = try SampleNumbers(database.rows, limit: snapshot.rowLimit())
    let names = found.map(\.text)
    let members = found.map { sample in sample.rows.toArray().map { Int32(numbers[$0]) } }
    self.unit = unit
    self.names = names
    self.members = members
    labels = try LabelTable(joining: database.labels, members: members)
    groups = try database.groups.map {
      try Self.common($0, of: members, names: names, unit: unit) { group in
        "groups \"\(database.groupNames[Int(group)])\""
      }
    }
  }

  /// Cells that are part of a sample.
  var cellCount: Int { members.reduce(0) { $0 + $1.count } }

  /// The task of the samples' labels, as of `LabelTable`.
  func task(_ asked: ClassificationTask?, areLists: Bool) throws -> ClassificationTask {
    try labels.task(asked, areLists: areLists) { "sample \"\(names[$0])\"" }
  }

  /// The cells of the samples that a head learns from, and of those that its training is watched on.
  func cells(of set: TrainingSet) -> TrainingSet {
    TrainingSet(
      samples: set.samples.flatMap { members[Int($0)] },
      validation: set.validation.flatMap { members[Int($0)] })
  }

  /// Whether each sample is of cells that are tested on.
  /// - Throws: `usage` for one that has others, too.
  func sides(_ isTest: [Bool]) throws -> [Bool] {
    try zip(members, names).map { members, name in
      let testCount = members.count { isTest[Int($0)] }
      guard testCount == 0 || testCount == members.count else {
        throw Fault(
          .usage, "sample \"\(name)\"", "has cells to learn from and cells to test on",
          remedy: unit == .image
            ? "choose cells whose images are apart"
            : "choose cells whose samples are apart, or make two of such a sample with --shared-groups")
      }
      return testCount > 0
    }
  }

  /// What the cells of each sample have in common.
  private static func common(
    _ values: [Int32], of members: [[Int32]], names: [String], unit: SampleUnit, spelled: (Int32) -> String
  ) throws -> [Int32] {
    try zip(members, names).map { members, name in
      let value = values[Int(members[0])]
      if let other = members.first(where: { values[Int($0)] != value }) {
        throw Fault(
          .usage, "sample \"\(name)\"",
          "has cells of \(spelled(value)) and of \(spelled(values[Int(other)])), which cannot be split",
          remedy: "group by \(unit.name), by what a \(unit.name) is part of, or let a sample be less")
      }
      return value
    }
  }
}

/// Counts of samples of several cells.
package struct BroughtSamples: Sendable, Equatable {
  package let sampleCount: Int
  package let cellCount: Int
  package let classCount: Int
  package let groupCount: Int?

  init(_ units: UnitSamples) {
    sampleCount = units.labels.count
    cellCount = units.cellCount
    classCount = units.labels.classes.count
    groupCount = units.groups.map { Set($0).count }
  }
}

extension LabelTable {
  /// A sample for each list of samples of another table, with every class that one of them has.
  fileprivate init(joining table: LabelTable, members: [[Int32]]) throws {
    try self.init(
      labels: members.map { members in
        Set(members.flatMap { table.classes(of: $0) }).map { table.classes[Int($0)] }
      })
  }
}
