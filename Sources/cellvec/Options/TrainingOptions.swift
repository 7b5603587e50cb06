import ArgumentParser
import Faults
import Storage
import Training

extension ClassificationTask: ExpressibleByArgument {}
extension HeadLoss.Kind: ExpressibleByArgument {}
extension BatchSampling: ExpressibleByArgument {}
extension RateSchedule: ExpressibleByArgument {}
extension ThresholdChoice: ExpressibleByArgument {}
extension CalibrationChoice: ExpressibleByArgument {}
extension TrainingPrecision: ExpressibleByArgument {}

/// What a head learns.
struct TrainingOptions: ParsableArguments {
  @OptionGroup var labels: LabelOptions
  @OptionGroup var samples: SampleOptions

  @Option(help: ArgumentHelp("Folds of cross-validation.", valueName: "count"))
  var folds = TrainingPlan.Defaults.folds

  /// What to say of the labels: texts that look like lists, and a loss that learns several labels of cells which have one.
  func advice(_ fitting: FittingOptions, in snapshot: borrowing Snapshot) throws -> [String] {
    var advice = [try labels.adviceOnLists(in: snapshot)].compactMap(\.self)
    if fitting.task == nil, let loss = fitting.loss, loss.task == .multi,
      snapshot.field(named: labels.field)?.type == .string
    {
      advice.append(
        "\(labels.field) is one label a cell, and --loss \(loss.rawValue) learns each class by itself (--task multi); "
          + "--loss softmax or balanced learns one label")
    }
    return advice
  }

  /// What to say of a grouping that was not asked for.
  var advice: String? { samples.unit == .cell ? labels.advice : nil }

  func plan(_ fitting: FittingOptions) throws -> TrainingPlan {
    let unit = samples.unit
    var plan = TrainingPlan(
      labelField: labels.field, unit: unit,
      // What is brought together in a sample cannot be apart in groups.
      grouping: labels.isGroupingGiven || unit == .cell ? labels.grouping : unit.grouping, folds: folds,
      configuration: try fitting.configuration)
    plan.configuration.attention = samples.attention
    plan.task = fitting.labelsOfCell
    plan.grades = try fitting.grades
    return plan
  }
}

