import Faults

extension TrainingSet {
  /// The share of the samples that is watched, and the fewest groups of which it is taken.
  private static let validationShare = 0.2
  private static let fewestGroups = 5

  /// These samples, less a fifth of them that the training is watched on where the configuration asks for
  /// such: whole groups, stratified by class, which the seed chooses.
  ///
  /// - Parameter groups: the group of each sample of the table; nil when samples are not grouped.
  /// - Throws: `usage` when there are too few samples or groups for it.
  init(
    _ samples: some Sequence<Int32>, fold: Int? = nil, labels: LabelTable, groups: [Int32]?,
    configuration: TrainingConfiguration
  ) throws {
    guard let reason = configuration.reasonForValidation else {
      self.init(samples: SampleSet(samples), fold: fold)
      return
    }
    let samples = Array(samples)
    let groupOfSample = groups ?? Array(0..<Int32(labels.count))
    let table = try GroupTable(groups: groupOfSample, labels: labels, samples: samples)
    guard table.count >= Self.fewestGroups else {
      throw Fault(
        .usage, reason,
        expected: "at least \(Self.fewestGroups) groups to take the validation samples from",
        found: "\(table.count)", remedy: "group by a finer field, select more cells, or leave it out")
    }
    let isGroupWatched = table.validationGroups(share: Self.validationShare, seed: configuration.seed)
    guard isGroupWatched.contains(true) else {
      throw Fault(
        .usage, reason, "has no group to look at: each is the only one of a class",
        remedy: "group by a finer field, select more cells, or leave it out")
    }
    let isWatched = table.groupOfSample.map { isGroupWatched[Int($0)] }
    let watched = samples.indices.filter { isWatched[$0] }.map { samples[$0] }
    self.init(
      samples: SampleSet(samples.indices.lazy.filter { !isWatched[$0] }.map { samples[$0] }),
      validation: watched,
      validationGroups: watched.map { groupOfSample[Int($0)] }, fold: fold)
  }
}
