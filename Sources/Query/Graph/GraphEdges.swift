import Kernels

/// The edges of a graph under construction.
///
/// Threads may choose the edges of different vertices.
final class GraphEdges: @unchecked Sendable {
  static let limit = KERNELS_GRAPH_EDGES
  /// Edges to a vertex that may come to be among its own.
  private static let returnLimit = 64

  private let table: VertexTable
  private let vertices: UnsafeMutablePointer<UInt32>
  private let counts: UnsafeMutablePointer<Int>
  /// How many of a vertex's first edges lead to where the others do not.
  private let apart: UnsafeMutablePointer<Int>

  init(of table: VertexTable) {
    self.table = table
    vertices = .allocate(capacity: table.count * Self.limit)
    counts = .allocate(capacity: table.count)
    apart = .allocate(capacity: table.count)
    counts.initialize(repeating: 0, count: table.count)
    apart.initialize(repeating: 0, count: table.count)
  }

  deinit {
    vertices.deallocate()
    counts.deallocate()
    apart.deallocate()
  }

  func edges(of vertex: Int) -> UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(start: vertices + vertex * Self.limit, count: counts[vertex])
  }

  /// Chooses the edges of some vertices out of their candidates.
  func choose(from lists: CandidateLists, of range: Range<Int>, threads: Int) {
    inLanes(threads, of: range.count) { _, share in
      for vertex in share {
        choose(from: lists.candidates(of: range.lowerBound + vertex), of: range.lowerBound + vertex)
      }
    }
  }

  private func choose(from candidates: UnsafeBufferPointer<kernels_vertex_candidate>, of vertex: Int) {
    var set = table.set
    counts[vertex] = kernels_choose_neighbours(
      kernels_active_isa(), &set, candidates.baseAddress, candidates.count, vertices + vertex * Self.limit,
      apart + vertex)
  }

  /// Lets edges lead back, and chooses again among them and those that there are.
  func lead(backAmong count: Int, threads: Int) {
    let (bounds, sources) = returns(count)
    let before = UnsafeMutablePointer<UInt32>.allocate(capacity: count * Self.limit)
    before.initialize(from: vertices, count: count * Self.limit)
    inLanes(threads, of: count) { _, share in
      let isa = kernels_active_isa()
      var set = table.set
      let capacity = Self.limit + Self.returnLimit
      let list = UnsafeMutablePointer<kernels_vertex_candidate>.allocate(capacity: capacity)
      for vertex in share {
        var listed = 0
        func offer(_ other: UInt32) {
          let similarity = kernels_vertex_similarity(isa, &set, UInt32(vertex), other)
          listed = kernels_offer_candidate(list, listed, capacity, similarity, other)
        }
        for place in 0..<counts[vertex] { offer(before[vertex * Self.limit + place]) }
        for place in bounds[vertex]..<bounds[vertex + 1] { offer(sources[place]) }
        choose(from: UnsafeBufferPointer(start: list, count: listed), of: vertex)
      }
      list.deallocate()
    }
    before.deallocate()
  }

  /// Where edges that lead apart come from, by the vertex to which they lead.
  private func returns(_ count: Int) -> (bounds: [Int], sources: [UInt32]) {
    var bounds = [Int](repeating: 0, count: count + 1)
    for vertex in 0..<count {
      for edge in edges(of: vertex).prefix(apart[vertex]) { bounds[Int(edge) + 1] += 1 }
    }
    for vertex in 0..<count { bounds[vertex + 1] += bounds[vertex] }
    var next = bounds
    var sources = [UInt32](repeating: 0, count: bounds[count])
    for vertex in 0..<count {
      for edge in edges(of: vertex).prefix(apart[vertex]) {
        sources[next[Int(edge)]] = UInt32(vertex)
        next[Int(edge)] += 1
      }
    }
    return (bounds, sources)
  }

  /// Has the vertices that a new one leads to lead to it, in place of their last edges.
  /// - Returns: those whose edges have changed.
  func leadBack(to vertex: Int) -> [UInt32] {
    let changed = Array(edges(of: vertex).prefix(apart[vertex]))
    for other in changed {
      let other = Int(other)
      if counts[other] < Self.limit { counts[other] += 1 }
      vertices[other * Self.limit + counts[other] - 1] = UInt32(vertex)
    }
    return changed
  }

  /// Has another vertex lead to each of some that no way leads to, in place of its last edge where that leads to where
  /// others do.
  /// - Returns: those whose edges have changed.
  func lead(to unreached: [Int]) -> [UInt32] {
    let cut = Set(unreached.map { UInt32($0) })
    var changed: Set<UInt32> = []
    for vertex in unreached {
      let other = edges(of: vertex).first {
        !cut.contains($0) && !changed.contains($0) && apart[Int($0)] < counts[Int($0)]
      }
      guard let other else { continue }
      vertices[Int(other) * Self.limit + counts[Int(other)] - 1] = UInt32(vertex)
      changed.insert(other)
    }
    return changed.sorted()
  }

  /// The vertices that no way leads to from some.
  func unreached(from entries: [UInt32]) -> [Int] {
    var isReached = [Bool](repeating: false, count: table.count)
    var front = entries
    for entry in entries { isReached[Int(entry)] = true }
    while let vertex = front.popLast() {
      for edge in edges(of: Int(vertex)) where !isReached[Int(edge)] {
        isReached[Int(edge)] = true
        front.append(edge)
      }
    }
    return isReached.indices.filter { !isReached[$0] }
  }
}
