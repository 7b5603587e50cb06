import Faults

extension LabelTable {
  /// The task of these labels: what is asked for, else that of their field's type. Cells of one label each may be brought
  /// together in samples of several, which have several.
  ///
  /// - Parameters:
  ///   - asked: nil for what field and samples say.
  ///   - areLists: whether the labels are of a list field.
  ///   - name: of a sample, for faults.
  /// - Throws: `badData` for a sample with several labels where one is wanted.
  func task(
    _ asked: ClassificationTask?, areLists: Bool, name: (_ sample: Int) -> String
  ) throws -> ClassificationTask {
    let task = asked ?? (isSingle ? ClassificationTask(areLists: areLists) : .multi)
    guard task == .single, let sample = firstOfSeveral else { return task }
    throw Fault(
      .badData, name(Int(sample)), expected: "one label",
      found: classes(of: sample).map { "\"\(classes[Int($0)])\"" }.joined(separator: ", "),
      remedy: "leave it out, or ask for --task multi")
  }
}

/// Which classes each sample belongs to: a multi-hot table [sample, class], kept as the list of every
/// sample's classes.
package struct LabelTable: Sendable, Equatable {
  /// Class names, sorted; a class is known by its position here.
  package let classes: [String]
  /// How many samples there are.
  package let count: Int
  /// Samples of each class.
  package let positives: [Int]
  // Classes of sample i, increasing: members[offsets[i]..<offsets[i + 1]].
  private let offsets: ScratchTable<Int32>
  private let members: ScratchTable<Int32>

  /// The table of these labels, one list of class names a sample; names that repeat in a list count once.
  ///
  /// - Parameter classes: the classes to use instead of those that occur, to match an earlier head.
  /// - Throws: `badData` for a sample without a label (samples without labels are for the caller to leave
  ///   out, and to count) or with one that is not among `classes`; as `ScratchTable`.
  package init(labels: [[String]], classes given: [String]? = nil) throws {
    let classes = Set(given ?? labels.flatMap { $0 }).sorted()
    let positions = Dictionary(uniqueKeysWithValues: zip(classes, 0..<Int32(classes.count)))
    var offsets: [Int32] = [0]
    var members: [Int32] = []
    var positives = [Int](repeating: 0, count: classes.count)
    offsets.reserveCapacity(labels.count + 1)
    for (sample, names) in labels.enumerated() {
      guard !names.isEmpty else {
        throw Fault(.badData, "sample \(sample)", "has no label", remedy: "leave it out of the training")
      }
      var found: Set<Int32> = []
      for name in names {
        guard let position = positions[name] else {
          throw Fault(
            .badData, "sample \(sample)", expected: "one of the \(classes.count) given classes",
            found: "\"\(name)\"", remedy: "rename the label, or add the class")
        }
        if found.insert(position).inserted { positives[Int(position)] += 1 }
      }
      members += found.sorted()
      offsets.append(Int32(members.count))
    }
    self.classes = classes
    self.count = labels.count
    self.positives = positives
    self.offsets = try ScratchTable(offsets)
    self.members = try ScratchTable(members)
  }

  /// The table of these classes, in whatever order and each but once.
  ///
  /// - Parameters:
  ///   - classes: their names.
  ///   - samples: those of the class in a place of `classes`, none twice, below `count`; asked for twice, so that the
  ///     samples of all classes need not be there at once.
  /// - Throws: `badData` for a sample that is in no class; as `ScratchTable`.
  init<Samples: Sequence<Int32>>(
    count: Int, classes unordered: [String], samples: (_ place: Int) throws -> Samples
  ) throws {
    let order = unordered.indices.sorted { unordered[$0] < unordered[$1] }
    let offsets = try ScratchTable<Int32>(count: count + 1)
    let ends = offsets.start
    var positives: [Int] = []
    for place in order {
      var found = 0
      for sample in try samples(place) {
        ends[Int(sample)] += 1
        found += 1
      }
      positives.append(found)
    }
    if let bare = offsets.dropLast().firstIndex(of: 0) {
      throw Fault(.badData, "sample \(bare)", "has no label", remedy: "leave it out of the training")
    }
    for sample in 0..<count { ends[sample + 1] = ends[sample] + ends[sample + 1] }
    // Each sample's list is filled from its end, by classes that decrease, and so its end becomes its start.
    let members = try ScratchTable<Int32>(count: Int(ends[count]))
    for (position, place) in order.enumerated().reversed() {
      for sample in try samples(place) {
        ends[Int(sample)] -= 1
        members.start[Int(ends[Int(sample)])] = Int32(position)
      }
    }
    classes = order.map { unordered[$0] }
    self.count = count
    self.positives = positives
    self.offsets = offsets
    self.members = members
  }

  /// Whether a sample belongs to a class.
  func contains(_ member: Int32, of sample: Int32) -> Bool {
    for place in Int(offsets[Int(sample)])..<Int(offsets[Int(sample) + 1]) where members[place] == member {
      return true
    }
    return false
  }

  /// Whether each sample belongs to one class.
  package var isSingle: Bool { members.count == count }

  /// The first sample of several classes; nil where there is none.
  private var firstOfSeveral: Int32? {
    guard !isSingle else { return nil }
    return (0..<Int32(count)).first { classes(of: $0).count > 1 }
  }

  /// The classes of one sample, increasing.
  package func classes(of sample: Int32) -> SampleClasses {
    SampleClasses(
      members: members, startIndex: Int(offsets[Int(sample)]), endIndex: Int(offsets[Int(sample) + 1]))
  }

  /// Calls `body` with the classes of a sample and their places among all memberships.
  @inline(__always) func forEachClass(of sample: Int32, _ body: (_ place: Int, _ member: Int32) -> Void) {
    for place in Int(offsets[Int(sample)])..<Int(offsets[Int(sample) + 1]) { body(place, members[place]) }
  }

  /// Writes the multi-hot rows of these samples as 0 and 1.
  /// - Shape: `targets` receives [indices.count, classes.count], row-major.
  package func gather(_ indices: ArraySlice<Int32>, into targets: UnsafeMutableBufferPointer<Float>) {
    let width = classes.count
    targets.extracting(0..<indices.count * width).update(repeating: 0)
    for (position, sample) in indices.enumerated() {
      for member in classes(of: sample) { targets[position * width + Int(member)] = 1 }
    }
  }

  /// How many of these samples belong to each class.
  package func positives(among samples: some Sequence<Int32>) -> [Int] {
    var counts = [Int](repeating: 0, count: classes.count)
    for sample in samples {
      for member in classes(of: sample) { counts[Int(member)] += 1 }
    }
    return counts
  }
}

/// The classes of a sample, in the places of their table's memberships.
package struct SampleClasses: RandomAccessCollection, Sendable {
  fileprivate let members: ScratchTable<Int32>
  package let startIndex: Int
  package let endIndex: Int

  package subscript(place: Int) -> Int32 { members[place] }
}
