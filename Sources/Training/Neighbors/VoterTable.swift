import Faults
import Glibc
import Query
import Storage

/// Vectors of voters with their classes, in memory: what a head of nearest neighbors is made of. A search looks through
/// them as through those of a database; rows are the numbers of voters.
///
/// Shared between threads: vectors are written in `init` and only read afterwards. Hence @unchecked Sendable.
final class VoterTable: VectorSource, @unchecked Sendable {
  /// Bytes that voters may take, of vectors and classes: they are read into memory as a whole.
  static let byteLimit = 512 << 20
  /// The most voters: their numbers are written as float32, which has every whole number below this.
  static let countLimit = 1 << 24
  /// Voters of a block: threads share blocks out.
  private static let votersOfBlock = 1024

  let dimension: Int
  let labels: KeptLabels
  /// For each cell that the head was trained or tuned on, by row, the voter that it is or is part of, -1 where it is part
  /// of none; empty while nothing is known of it.
  let voterOfCell: [Int32]
  private let vectors: FloatBuffer

  var count: Int { labels.count }

  /// Copies the vectors of some samples.
  /// - Parameter samples: increasing.
  /// - Throws: `usage` where they take too much memory.
  init(
    of source: some SampleVectors, samples: [Int32], labels: LabelTable, targets: SoftTargets?
  ) throws {
    dimension = source.dimension
    try Self.requireRoom(voters: samples.count, dimension: dimension, classes: labels.classes.count)
    vectors = FloatBuffer(count: samples.count * dimension)
    self.labels = KeptLabels(of: samples, labels: labels, targets: targets)
    voterOfCell = []
    for start in stride(from: 0, to: samples.count, by: Self.votersOfBlock) {
      let part = samples[start..<min(start + Self.votersOfBlock, samples.count)]
      source.gather(part, into: vectors.values.extracting(start * dimension..<part.endIndex * dimension))
    }
  }

  /// - Shape: `vectors` is [voters, dimension], row-major.
  init(vectors: [Float], dimension: Int, labels: KeptLabels, voterOfCell: [Int32]) {
    precondition(vectors.count == labels.count * dimension)
    self.dimension = dimension
    self.vectors = FloatBuffer(vectors)
    self.labels = labels
    self.voterOfCell = voterOfCell
  }

  private init(_ other: VoterTable, voterOfCell: [Int32]) {
    (dimension, labels, vectors) = (other.dimension, other.labels, other.vectors)
    self.voterOfCell = voterOfCell
  }

  /// The same voters, of which is known what cells they are of.
  func known(as voterOfCell: [Int32]) -> VoterTable { VoterTable(self, voterOfCell: voterOfCell) }

  /// - Throws: `usage` where so many voters take too much memory, or cannot be numbered.
  static func requireRoom(voters: Int, dimension: Int, classes: Int) throws {
    let room = byteLimit / (4 * (dimension + classes))
    let most = min(room, countLimit)
    guard voters > most else { return }
    throw Fault(
      .usage, "nearest neighbors",
      expected: "at most \(most) voters"
        + (room > most
          ? "" : " of \(dimension) numbers and \(classes) classes, \(byteLimit >> 20) MiB"),
      found: "\(voters)",
      remedy: "choose fewer cells with --where, or score without a head by cellvec knn")
  }

  /// [voters, dimension], row-major.
  var values: UnsafeBufferPointer<Float> { UnsafeBufferPointer(vectors.values) }

  // MARK: As a search looks at them

  var space: SpaceRecord { SpaceRecord(id: 0, name: "voters", dimension: dimension) }

  func rows(in space: SpaceRecord) -> RowSet { RowSet(0..<Row(count)) }

  func forEachBlock(
    of space: SpaceRecord, containing rows: RowSet, withCoarse: Bool, _ body: (VectorBlock) throws -> Void
  ) throws {
    for start in stride(from: 0, to: count, by: Self.votersOfBlock) {
      let voters = Row(start)..<Row(min(start + Self.votersOfBlock, count))
      let wantedCount = rows.count(in: voters)
      if wantedCount == 0 { continue }
      try body(
        VectorBlock(
          firstRow: voters.lowerBound, vectors: vectors.start + start * dimension, count: voters.count,
          dimension: dimension,
          wanted: wantedCount == voters.count ? nil : rows.intersection(RowSet(voters))))
    }
  }

  // Memory is read in any order.
  func beginVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder? { nil }
  func endVectors(_ order: ReadingOrder?) {}
}

extension VoterTable: Equatable {
  static func == (left: VoterTable, right: VoterTable) -> Bool {
    left.dimension == right.dimension && left.labels == right.labels
      && left.voterOfCell == right.voterOfCell
      && memcmp(left.vectors.start, right.vectors.start, 4 * left.vectors.count) == 0
  }
}
