import Randomness

/// Macro F1 of all predictions when the groups are drawn again, with replacement: how far the score depends on which
/// groups one happens to have.
struct GroupResampling {
  static let level = 0.95

  /// What one group adds to a class.
  private struct Entry {
    let classIndex: Int
    var positives = 0
    var predicted = 0
    var hits = 0
  }

  private let classCount: Int
  private let absent: AbsentClasses
  /// [repeats][groups]
  private let entries: [[[Entry]]]
  private let groupCount: Int

  /// - Parameters:
  ///   - groups: the group of each sample.
  ///   - isTested: [repeats][samples].
  ///   - decided: the classes that are predicted for a tested sample, increasing.
  init(
    groups: [Int32], labels: LabelTable, isTested: [[Bool]], absent: AbsentClasses,
    decided: (_ repetition: Int, _ sample: Int32) -> [Int]
  ) {
    let classCount = labels.classes.count
    var numbers: [Int32: Int] = [:]
    for sample in groups.indices where isTested.contains(where: { $0[sample] }) {
      if numbers[groups[sample]] == nil { numbers[groups[sample]] = numbers.count }
    }
    entries = isTested.enumerated().map { repetition, isTested in
      var entries = [[Entry]](repeating: [], count: numbers.count)
      for sample in groups.indices where isTested[sample] {
        guard let group = numbers[groups[sample]] else { continue }
        let members = labels.classes(of: Int32(sample))
        let predicted = decided(repetition, Int32(sample))
        for index in 0..<classCount {
          let isPositive = members.contains(Int32(index))
          let isPredicted = predicted.contains(index)
          guard isPositive || isPredicted else { continue }
          let place =
            entries[group].firstIndex { $0.classIndex == index }
            ?? {
              entries[group].append(Entry(classIndex: index))
              return entries[group].count - 1
            }()
          if isPositive { entries[group][place].positives += 1 }
          if isPredicted { entries[group][place].predicted += 1 }
          if isPositive && isPredicted { entries[group][place].hits += 1 }
        }
      }
      return entries
    }
    groupCount = numbers.count
    self.classCount = classCount
    self.absent = absent
  }

  /// The score of each resampling, the mean of the repetitions'. Resampling i draws the same groups for every run of an
  /// evaluation.
  func macroF1(count: Int, seed: UInt64, threads: Int) -> [Double] {
    concurrentMap(count, threads: threads) { index in
      var generator = SeededGenerator(seed: seed, stream: UInt64(index))
      var drawn = [Int](repeating: 0, count: groupCount)
      for _ in 0..<groupCount { drawn[Int(generator.next() % UInt64(groupCount))] += 1 }
      return entries.reduce(0) { $0 + macroF1(of: $1, drawn: drawn) } / Double(entries.count)
    }
  }

  private func macroF1(of entries: [[Entry]], drawn: [Int]) -> Double {
    var hits = [Int](repeating: 0, count: classCount)
    var positives = hits
    var predicted = hits
    for (group, times) in drawn.enumerated() where times > 0 {
      for entry in entries[group] {
        hits[entry.classIndex] += times * entry.hits
        positives[entry.classIndex] += times * entry.positives
        predicted[entry.classIndex] += times * entry.predicted
      }
    }
    var (sum, count) = (0.0, 0)
    for index in 0..<classCount {
      if positives[index] == 0 {
        if absent == .skip { continue }
        sum += absent == .one && predicted[index] == 0 ? 1 : 0
      } else {
        sum += Double(2 * hits[index]) / Double(positives[index] + predicted[index])
      }
      count += 1
    }
    return count == 0 ? 0 : sum / Double(count)
  }

  /// The bounds between which the middle 95 % of values lie, interpolated as NumPy does; nil of none.
  static func interval(_ values: [Double]) -> Evaluation.Interval? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    func quantile(_ part: Double) -> Double {
      let place = part * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
    return Evaluation.Interval(
      lower: quantile((1 - level) / 2), upper: quantile((1 + level) / 2), level: level)
  }
}
