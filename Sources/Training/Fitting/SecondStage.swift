import Glibc

/// How well probabilities say how often they are right, on validation samples.
package struct CalibrationReport: Sendable, Equatable, Codable {
  package struct Reliability: Sendable, Equatable, Codable {
    /// Expected calibration error: the mean distance of a probability from the part that is positive, over 15
    /// bins of equal width (Guo et al., 2017, equation 3); see `Calibration`.
    package let expectedError: Double
    /// Mean square of probability less label; see `Calibration`.
    package let brier: Double
  }

  package let samples: Int
  package let before: Reliability
  /// Of corrections that were not fitted to the samples which they correct, where there is a `partCount`.
  package let after: Reliability
  /// How many parts the samples were divided into, groups kept together: those of each part are corrected by what was
  /// fitted to the others. nil where there were too few groups, and in older records: then `after` is of the correction
  /// that was fitted to these very samples, and too good.
  package let partCount: Int?
}

extension Head {
  /// Fits the calibration, then the thresholds of calibrated probabilities, on samples that weights were not
  /// fitted to.
  /// - Parameter threads: that look for neighbors.
  /// - Returns: nil where nothing is calibrated, and of heads of folds: these are tested on samples of their own.
  mutating func fitSecondStage(
    on set: TrainingSet, in source: some SampleVectors, labels: LabelTable,
    configuration: TrainingConfiguration, threads: Int = 1
  ) throws -> CalibrationReport? {
    guard configuration.calibration != .none || configuration.thresholds == .fitted else { return nil }
    let chances = try uncorrectedChances(of: set.validation, in: source, threads: threads)
    let uncorrected = ValidationTable(
      probabilities: chances.probabilities, complements: chances.complements, samples: set.validation,
      labels: labels, task: task)
    calibration = uncorrected.calibration(configuration.calibration)
    var table = uncorrected
    table.apply(calibration)
    if configuration.thresholds == .fitted {
      thresholds = table.fittedThresholds(groups: set.validationGroups)
    }
    guard configuration.calibration != .none, set.fold == nil else { return nil }
    let crossed = uncorrected.crossFitted(configuration.calibration, groups: set.validationGroups)
    return CalibrationReport(
      samples: set.validation.count, before: uncorrected.reliability,
      after: (crossed?.table ?? table).reliability, partCount: crossed?.parts)
  }
}

/// Probabilities of validation samples with their labels.
struct ValidationTable {
  private(set) var probabilities: [Float]
  /// 1 - p of each probability p; empty where it is not known better than from p.
  private var complements: [Float]
  private(set) var isPositive: [Bool]
  let classCount: Int
  private let task: ClassificationTask

  /// The most parts that samples are divided into to correct each by what the others say.
  private static let partLimit = 5

  /// - Parameter complements: as `Head.uncorrectedChances` gives them; empty where 1 - p is not known better than from p.
  init(
    probabilities: [Float], complements: [Float] = [], samples: [Int32], labels: LabelTable,
    task: ClassificationTask = .multi
  ) {
    precondition(complements.isEmpty || complements.count == probabilities.count)
    self.probabilities = probabilities
    self.complements = complements
    self.task = task
    classCount = labels.classes.count
    isPositive = Array(repeating: false, count: probabilities.count)
    for (row, sample) in samples.enumerated() {
      for member in labels.classes(of: sample) { isPositive[row * classCount + Int(member)] = true }
    }
  }

  /// Corrects the probabilities as a head with this calibration does.
  mutating func apply(_ calibration: HeadCalibration) {
    if calibration == .none { return }
    let (classCount, task, complements) = (classCount, task, complements)
    complements.withUnsafeBufferPointer { complements in
      probabilities.withUnsafeMutableBufferPointer {
        calibration.apply(
          to: $0, complements: complements.isEmpty ? nil : complements, classCount: classCount, task: task)
      }
    }
    self.complements = []
  }

  /// The correction of a kind that fits these samples.
  func calibration(_ choice: CalibrationChoice) -> HeadCalibration {
    switch choice {
    case .none: .none
    case .temperature: .temperature(temperature)
    case .isotonic: .isotonic((0..<classCount).map { isotonicCurve(of: $0) })
    }
  }

