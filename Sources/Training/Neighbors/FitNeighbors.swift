import Storage

/// Makes a head of nearest neighbors for each set: its samples vote. Of several numbers of neighbors the one with the best
/// macro F1 on the set's validation samples stays, of equal ones the smallest.
///
/// - Parameters:
///   - targets: how far samples belong to their classes; nil for 1.
///   - progress: called as votes are counted, with no epoch and no loss; a throw ends the work.
/// - Returns: in the order of `sets`.
/// - Throws: `usage` where voters take too much memory, or where there is nothing to choose by; `badData` for vectors with
///   numbers that are none.
func fitNeighbors(
  _ neighbors: NeighborConfiguration, on source: some SampleVectors, labels: LabelTable,
  targets: SoftTargets?, sets: [TrainingSet], configuration: TrainingConfiguration, threads: Int,
  progress: ProgressReport
) throws -> [HeadFit] {
  precondition(configuration.task == .multi || labels.isSingle && targets == nil)
  try configuration.requireValidation(of: sets)
  let voting = Array(sets.reduce(SampleSet([])) { $0.union($1.samples) })
  try VoterTable.requireRoom(
    voters: voting.count, dimension: source.dimension, classes: labels.classes.count)
  try requireFinite(source, samples: voting, threads: threads)
  let table = try VoterTable(of: source, samples: voting, labels: labels, targets: targets)
  return try sets.map { set in
    let all = NeighborHead(
      voters: table, chosen: set.samples.count == voting.count ? nil : places(of: set.samples, among: voting),
      k: neighbors.counts[neighbors.counts.count - 1], temperature: neighbors.temperature)
    let trials = try neighborTrials(
      neighbors, of: all, set: set, source: source, labels: labels, task: configuration.task,
      threads: threads,
      progress: progress)
    let chosen = all.counting(trials.first(where: \.isChosen)?.neighbors ?? all.k)
    var head = Head(
      classes: labels.classes, neighbors: chosen,
      thresholds: labels.classes.map { _ in configuration.fixedThreshold }, task: configuration.task)
    let report = try head.fitSecondStage(
      on: set, in: source, labels: labels, configuration: configuration, threads: threads)
    return HeadFit(head: head, curve: [], trials: [], calibration: report, neighborTrials: trials)
  }
}

/// Where some of the samples lie among all that vote.
/// - Parameter voting: increasing.
private func places(of samples: SampleSet, among voting: [Int32]) -> RowSet {
  var places: [Row] = []
  places.reserveCapacity(samples.count)
  for (place, sample) in voting.enumerated() where samples.contains(sample) { places.append(Row(place)) }
  return RowSet(places)
}

/// What each number of neighbors comes to on the validation samples of a set: one search finds the voters of all.
private func neighborTrials(
  _ neighbors: NeighborConfiguration, of head: NeighborHead, set: TrainingSet, source: some SampleVectors,
  labels: LabelTable, task: ClassificationTask, threads: Int, progress: ProgressReport
) throws -> [NeighborTrial] {
  let counts = neighbors.counts
  guard counts.count > 1 else {
    return [NeighborTrial(neighbors: counts[0], validationMacroF1: nil, isChosen: true)]
  }
  var probabilities = counts.map { _ in [Float]() }
  var shares = [Double](repeating: 0, count: labels.classes.count)
  try head.forEachBatchOfVoters(of: set.validation, in: source, threads: threads) { _, nearest in
    for voters in nearest {
      for (index, k) in counts.enumerated() {
        head.voters.labels.vote(of: voters.prefix(k), temperature: head.temperature, into: &shares)
        probabilities[index] += shares.map { Float($0) }
      }
    }
    try progress(TrainingProgress(fold: set.fold, epoch: 0, loss: 0, validationMacroF1: nil))
  }
  let threshold = task == .single ? 0 : TrainingConfiguration.Defaults.threshold
  let scores = probabilities.map { probabilities in
    Scores(
      probabilities: probabilities, samples: set.validation, labels: labels,
      thresholds: labels.classes.map { _ in threshold }, task: task
    ).macroF1
  }
  var best = 0
  for index in scores.indices.dropFirst() where scores[index] > scores[best] { best = index }
  return counts.indices.map {
    NeighborTrial(neighbors: counts[$0], validationMacroF1: scores[$0], isChosen: $0 == best)
  }
}
