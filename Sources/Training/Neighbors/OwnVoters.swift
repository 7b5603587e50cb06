import Identity
import Query
import Storage

/// Finds the voter that a sample is itself, so that it has no vote on itself.
///
/// Where rows are those of the database that a head was trained in, a cell is the voter of its row, and a sample of several
/// cells the voter of the first of them that is part of one. Elsewhere it is each voter whose vector is the same, bit for
/// bit.
struct OwnVoters {
  /// A group that no voter is of.
  private static let none: Int32 = -1

  /// Of each voter: its number, or that of the first with the same vector.
  private let groupOfVoter: [Int32]
  /// By row; empty where rows tell nothing.
  private let voterOfRow: [Int32]
  /// The first voter with a vector of this digest; empty where rows tell.
  private let voterOfDigest: [ContentHash: Int32]

  /// - Parameter rows: ranges [first, end) of the rows that the head was trained or tuned on; nil where these are none of
  ///   this database.
  init(of voters: VoterTable, rows: [[Row]]?) {
    if let rows, let last = rows.last?[1],
      rows.reduce(0, { $0 + Int($1[1] - $1[0]) }) == voters.voterOfCell.count
    {
      var voterOfRow = [Int32](repeating: Self.none, count: Int(last))
      var place = 0
      for range in rows {
        for row in range[0]..<range[1] {
          voterOfRow[Int(row)] = voters.voterOfCell[place]
          place += 1
        }
      }
      self.voterOfRow = voterOfRow
      groupOfVoter = Array(0..<Int32(voters.count))
      voterOfDigest = [:]
      return
    }
    var (voterOfDigest, groupOfVoter): ([ContentHash: Int32], [Int32]) = ([:], [])
    voterOfDigest.reserveCapacity(voters.count)
    groupOfVoter.reserveCapacity(voters.count)
    for voter in 0..<voters.count {
      let vector = voters.values[voter * voters.dimension..<(voter + 1) * voters.dimension]
      let digest = ContentHash(of: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: vector)))
      let first = voterOfDigest[digest] ?? Int32(voter)
      if first == voter { voterOfDigest[digest] = first }
      groupOfVoter.append(first)
    }
    voterOfRow = []
    self.groupOfVoter = groupOfVoter
    self.voterOfDigest = voterOfDigest
  }

  /// The groups of samples and voters of which a head's search leaves out those that are the same.
  /// - Parameters:
  ///   - cells: the rows of each sample's cells.
  ///   - source: the samples' vectors.
  func groups(of cells: [[Row]], in source: some SampleVectors) -> ExcludedGroups {
    guard voterOfDigest.isEmpty else {
      let vector = FloatBuffer(count: source.dimension)
      let own = cells.indices.map { sample in
        source.gather([Int32(sample)], into: vector.values)
        return voterOfDigest[ContentHash(of: UnsafeRawBufferPointer(vector.values))] ?? Self.none
      }
      return ExcludedGroups(ofQuery: own, ofRow: groupOfVoter)
    }
    let own = cells.map { rows in
      rows.lazy.map(voter).first { $0 != Self.none } ?? Self.none
    }
    return ExcludedGroups(ofQuery: own, ofRow: groupOfVoter)
  }

  private func voter(of row: Row) -> Int32 { Int(row) < voterOfRow.count ? voterOfRow[Int(row)] : Self.none }
}

extension Head {
  /// The same, of neighbors with what is known of their cells.
  /// - Parameters:
  ///   - voters: the samples that vote.
  ///   - cells: those of these samples, and of the ones that the head was tuned on.
  ///   - members: the cells of each sample; nil where samples are cells.
  func knowing(voters: SampleSet, among cells: TrainingSet, members: [[Int32]]?) -> Head {
    guard let neighbors else { return self }
    let known = cells.samples.union(SampleSet(cells.validation))
    let last = known.reduce(-1) { max($0, $1) }
    var voterOfSample = [Int32](repeating: -1, count: Int(last) + 1)
    for (voter, sample) in voters.enumerated() {
      for cell in members?[Int(sample)] ?? [sample] { voterOfSample[Int(cell)] = Int32(voter) }
    }
    return replacing(
      NeighborHead(
        voters: neighbors.voters.known(as: known.map { voterOfSample[Int($0)] }), chosen: neighbors.chosen,
        k: neighbors.k, temperature: neighbors.temperature))
  }

  private func replacing(_ neighbors: NeighborHead) -> Head {
    var head = Head(classes: classes, neighbors: neighbors, thresholds: thresholds, task: task)
    head.calibration = calibration
    return head
  }
}
