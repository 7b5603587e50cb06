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
    let table = GroupTable(groups: groupOfSample, labels: labels, samples: samples)
    guard table.count >= Self.validationParts else {
      throw Fault(
        .usage, reason,
        expected: "at least \(Self.validationParts) groups to take the validation samples from",
        found: "\(table.count)", remedy: "group by a finer field, select more cells, or leave it out")
    }
    let partOfGroup = table.stratified(into: Self.validationParts, seed: configuration.seed)
    let isGroupWatched = table.leavingEachClass(partOfGroup.map { $0 == 0 })
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
