import Kernels

/// The nearest others of each vertex that were found so far.
///
/// Threads may fill the lists of different vertices.
final class CandidateLists: @unchecked Sendable {
  /// Candidates of a vertex.
  static let capacity = 64
  /// Members of a list that are all compared with one another. Most lists have some thousand; more of them are of vectors
  /// that are nearly equal, among which it matters little which are candidates.
  static let memberLimit = 4096
  private static let rowsPerBatch = 64
  /// Scores of a row that are looked through together.
  private static let scoresPerLook = 256

  private let table: VertexTable
  private let lists: UnsafeMutablePointer<kernels_vertex_candidate>
  private let counts: UnsafeMutablePointer<Int>

  init(of table: VertexTable) {
    self.table = table
    lists = .allocate(capacity: table.count * Self.capacity)
    counts = .allocate(capacity: table.count)
    counts.initialize(repeating: 0, count: table.count)
  }

  deinit {
    lists.deallocate()
    counts.deallocate()
  }

  func candidates(of vertex: Int) -> UnsafeBufferPointer<kernels_vertex_candidate> {
    UnsafeBufferPointer(start: lists + vertex * Self.capacity, count: counts[vertex])
  }

  /// Puts others in place of a vertex's candidates.
  func set(_ others: some Sequence<UInt32>, of vertex: Int) {
    let isa = kernels_active_isa()
    var set = table.set
    counts[vertex] = 0
    for other in others where other != vertex {
      offer(other, to: vertex, kernels_vertex_similarity(isa, &set, UInt32(vertex), other))
    }
  }

  private func offer(_ other: UInt32, to vertex: Int, _ similarity: Float) {
    counts[vertex] = kernels_offer_candidate(
      lists + vertex * Self.capacity, counts[vertex], Self.capacity, similarity, other)
  }

  /// Compares the vertices of a list with each other: all of them or, where there are more than `memberLimit`, those that
  /// are near one another in one of two directions.
  func compare(_ members: [UInt32], threads: Int, memberLimit: Int = CandidateLists.memberLimit) {
    if members.count <= memberLimit { return compareAll(members, threads: threads) }
    let parts = (members.count + memberLimit - 1) / memberLimit
    // Directions were turned at random: any two will do.
    for direction in 0..<2 {
      let sorted = members.map { (table.number(direction, of: $0), $0) }.sorted { $0 < $1 }.map(\.1)
      for part in 0..<parts {
        let range = members.count * part / parts..<members.count * (part + 1) / parts
        compareAll(Array(sorted[range]), threads: threads)
      }
    }
  }

  private func compareAll(_ members: [UInt32], threads: Int) {
    let width = table.width
    var values = [Float](repeating: 0, count: members.count * width)
    values.withUnsafeMutableBufferPointer { values in
      guard let base = values.baseAddress else { return }
      for (place, vertex) in members.enumerated() { table.widen(Int(vertex), into: base + place * width) }
    }
    let centres = CentreTable(values, width: width)
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      inLanes(threads, of: members.count) { _, share in
        let scores = UnsafeMutablePointer<Float>.allocate(
          capacity: Self.rowsPerBatch * centres.scoreStride)
        let places = UnsafeMutablePointer<UInt32>.allocate(capacity: Self.scoresPerLook)
        let scratch = CentreTable.Scratch()
        for start in stride(from: share.lowerBound, to: share.upperBound, by: Self.rowsPerBatch) {
          let count = min(Self.rowsPerBatch, share.upperBound - start)
          centres.score(base + start * width, rows: count, into: scores, scratch)
          for place in start..<start + count {
            let row = scores + (place - start) * centres.scoreStride
            row[place] = -.infinity
            take(row, members, of: Int(members[place]), places)
          }
        }
        scores.deallocate()
        places.deallocate()
      }
    }
  }

  /// Offers a vertex the members whose scores are high enough. A score is the similarity less half of 1, the square of
  /// the member's length.
  private func take(
    _ scores: UnsafePointer<Float>, _ members: [UInt32], of vertex: Int,
    _ places: UnsafeMutablePointer<UInt32>
  ) {
    for start in stride(from: 0, to: members.count, by: Self.scoresPerLook) {
      let isFull = counts[vertex] == Self.capacity
      let least = isFull ? lists[vertex * Self.capacity + Self.capacity - 1].similarity - 0.5 : -2
      let count = kernels_between(
        scores + start, min(Self.scoresPerLook, members.count - start), least, .infinity, places)
      for place in 0..<count {
        let member = start + Int(places[place])
        offer(members[member], to: vertex, scores[member] + 0.5)
      }
    }
  }
}
