import Randomness

/// Samples per class of every group: what stratification looks at.
struct GroupTable {
  /// The group of each sample, renumbered 0..<count in the order of first appearance.
  let groupOfSample: [Int32]
  /// Samples of each group.
  private let sizes: [Int]
  /// The classes of each group, with the number of samples of each.
  private let classCounts: [[(classIndex: Int, samples: Int)]]
  private let classCount: Int

  var count: Int { sizes.count }

  init(groups: [Int32], labels: LabelTable) {
    var numbers: [Int32: Int32] = [:]
    var groupOfSample: [Int32] = []
    var sizes: [Int] = []
    var classCounts: [[(classIndex: Int, samples: Int)]] = []
    groupOfSample.reserveCapacity(groups.count)
    for (sample, name) in groups.enumerated() {
      let group = numbers[name] ?? Int32(sizes.count)
      if group == sizes.count {
        numbers[name] = group
        sizes.append(0)
        classCounts.append([])
      }
      groupOfSample.append(group)
      sizes[Int(group)] += 1
      for member in labels.classes(of: Int32(sample)) {
        let known = classCounts[Int(group)].firstIndex { $0.classIndex == Int(member) }
        if let known {
          classCounts[Int(group)][known].samples += 1
        } else {
          classCounts[Int(group)].append((Int(member), 1))
        }
      }
    }
    self.groupOfSample = groupOfSample
    self.sizes = sizes
    self.classCounts = classCounts
    self.classCount = labels.classes.count
  }

  /// The fold of every group; see `Folds.grouped`.
  ///
  /// What a fold lacks of a class is total / k - assigned. It is kept times k, in whole numbers, so that ties
  /// are exact and the result is the same on every machine.
  func stratified(into k: Int, seed: UInt64) -> [Int32] {
    var generator = SeededGenerator(seed: seed)
    let tieOrder = generator.permutation(of: count)
    var groupsOfClass = [[(group: Int, samples: Int)]](repeating: [], count: classCount)
    var lackOfClass = [Int](repeating: 0, count: k * classCount)
    for group in 0..<count {
      for entry in classCounts[group] {
        groupsOfClass[entry.classIndex].append((group, entry.samples))
        for fold in 0..<k { lackOfClass[fold * classCount + entry.classIndex] += entry.samples }
      }
    }
    var lack = [Int](repeating: groupOfSample.count, count: k)
    var unassigned = groupsOfClass.map(\.count)
    var folds = [Int32](repeating: -1, count: count)

    func assign(_ group: Int, lackOf needed: (Int) -> Int) {
      var best = [0]
      for fold in 1..<k {
        let (left, right) = ((needed(fold), lack[fold]), (needed(best[0]), lack[best[0]]))
        if left > right { best = [fold] } else if left == right { best.append(fold) }
      }
      let fold = best.count == 1 ? best[0] : best[Int(generator.next() % UInt64(best.count))]
      folds[group] = Int32(fold)
      lack[fold] -= k * sizes[group]
      for entry in classCounts[group] {
        lackOfClass[fold * classCount + entry.classIndex] -= k * entry.samples
        unassigned[entry.classIndex] -= 1
      }
    }

    while let rarest = (0..<classCount).filter({ unassigned[$0] > 0 }).min(by: {
      unassigned[$0] < unassigned[$1]
    }) {
      let members = groupsOfClass[rarest].filter { folds[$0.group] < 0 }
        .sorted { ($1.samples, tieOrder[$0.group]) < ($0.samples, tieOrder[$1.group]) }
      for member in members { assign(member.group) { lackOfClass[$0 * classCount + rarest] } }
    }
    return folds
  }

  func warnings(foldOfGroup: [Int32], k: Int, classes: [String]) -> [FoldWarning] {
    var groups = [Int](repeating: 0, count: classCount)
    var folds = [Set<Int32>](repeating: [], count: classCount)
    for group in 0..<count {
      for entry in classCounts[group] {
        groups[entry.classIndex] += 1
        folds[entry.classIndex].insert(foldOfGroup[group])
      }
    }
    return classes.indices.compactMap { index in
      if groups[index] == 1 { return .classInOneGroup(classes[index]) }
      let absent = k - folds[index].count
      return absent > 0 ? .classAbsentFromFolds(classes[index], folds: absent) : nil
    }
  }
}
