import Faults

extension TrainingConfiguration {
  /// - Throws: `usage` for a value with which nothing can be trained.
  func validate() throws {
    try validateAlone()
    try validateDecisions()
  }

  /// The same for a task, which may be another one than the loss was for.
  /// - Parameter hasGrades: whether labels are to be learned as their grades.
  func checked(for task: ClassificationTask, hasGrades: Bool) throws -> TrainingConfiguration {
    guard task == .multi || !hasGrades else {
      throw Fault(
        .usage, "grades", "go with several labels a cell", remedy: "leave them out, or ask for --task multi")
    }
    let configuration = adapted(to: task)
    try configuration.validate()
    return configuration
  }

  /// - Throws: `usage` where something is tuned on validation samples, of which a set has none.
  func requireValidation(of sets: some Sequence<TrainingSet>) throws {
    guard let reason = reasonForValidation, sets.contains(where: \.validation.isEmpty) else { return }
    throw Fault(
      .usage, reason, "needs validation samples, and there are none",
      remedy: "select more cells or groups, or leave it out")
  }

  /// Validates each value for itself, whatever the task.
  /// - Throws: as `validate`.
  func validateAlone() throws {
    func require(_ holds: Bool, _ option: String, expected: String, found: some CustomStringConvertible)
      throws
    {
      if !holds { throw Fault(.usage, option, expected: expected, found: "\(found)") }
    }
    for width in architecture.hidden {
      try require(
        (1...65_536).contains(width), "hidden", expected: "layer widths from 1 to 65536", found: width)
    }
    try require(
      (0..<1).contains(architecture.dropout), "dropout", expected: "a probability below 1",
      found: architecture.dropout)
    try require((1...1_000_000).contains(epochs), "epochs", expected: "1 to 1000000", found: epochs)
    if let batchSize {
      try require(
        (1...1_048_576).contains(batchSize), "batch size", expected: "1 to 1048576 samples", found: batchSize)
    }
    if let patience { try require(patience >= 1, "patience", expected: "at least 1 epoch", found: patience) }
    try require(
      (1...100).contains(ensembleCount), "ensemble", expected: "1 to 100 heads", found: ensembleCount)
    try require(
      (1...256).contains(trials.count), "grid", expected: "1 to 256 pairs of rate and decay",
      found: trials.count)
    for (rate, decay) in trials {
      try require(
        rate > 0 && rate <= 1000, "learning rate", expected: "a number above 0 and up to 1000", found: rate)
      try require(
        decay >= 0 && decay * rate < 1, "weight decay", expected: "0 or more, and below 1 / learning rate",
        found: decay)
    }
    switch loss {
    case .binary: break
    case .weighted(let factor):
      try require(
        factor.map { $0 > 0 && $0.isFinite } ?? true, "loss", expected: "a positive factor",
        found: factor ?? 0)
    case .focal(let alpha, let gamma):
      try require(
        alpha.map { (0...1).contains($0) } ?? true, "loss", expected: "an alpha from 0 to 1",
        found: alpha ?? 0)
      try require((0...20).contains(gamma), "loss", expected: "a gamma from 0 to 20", found: gamma)
    case .asymmetric(let positive, let negative, let margin):
      for gamma in [positive, negative] {
        try require((0...20).contains(gamma), "loss", expected: "gammas from 0 to 20", found: gamma)
      }
      try require((0..<1).contains(margin), "loss", expected: "a margin from 0 to below 1", found: margin)
    case .softmax(_, let smoothing):
      try require(
        (0..<1).contains(smoothing), "loss", expected: "a smoothing from 0 to below 1", found: smoothing)
    }
    try require(
      (0...1).contains(abstainBelow), "abstain below", expected: "a probability from 0 to 1",
      found: abstainBelow)
    try neighbors?.validate()
    guard neighbors == nil || attention == nil else {
      throw Fault(
        .usage, "nearest neighbors", "have no attention, which is learned",
        remedy: "leave out --pool attention: neighbors of means vote")
    }
  }

  /// - Throws: `usage` for ways to decide that the task does not know.
  private func validateDecisions() throws {
    switch task {
    case .single:
      guard thresholds == .fixed else {
        throw Fault(
          .usage, "fitted thresholds",
          "go with several labels a cell: of one label the likeliest class is predicted",
          remedy: "leave them out, let the head abstain with --abstain-below, or ask for --task multi")
      }
      guard calibration != .isotonic else {
        throw Fault(
          .usage, "isotonic calibration", "goes with several labels a cell, each corrected by itself",
          remedy: "calibrate by temperature, or ask for --task multi")
      }
    case .multi:
      guard abstainBelow == 0 else {
        throw Fault(
          .usage, "--abstain-below", "goes with one label a cell: of several each class has its threshold",
          remedy: "leave it out, or ask for --task single")
      }
    }
  }
}
