import Faults

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