  /// Each sample corrected by what is fitted to those of other parts; nil where there is one group.
  /// - Parameter groups: of each sample, which a part has whole; empty where each sample is by itself.
  func crossFitted(
    _ choice: CalibrationChoice, groups: [Int32]
  ) -> (table: ValidationTable, parts: Int)? {
    let count = classCount > 0 ? probabilities.count / classCount : 0
    let groups = groups.isEmpty ? Array(0..<Int32(count)) : groups
    let known = Set(groups).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(known, known.indices))
    let parts = min(Self.partLimit, known.count)
    guard parts > 1 else { return nil }
    let partOfSample = groups.map { (numbers[$0] ?? 0) % parts }
    var crossed = self
    crossed.complements = []
    for part in 0..<parts {
      var own = rows(partOfSample.indices.filter { partOfSample[$0] == part })
      own.apply(rows(partOfSample.indices.filter { partOfSample[$0] != part }).calibration(choice))
      for (place, row) in partOfSample.indices.filter({ partOfSample[$0] == part }).enumerated() {
        for index in 0..<classCount {
          crossed.probabilities[row * classCount + index] = own.probabilities[place * classCount + index]
        }
      }
    }
    return (crossed, parts)
  }

  /// The table of some of the samples.
  func rows(_ rows: [Int]) -> ValidationTable {
    var table = self
    table.probabilities = rows.flatMap { probabilities[$0 * classCount..<($0 + 1) * classCount] }
    table.complements =
      complements.isEmpty ? [] : rows.flatMap { complements[$0 * classCount..<($0 + 1) * classCount] }
    table.isPositive = rows.flatMap { isPositive[$0 * classCount..<($0 + 1) * classCount] }
    return table
  }

  func column(_ index: Int) -> [(probability: Float, isPositive: Bool)] {
    stride(from: index, to: probabilities.count, by: classCount).map { (probabilities[$0], isPositive[$0]) }
  }

  /// The temperature under which the labels are likeliest, within a factor of 20 of 1: the negative logarithm
  /// of the likelihood has one minimum over 1 / T, which golden sections close in on.
  var temperature: Double {
    let loss = task == .single ? softmaxLoss() : sigmoidLoss()
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (-log(20.0), log(20.0))
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (atLeft, atRight) = (loss(left), loss(right))
    while high - low > 1e-5 {
      if atLeft < atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - ratio * (high - low)
        atLeft = loss(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + ratio * (high - low)
        atRight = loss(right)
      }
    }
    return exp((low + high) / 2)
  }

  /// The negative logarithm of the likelihood of all labels, by the logarithm of the temperature.
  private func sigmoidLoss() -> (Double) -> Double {
    let logits = probabilities.indices.map {
      HeadCalibration.logit(
        probabilities[$0], complement: complements.isEmpty ? 1 - probabilities[$0] : complements[$0])
    }
    return { logTemperature in
      let inverse = exp(-logTemperature)
      var sum = 0.0
      for index in logits.indices {
        let x = isPositive[index] ? -logits[index] * inverse : logits[index] * inverse
        sum += max(x, 0) + log1p(exp(-abs(x)))
      }
      return sum
    }
  }

  /// The same of one label a sample.
  private func softmaxLoss() -> (Double) -> Double {
    let logarithms = probabilities.map { HeadCalibration.logarithm(of: $0) }
    return { logTemperature in
      let inverse = exp(-logTemperature)
      var sum = 0.0
      for start in stride(from: 0, to: logarithms.count, by: classCount) {
        let row = start..<start + classCount
        let largest = row.reduce(-Double.infinity) { max($0, logarithms[$1]) }
        sum += log(row.reduce(0) { $0 + exp((logarithms[$1] - largest) * inverse) })
        for index in row where isPositive[index] { sum -= (logarithms[index] - largest) * inverse }
      }
      return sum
    }
  }

  /// The curve that never falls with the least squares from the labels, by pooling adjacent violators; the
  /// identity for a class that has no positive or no negative.
  func isotonicCurve(of index: Int) -> IsotonicCurve {
    let samples = column(index).sorted { $0.probability < $1.probability }
    let positives = samples.count(where: \.isPositive)
    guard positives > 0, positives < samples.count else { return .identity }
    struct Pool {
      var sum: Double
      var count: Double
      var first: Float
      var last: Float
      var mean: Double { sum / count }
    }
    var pools: [Pool] = []
    for (place, sample) in samples.enumerated() {
      let label = sample.isPositive ? 1.0 : 0.0
      // Equal probabilities become one value, and are pooled with others when they are complete.
      if place > 0, samples[place - 1].probability == sample.probability {
        pools[pools.count - 1].sum += label
        pools[pools.count - 1].count += 1
      } else {
        pools.append(Pool(sum: label, count: 1, first: sample.probability, last: sample.probability))
      }
      if place + 1 < samples.count, samples[place + 1].probability == sample.probability { continue }
      while pools.count > 1, pools[pools.count - 1].mean <= pools[pools.count - 2].mean {
        let (after, before) = (pools.removeLast(), pools.removeLast())
        pools.append(
          Pool(
            sum: before.sum + after.sum, count: before.count + after.count, first: before.first,
            last: after.last))
      }
    }
    var (x, y): ([Float], [Float]) = ([], [])
    for pool in pools {
      for end in pool.first == pool.last ? [pool.first] : [pool.first, pool.last] {
        x.append(end)
        y.append(Float(pool.mean))
      }
    }
    return IsotonicCurve(x: x, y: y)
  }

  var reliability: CalibrationReport.Reliability {
    let calibration = Calibration(
      probabilities: probabilities, isPositive: isPositive, classCount: classCount, task: task)
    return CalibrationReport.Reliability(expectedError: calibration.error, brier: calibration.brier)
  }
}
