import Faults

extension LabelTable {
  /// What to say of a sample of several classes where one is wanted.
  func severalLabels(of sample: Int32, named name: String) -> Fault {
    Fault(
      .badData, name, expected: "one label",
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
  private let offsets: [Int32]
  private let members: [Int32]

  /// The table of these labels, one list of class names a sample; names that repeat in a list count once.
  ///
  /// - Parameter classes: the classes to use instead of those that occur, to match an earlier head.
  /// - Throws: `badData` for a sample without a label (samples without labels are for the caller to leave
  ///   out, and to count) or with one that is not among `classes`.
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
    self.offsets = offsets
    self.members = members
  }

  /// The table of these classes, in whatever order and each but once.
  ///
  /// - Parameter classes: the name of each with its samples, none twice, below `count`.
  /// - Throws: `badData` for a sample that is in no class.
  init(count: Int, classes unordered: [(name: String, samples: [Int32])]) throws {
    let classes = unordered.sorted { $0.name < $1.name }
    var offsets = [Int32](repeating: 0, count: count + 1)
    for sample in classes.lazy.flatMap(\.samples) { offsets[Int(sample) + 1] += 1 }
    if let bare = offsets.dropFirst().firstIndex(of: 0) {
      throw Fault(.badData, "sample \(bare - 1)", "has no label", remedy: "leave it out of the training")
    }
    for sample in 0..<count { offsets[sample + 1] += offsets[sample] }
    // Each sample's list is filled from its end, by classes that decrease, and so its offset becomes its start.
    var members = [Int32](repeating: 0, count: Int(offsets[count]))
    for (position, entry) in classes.enumerated().reversed() {
      for sample in entry.samples {
        offsets[Int(sample) + 1] -= 1
        members[Int(offsets[Int(sample) + 1])] = Int32(position)
      }
    }
    offsets.removeFirst()
    offsets.append(Int32(members.count))
    self.classes = classes.map(\.name)
    self.count = count
    positives = classes.map(\.samples.count)
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
  var firstOfSeveral: Int32? {
    guard !isSingle else { return nil }
    return (0..<Int32(count)).first { classes(of: $0).count > 1 }
  }

  /// The classes of one sample, increasing.
  package func classes(of sample: Int32) -> ArraySlice<Int32> {
    members[Int(offsets[Int(sample)])..<Int(offsets[Int(sample) + 1])]
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
  package func positives(among samples: [Int32]) -> [Int] {
    var counts = [Int](repeating: 0, count: classes.count)
    for sample in samples {
      for member in classes(of: sample) { counts[Int(member)] += 1 }
    }
    return counts
  }
}
