import Faults

extension TrainingSet {
  /// Parts that the samples are cut into, one of which is watched.
  private static let validationParts = 5

  /// These samples, less a fifth of them that the training is watched on where the configuration asks for
  /// such: whole groups, stratified by class, which the seed chooses.
  ///
  /// - Parameter groups: the group of each sample of the table; nil when samples are not grouped.
  /// - Throws: `usage` when there are too few samples or groups for it.
  init(
    _ samples: [Int32], fold: Int? = nil, labels: LabelTable, groups: [Int32]?,
    configuration: TrainingConfiguration
  ) throws {
    guard let reason = configuration.reasonForValidation else {
      self.init(samples: samples, fold: fold)
      return
    }
    let groupOfSample = groups ?? Array(0..<Int32(labels.count))
    let own = samples.map { groupOfSample[Int($0)] }
    let groupCount = Set(own).count
    guard groupCount >= Self.validationParts else {
      throw Fault(
        .usage, reason,
        expected: "at least \(Self.validationParts) groups to take the validation samples from",
        found: "\(groupCount)", remedy: "group by a finer field, select more cells, or leave it out")
    }
    let table = GroupTable(groups: own, labels: try labels.table(of: samples))
    let partOfGroup = table.stratified(into: Self.validationParts, seed: configuration.seed)
    var isGroupWatched = partOfGroup.map { $0 == 0 }
    // A class all of whose groups would be watched could not be learned: its first group stays.
    var groupsOfClass = [Set<Int>](repeating: [], count: labels.classes.count)
    for (sample, group) in zip(samples, table.groupOfSample) {
      for member in labels.classes(of: sample) { groupsOfClass[Int(member)].insert(Int(group)) }
    }
    for own in groupsOfClass where own.allSatisfy({ isGroupWatched[$0] }) {
      if let first = own.min() { isGroupWatched[first] = false }
    }
    guard isGroupWatched.contains(true) else {
      throw Fault(
        .usage, reason, "has no group to look at: each is the only one of a class",
        remedy: "group by a finer field, select more cells, or leave it out")
    }
    let isWatched = table.groupOfSample.map { isGroupWatched[Int($0)] }
    self.init(
      samples: samples.indices.filter { !isWatched[$0] }.map { samples[$0] },
      validation: samples.indices.filter { isWatched[$0] }.map { samples[$0] }, fold: fold)
  }
}

extension LabelTable {
  /// The table of these samples, in this order, with the same classes.
  fileprivate func table(of samples: [Int32]) throws -> LabelTable {
    try LabelTable(
      labels: samples.map { sample in self.classes(of: sample).map { classes[Int($0)] } }, classes: classes)
  }
}
