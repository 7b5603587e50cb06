import Randomness

/// Samples per class of every group: what stratification looks at.
struct GroupTable {
  /// The group of each sample that was given, renumbered 0..<count in the order of first appearance.
  let groupOfSample: ScratchTable<Int32>
  /// Samples of each group.
  private let sizes: [Int32]
  /// The classes of group g, each with its samples: entries[starts[g]..<starts[g + 1]].
  private let entries: [Entry]
  private let starts: [Int]
  private let classCount: Int

  /// The samples that a group has of a class.
  private struct Entry {
    let classIndex: Int32
    var samples: Int32
  }

  var count: Int { sizes.count }

  /// - Parameters:
  ///   - groups: the group of each sample, any numbers; nil for each sample as a group of its own.
  ///   - samples: those to look at; nil for all.
  /// - Throws: as `ScratchTable`.
  init(groups: [Int32]?, labels: LabelTable, samples: [Int32]? = nil) throws {
    let sampleCount = samples?.count ?? labels.count
    func sample(at place: Int) -> Int { samples.map { Int($0[place]) } ?? place }
    groupOfSample = try ScratchTable(count: sampleCount)
    var sizes: [Int32] = []
    if let groups {
      var numbers: [Int32: Int32] = [:]
      for place in 0..<sampleCount {
        let name = groups[sample(at: place)]
        let group = numbers[name] ?? Int32(sizes.count)
        if group == sizes.count {
          numbers[name] = group
          sizes.append(0)
        }
        sizes[Int(group)] += 1
        groupOfSample[place] = group
      }
    } else {
      for place in 0..<sampleCount { groupOfSample[place] = Int32(place) }
      sizes = Array(repeating: 1, count: sampleCount)
    }
    // Places of samples by group: those of a group follow one another.
    var ends = [Int](repeating: 0, count: sizes.count + 1)
    for group in sizes.indices { ends[group + 1] = ends[group] + Int(sizes[group]) }
    let places = try ScratchTable<Int32>(count: sampleCount)
    for (place, group) in groupOfSample.enumerated() {
      places[ends[Int(group)]] = Int32(place)
      ends[Int(group)] += 1
    }
    var entries: [Entry] = []
    var starts = [0]
    starts.reserveCapacity(sizes.count + 1)
    var entryOfClass = [Int](repeating: -1, count: labels.classes.count)
    var first = 0
    for size in sizes {
      for place in places[first..<first + Int(size)] {
        for member in labels.classes(of: Int32(sample(at: Int(place)))) {
          if entryOfClass[Int(member)] < starts[starts.count - 1] {
            entryOfClass[Int(member)] = entries.count
            entries.append(Entry(classIndex: member, samples: 0))
          }
          entries[entryOfClass[Int(member)]].samples += 1
        }
      }
      first += Int(size)
      starts.append(entries.count)
    }
    self.sizes = sizes
    self.entries = entries
    self.starts = starts
    classCount = labels.classes.count
  }

  private func entries(ofGroup group: Int) -> ArraySlice<Entry> { entries[starts[group]..<starts[group + 1]] }

  /// The fold of every group, k folds of equal size; see `Folds.grouped`.
  func stratified(into k: Int, isVaried: Bool, seed: UInt64) -> [Int32] {
    stratified(shares: Array(repeating: 1, count: k), isVaried: isVaried, seed: seed)
  }

