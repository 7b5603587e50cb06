import Glibc

/// A sample that votes on the classes of another.
struct Voter {
  let sample: Int32
  let similarity: Double
}

/// Which classes voters vote for.
protocol VoterLabels {
  var classCount: Int { get }
  /// Calls `body` with each class of a voter and how far the voter belongs to it, from 0 to 1.
  func forEachVote(of voter: Int32, _ body: (_ member: Int, _ target: Double) -> Void)
}

extension VoterLabels {
  /// Writes the share of the weights that each class has; zeros without a voter. A voter of similarity s weighs
  /// exp(s / temperature) (the vote of DINO's evaluation, Caron et al. 2021, arXiv 2104.14294, for one label or several);
  /// where it belongs to a class in part, only that part of its weight counts for the class.
  ///
  /// - Parameters:
  ///   - voters: the nearest first.
  ///   - shares: one a class.
  func vote(of voters: ArraySlice<Voter>, temperature: Double, into shares: inout [Double]) {
    for index in shares.indices { shares[index] = 0 }
    guard let nearest = voters.first?.similarity else { return }
    var total = 0.0
    for voter in voters {
      // Divided by the weight of the nearest, so that none overflows.
      let weight = exp((voter.similarity - nearest) / temperature)
      total += weight
      forEachVote(of: voter.sample) { shares[$0] += weight * $1 }
    }
    for index in shares.indices { shares[index] /= total }
  }
}

extension LabelTable: VoterLabels {
  var classCount: Int { classes.count }

  func forEachVote(of voter: Int32, _ body: (Int, Double) -> Void) {
    forEachClass(of: voter) { body(Int($1), 1) }
  }
}

/// The classes of voters that a head keeps.
struct KeptLabels: VoterLabels, Sendable, Equatable {
  let classCount: Int
  /// Those of voter v are in places ends[v]..<ends[v + 1].
  private var ends: [Int32] = [0]
  private var members: [Int32] = []
  private var targets: [Float] = []

  /// How many voters there are.
  var count: Int { ends.count - 1 }

  /// Those of some samples, in their order.
  /// - Parameter targets: how far samples belong to their classes; nil for 1.
  init(of samples: some Sequence<Int32>, labels: LabelTable, targets soft: SoftTargets?) {
    classCount = labels.classes.count
    for sample in samples {
      labels.forEachClass(of: sample) { place, member in
        members.append(member)
        targets.append(soft?.values[place] ?? 1)
      }
      ends.append(Int32(members.count))
    }
  }

  /// - Parameter table: how far each voter belongs to each class, [voters, classCount].
  /// - Returns: nil where a number is not from 0 to 1, or a voter is of no class.
  init?(table: [Float], classCount: Int) {
    self.classCount = classCount
    for start in stride(from: 0, to: table.count, by: classCount) {
      for index in 0..<classCount where table[start + index] != 0 {
        guard table[start + index] > 0, table[start + index] <= 1 else { return nil }
        members.append(Int32(index))
        targets.append(table[start + index])
      }
      guard members.count > Int(ends[ends.count - 1]) else { return nil }
      ends.append(Int32(members.count))
    }
  }

  /// What the second initializer takes.
  var table: [Float] {
    var table = [Float](repeating: 0, count: count * classCount)
    for voter in 0..<count {
      for place in Int(ends[voter])..<Int(ends[voter + 1]) {
        table[voter * classCount + Int(members[place])] = targets[place]
      }
    }
    return table
  }

  func forEachVote(of voter: Int32, _ body: (Int, Double) -> Void) {
    for place in Int(ends[Int(voter)])..<Int(ends[Int(voter) + 1]) {
      body(Int(members[place]), Double(targets[place]))
    }
  }
}