/// How a head is fitted. What is not given is the preset's, else the default.
struct FittingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "So many nearest cells vote; of 1,5,20 the best.", valueName: "counts"))
  var neighbors: String?

  @Option(
    help: ArgumentHelp(
      "A neighbor of similarity s weighs exp(s / temperature); default \(NeighborConfiguration.Defaults.temperature).",
      valueName: "number", visibility: .hidden))
  var temperature: Double?

  @Option(
    help: ArgumentHelp(
      "Start from how others train (cellvec heads presets).", valueName: "name"))
  var preset: String?

  @Option(
    help: ArgumentHelp(
      "One label a cell or several; default by --loss, else by the field's type.",
      valueName: "task"))
  var task: ClassificationTask?

  @Option(help: ArgumentHelp("Widths of hidden layers, as in 512,256, or none.", valueName: "widths"))
  var hidden: String?

  @Option(help: ArgumentHelp("Part of hidden units dropped.", valueName: "part", visibility: .hidden))
  var dropout: Float?

  @Option(
    help: ArgumentHelp(
      "Passes over the cells; default \(TrainingConfiguration.Defaults.epochs).", valueName: "count"))
  var epochs: Int?

  @Option(
    help: ArgumentHelp(
      "Highest rate; default \(TrainingConfiguration.Defaults.learningRate). Of 1e-3,1e-2 the best.",
      valueName: "rate"))
  var learningRate: String?

  @Option(
    help: ArgumentHelp(
      "Decoupled weight decay of AdamW; default \(TrainingConfiguration.Defaults.weightDecay). Several as with rates.",
      valueName: "rate", visibility: .hidden))
  var weightDecay: String?

  @Option(
    help: ArgumentHelp(
      "Cells a step; default by the number of cells.", valueName: "count", visibility: .hidden))
  var batchSize: Int?

  @Option(
    help: ArgumentHelp(
      "What training lowers; decides --task, too: focal makes it multi.", valueName: "loss",
      visibility: .hidden))
  var loss: HeadLoss.Kind?

  @Option(
    help: ArgumentHelp(
      "Numbers of the loss: what positives count (weighted); alpha,gamma (focal); gamma+,gamma-,margin (asymmetric); smoothing (softmax, balanced).",
      valueName: "numbers", visibility: .hidden))
  var lossNumbers: String?

  @Option(help: ArgumentHelp("How cells come into batches.", valueName: "way", visibility: .hidden))
  var sampling: BatchSampling?

  @Option(help: ArgumentHelp("How the rate moves.", valueName: "way", visibility: .hidden))
  var schedule: RateSchedule?

  @Option(
    help: ArgumentHelp(
      "Stop after so many epochs without a better macro F1 on a fifth of the groups; keep the best.",
      valueName: "epochs", visibility: .hidden))
  var patience: Int?

  @Option(
    help: ArgumentHelp("Average heads of so many seeds.", valueName: "count", visibility: .hidden))
  var ensemble: Int?

  @Option(
    help: ArgumentHelp(
      "Of classes; fixed is 0.5.", valueName: "way"))
  var thresholds: ThresholdChoice?

  @Option(
    help: ArgumentHelp(
      "Correct probabilities on other groups.", valueName: "way"))
  var calibrate: CalibrationChoice?

  @Option(
    help: ArgumentHelp(
      "Of one label, predict none that is less probable.", valueName: "p"))
  var abstainBelow: Float?

  @Option(
    name: .customLong("grades"),
    help: ArgumentHelp(
      "List field with the grades of labels, as nucleoplasm:3.", valueName: "field", visibility: .hidden))
  var gradeField: String?

  @Option(
    help: ArgumentHelp(
      "What grades are learned as; default 3=1,2=0.5,1=0.25.", valueName: "targets", visibility: .hidden))
  var gradeTargets: String?

  @Option(
    help: ArgumentHelp("Numbers that are multiplied.", valueName: "numbers", visibility: .hidden))
  var precision: TrainingPrecision?

  @Option(help: "Seed of folds, weights and order.") var seed: UInt64 = 0

  func validate() throws {
    if let hidden, hidden != "none", !names(in: hidden).allSatisfy({ Int($0) != nil }) {
      throw ValidationError("--hidden: expected widths such as 512,256, found \"\(hidden)\"")
    }
    for (option, text) in [
      ("--learning-rate", learningRate), ("--weight-decay", weightDecay), ("--loss-numbers", lossNumbers),
    ] {
      if let text, numbers(in: text) == nil {
        throw ValidationError("\(option): expected numbers such as 0.01 or 1e-3,1e-2, found \"\(text)\"")
      }
    }
    if lossNumbers != nil && loss == nil { throw ValidationError("--loss-numbers goes with --loss") }
    if let task, let loss, loss.task != task {
      throw ValidationError("--loss \(loss.rawValue) goes with --task \(loss.task.rawValue)")
    }
    if gradeTargets != nil && gradeField == nil {
      throw ValidationError("--grade-targets goes with --grades")
    }
    if let neighbors, neighborCounts?.contains(where: { $0 < 1 }) ?? true {
      throw ValidationError(
        "--neighbors: expected whole numbers from 1 such as 1,5,20, found \"\(neighbors)\"")
    }
    if let temperature, !(temperature > 0 && temperature.isFinite) {
      throw ValidationError("--temperature: expected a number above 0, found \(temperature)")
    }
  }

  /// Refuses options of training beside neighbors that vote.
  /// - Throws: `ValidationError`.
  func requireOneKindOfHead() throws {
    if neighbors == nil, temperature != nil { throw ValidationError("--temperature goes with --neighbors") }
    if neighbors != nil { try requireNoTraining(beside: "--neighbors") }
  }

  /// - Throws: `ValidationError`.
  func requireNoTraining(beside other: String) throws {
    let trained: [(option: String, isGiven: Bool)] = [
      ("--preset", preset != nil), ("--hidden", hidden != nil), ("--dropout", dropout != nil),
      ("--epochs", epochs != nil), ("--learning-rate", learningRate != nil),
      ("--weight-decay", weightDecay != nil), ("--batch-size", batchSize != nil), ("--loss", loss != nil),
      ("--sampling", sampling != nil), ("--schedule", schedule != nil), ("--patience", patience != nil),
      ("--ensemble", ensemble != nil), ("--precision", precision != nil),
    ]
    if let given = trained.first(where: \.isGiven) {
      throw ValidationError("\(given.option) is about training, and with \(other) nothing is trained")
    }
  }

  /// nil where a number is none.
  private var neighborCounts: [Int]? {
    let parts = neighbors.map { names(in: $0) } ?? []
    let counts = parts.compactMap { Int($0) }
    return counts.isEmpty || counts.count < parts.count ? nil : counts
  }

  private func numbers(in text: String) -> [Double]? {
    let numbers = names(in: text).map(Double.init)
    return numbers.isEmpty || numbers.contains(nil) ? nil : numbers.compactMap { $0 }
  }

  /// The task that is asked for, by itself or with a loss; nil for what the labels say.
  var labelsOfCell: ClassificationTask? { task ?? loss?.task }

  /// - Throws: `usage` for an unknown preset, or numbers that the loss does not take.
  var configuration: TrainingConfiguration {
    get throws {
      var configuration = try preset.map(Self.presetConfiguration) ?? TrainingConfiguration()
      configuration.seed = seed
      if let hidden { configuration.architecture.hidden = names(in: hidden).compactMap { Int($0) } }
      if let dropout { configuration.architecture.dropout = dropout }
      if let epochs { configuration.epochs = epochs }
      if let batchSize { configuration.batchSize = batchSize }
      applyRates(to: &configuration)
      if let loss { configuration.loss = try headLoss(loss) }
      if let sampling { configuration.sampling = sampling }
      if let schedule { configuration.schedule = schedule }
      if let patience { configuration.patience = patience }
      if let ensemble { configuration.ensembleCount = ensemble }
      if let thresholds { configuration.thresholds = thresholds }
      if let calibrate { configuration.calibration = calibrate }
      if let precision { configuration.precision = precision }
      if let abstainBelow { configuration.abstainBelow = abstainBelow }
      if neighbors != nil { configuration.neighbors = voting }
      return configuration
    }
  }

  /// How neighbors vote.
  var voting: NeighborConfiguration {
    NeighborConfiguration(
      counts: neighborCounts ?? NeighborConfiguration.Defaults.counts,
      temperature: temperature ?? NeighborConfiguration.Defaults.temperature)
  }

  private static func presetConfiguration(_ name: String) throws -> TrainingConfiguration {
    guard let preset = HeadPreset.all.first(where: { $0.name == name }) else {
      throw Fault.unknownName(.usage, "preset", name, among: HeadPreset.all.map(\.name))
    }
    return preset.configuration
  }

  private func applyRates(to configuration: inout TrainingConfiguration) {
    let rates = learningRate.flatMap(numbers)
    let decays = weightDecay.flatMap(numbers)
    guard rates != nil || decays != nil else { return }
    let grid = ParameterGrid(
      learningRates: rates ?? configuration.grid?.learningRates ?? [configuration.initialLearningRate],
      weightDecays: decays ?? configuration.grid?.weightDecays ?? [configuration.weightDecay])
    if grid.learningRates.count * grid.weightDecays.count > 1 {
      configuration.grid = grid
    } else {
      configuration.grid = nil
      configuration.learningRate = grid.learningRates[0]
      configuration.weightDecay = grid.weightDecays[0]
    }
  }

  private func headLoss(_ kind: HeadLoss.Kind) throws -> HeadLoss {
    let given = lossNumbers.flatMap(numbers)?.map { Float($0) }
    func require(_ count: Int) throws -> [Float]? {
      guard let given, given.count != count else { return given }
      throw Fault(
        .usage, "--loss-numbers", expected: "\(count) for \(kind.rawValue)", found: "\(given.count)")
    }
    switch kind {
    case .binary: return try require(0).map { _ in .binary } ?? .binary
    case .weighted: return .weighted(factor: try require(1)?[0])
    case .focal: return try require(2).map { .focal(alpha: $0[0], gamma: $0[1]) } ?? HeadLoss.Defaults.focal
    case .asymmetric:
      return try require(3).map { .asymmetric(positive: $0[0], negative: $0[1], margin: $0[2]) }
        ?? HeadLoss.Defaults.asymmetric
    case .softmax, .balanced:
      return .softmax(isBalanced: kind == .balanced, smoothing: try require(1)?[0] ?? 0)
    }
  }

  /// The field of grades and what they are learned as; nil without one.
  var grades: (field: String, targets: GradeTargets)? {
    get throws {
      guard let gradeField else { return nil }
      return (gradeField, try gradeTargets.map { try GradeTargets($0) } ?? .openCell)
    }
  }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
  /// All names, for help.
  static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