  /// The part of every group, of parts whose sizes are as these numbers.
  ///
  /// What a part lacks of a class is total x share / sum of shares - assigned. It is kept times the sum, in whole
  /// numbers, so that ties are exact and the result is the same on every machine.
  ///
  /// - Parameter isVaried: whether parts that lack less than the group has less than the neediest one are as good as that
  ///   one. Without it, groups of different sizes leave the seed little to draw.
  func stratified(shares: [Int], isVaried: Bool = false, seed: UInt64) -> [Int32] {
    let k = shares.count
    let sum = shares.reduce(0, +)
    var generator = SeededGenerator(seed: seed)
    let tieOrder = generator.permutation(of: count)
    var groupsOfClass = [[(group: Int32, samples: Int32)]](repeating: [], count: classCount)
    var lackOfClass = [Int](repeating: 0, count: k * classCount)
    for group in 0..<count {
      for entry in entries(ofGroup: group) {
        groupsOfClass[Int(entry.classIndex)].append((Int32(group), entry.samples))
        for fold in 0..<k {
          lackOfClass[fold * classCount + Int(entry.classIndex)] += shares[fold] * Int(entry.samples)
        }
      }
    }
    var lack = shares.map { $0 * groupOfSample.count }
    var unassigned = groupsOfClass.map(\.count)
    var folds = [Int32](repeating: -1, count: count)

    var (groupsLeft, emptyFolds) = (count, Set(0..<k))

    func neediest(of folds: [Int], _ need: (Int) -> Int, within slack: Int) -> [Int] {
      let most = folds.map(need).max() ?? 0
      return folds.filter { isVaried ? need($0) > most - sum * slack : need($0) == most }
    }
    func assign(_ group: Int, samples: Int32, lackOf needed: (Int) -> Int) {
      // With slack, the last groups could pass empty folds over.
      let open = isVaried && groupsLeft <= emptyFolds.count ? emptyFolds.sorted() : Array(0..<k)
      let best = neediest(
        of: neediest(of: open, needed, within: Int(samples)), { lack[$0] }, within: Int(sizes[group]))
      groupsLeft -= 1
      let fold = best.count == 1 ? best[0] : best[Int(generator.next() % UInt64(best.count))]
      folds[group] = Int32(fold)
      emptyFolds.remove(fold)
      lack[fold] -= sum * Int(sizes[group])
      for entry in entries(ofGroup: group) {
        lackOfClass[fold * classCount + Int(entry.classIndex)] -= sum * Int(entry.samples)
        unassigned[Int(entry.classIndex)] -= 1
      }
    }

    while let rarest = (0..<classCount).filter({ unassigned[$0] > 0 }).min(by: {
      unassigned[$0] < unassigned[$1]
    }) {
      let members = groupsOfClass[rarest].filter { folds[Int($0.group)] < 0 }
        .sorted { ($1.samples, tieOrder[Int($0.group)]) < ($0.samples, tieOrder[Int($1.group)]) }
      for member in members {
        assign(Int(member.group), samples: member.samples) { lackOfClass[$0 * classCount + rarest] }
      }
    }
    return folds
  }

  /// Which groups validate: about `share` of the samples, stratified by class.
  ///
  /// Training comes first: where a class has few groups none of them may validate, and the first group of a class
  /// trains where all would validate, though then none may be left for that.
  /// - Parameter share: above 0 and below 1.
  func validationGroups(share: Double, seed: UInt64) -> [Bool] {
    let precision = 1000
    let validationPart = max(Int((share * Double(precision)).rounded()), 1)
    var part = stratified(shares: [precision - validationPart, validationPart], seed: seed)
    // Of a few large groups the smaller part may get none.
    for side in [Int32(0), 1] where !part.contains(side) { part[part.count - 1] = side }
    var validates = part.map { $0 == 1 }
    var groupsOfClass = [[Int]](repeating: [], count: classCount)
    for group in 0..<count {
      for entry in entries(ofGroup: group) { groupsOfClass[Int(entry.classIndex)].append(group) }
    }
    for groups in groupsOfClass where groups.allSatisfy({ validates[$0] }) {
      if let first = groups.first { validates[first] = false }
    }
    return validates
  }

  func warnings(foldOfGroup: [Int32], k: Int, classes: [String]) -> [FoldWarning] {
    var groups = [Int](repeating: 0, count: classCount)
    var folds = [Set<Int32>](repeating: [], count: classCount)
    for group in 0..<count {
      for entry in entries(ofGroup: group) {
        groups[Int(entry.classIndex)] += 1
        folds[Int(entry.classIndex)].insert(foldOfGroup[group])
      }
    }
    return classes.indices.compactMap { index in
      if groups[index] == 1 { return .classInOneGroup(classes[index]) }
      let absent = k - folds[index].count
      return absent > 0
        ? .classAbsentFromFolds(classes[index], folds: absent, of: k, groups: groups[index]) : nil
    }
  }
}
