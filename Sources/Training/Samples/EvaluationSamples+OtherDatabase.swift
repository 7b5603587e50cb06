import Faults
import Storage

extension EvaluationSamples {
  /// The samples of two databases, of which the first teaches and the other tests.
  ///
  /// Images are those of their database, whatever they are called; equal values of a field are one group.
  init(teaching: EvaluationSamples, testing: EvaluationSamples, grouping: FoldGrouping) throws {
    let (first, other) = (teaching.labels, testing.labels)
    labels = try LabelTable(joining: first, other)
    let groups = Self.groups(teaching.subjects, testing.subjects, areApart: grouping == .image)
    subjects = SplitSubjects(
      labels: labels, groups: groups?.numbers, groupNames: groups?.names ?? [],
      groupsAreImages: grouping == .image,
      isTest: Array(repeating: false, count: first.count) + Array(repeating: true, count: other.count))
    cells = teaching.cells
    testCells = testing.cells
    let shift = Int32(teaching.cells.count)
    members = teaching.members.flatMap { own in
      testing.members.map { own + $0.map { cells in cells.map { $0 + shift } } }
    }
    areLists = teaching.areLists || testing.areLists
    targets = nil
    let table = labels
    let list = (0..<table.count).lazy.map { index in
      let sample =
        index < first.count ? teaching.samples[index] : testing.samples[index - first.count]
      return Evaluation.Sample(
        row: sample.row, cellCount: sample.cellCount, name: sample.name, image: sample.image,
        group: sample.group, labels: table.classes(of: Int32(index)).map(Int.init))
    }
    samples = try Evaluation.SampleTable(list, labelCount: table.positives.reduce(0, +))
    let (left, right) = (teaching.leftOut, testing.leftOut)
    leftOut = EvaluationOutcome.LeftOut(
      withoutVector: left.withoutVector + right.withoutVector,
      withoutLabel: left.withoutLabel + right.withoutLabel,
      withoutGroup: left.withoutGroup + right.withoutGroup,
      withoutSample: left.withoutSample + right.withoutSample)
    fingerprint = Self.fingerprint(of: samples, classes: table.classes)
  }

  /// - Parameter areApart: whether groups of one name are two.
  static func groups(
    _ first: SplitSubjects, _ other: SplitSubjects, areApart: Bool
  ) -> (numbers: [Int32], names: [String])? {
    guard let left = first.groups, let right = other.groups else { return nil }
    var names = first.groupNames
    if areApart {
      // Images of one database may share a name, too.
      let shift = Int32(names.count)
      return (left + right.map { $0 + shift }, names + other.groupNames)
    }
    var numbers = Dictionary(zip(names, names.indices)) { first, _ in first }
    let numbersOfOther = other.groupNames.map { name -> Int32 in
      if let number = numbers[name] { return Int32(number) }
      numbers[name] = names.count
      names.append(name)
      return Int32(names.count - 1)
    }
    return (left + right.map { numbersOfOther[Int($0)] }, names)
  }

  /// The vectors of the samples, of which some lie in the other database.
  func vectors(
    in space: SpaceRecord, of snapshot: borrowing Snapshot, and otherSpace: SpaceRecord,
    of other: borrowing Snapshot
  ) throws -> UnitVectors {
    UnitVectors(
      of: JoinedVectors(
        first: try BlockVectors(snapshot: snapshot, space: space, rows: cells),
        other: try BlockVectors(snapshot: other, space: otherSpace, rows: testCells)),
      members: members)
  }
}

extension LabelTable {
  /// The samples of two tables, those of the other one behind those of the first, with the classes of both.
  fileprivate init(joining first: LabelTable, _ other: LabelTable) throws {
    let (count, border) = (first.count + other.count, Int32(first.count))
    let names = Set(first.classes + other.classes).sorted()
    try self.init(count: count, classes: names) { place in
      let ofFirst = first.classes.firstIndex(of: names[place]).map(Int32.init)
      let ofOther = other.classes.firstIndex(of: names[place]).map(Int32.init)
      return SampleSet(below: count) { sample in
        sample < border
          ? ofFirst.map { first.contains($0, of: sample) } ?? false
          : ofOther.map { other.contains($0, of: sample - border) } ?? false
      }
    }
  }
}

/// Vectors of two databases, those of the other one behind those of the first.
private struct JoinedVectors: SampleVectors {
  let first: BlockVectors
  let other: BlockVectors

  var dimension: Int { first.dimension }
  var count: Int { first.count + other.count }

  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    let border = Int32(first.count)
    var start = indices.startIndex
    while start < indices.endIndex {
      // Runs of one database are read together.
      let isOther = indices[start] >= border
      let end = indices[start...].firstIndex { ($0 >= border) != isOther } ?? indices.endIndex
      let place = (start - indices.startIndex) * dimension
      let target = batch.extracting(place..<place + (end - start) * dimension)
      if isOther {
        other.gather(indices[start..<end].map { $0 - border }[...], into: target)
      } else {
        first.gather(indices[start..<end], into: target)
      }
      start = end
    }
  }
}

extension Snapshot {
  /// The space whose vectors mean the same as those of another database's: of the same recipe and backbone, or, of
  /// imported vectors, of the same name.
  ///
  /// - Parameter name: of this database, for faults.
  /// - Throws: `usage` where there is none.
  func requiredSpace(like space: SpaceRecord, inDatabase name: String) throws -> SpaceRecord {
    let origin = HeadSpace(space)
    let found = spaces.filter(origin.isSame)
    if let space = found.first(where: { $0.name == space.name }) ?? found.first { return space }
    let made = space.backboneHash.map { "embedded by the backbone \($0) with its recipe" } ?? "imported"
    throw Fault(
      .usage, "database \"\(name)\"",
      "has no vectors that mean what those of space \"\(space.name)\" do: \(space.dimension) numbers, \(made)",
      remedy: space.backboneHash == nil
        ? "import its vectors into a space of this name, or choose others with --spaces"
        : "ingest its images with the same recipe and backbone, or choose other spaces with --spaces")
  }
}
