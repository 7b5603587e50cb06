import Glibc
import Kernels
import Storage

/// The vectors that become vertices of a graph, in whole steps, in order of lists and of rows within them; then those that
/// are held out at first.
///
/// Shared between threads: nothing changes after `init`.
final class VertexTable: @unchecked Sendable {
  let width: Int
  let rows: [Row]
  /// Vertices behind these are held out.
  let mainCount: Int
  /// The two lists of each vertex.
  let lists: (first: [UInt32], second: [UInt32])
  /// [vertices, width]
  private let steps: UnsafeMutablePointer<Int8>
  private let step: UnsafeMutablePointer<Float>

  var count: Int { rows.count }

  /// Leaves out vectors of zeros, which no direction leads to, and all but one of those that have the same steps: a graph
  /// of equal vectors leads nowhere else.
  /// - Parameter heldOut: how many are to be held out.
  init(_ partition: GraphPartition, _ vectors: RotatedVectors, heldOut: Int, threads: Int) {
    let width = vectors.codeSpace.width
    self.width = width
    let total = partition.rows.count
    let order = ListOrder(of: partition.first, listCount: partition.listCount)
    let all = UnsafeMutablePointer<Int8>.allocate(capacity: total * width)
    let scales = UnsafeMutablePointer<Float>.allocate(capacity: total)
    inLanes(threads, of: total) { _, share in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { vector in
        guard let vector = vector.baseAddress else { return }
        for place in share {
          vectors.copy(partition.rows[Int(order.positions[place])], into: vector)
          scales[place] = kernels_vertex_steps(width, vector, all + place * width)
        }
      }
    }
    var kept = Self.distinctPlaces(order, partition.listCount, all, scales, width: width)
    let heldOut = min(heldOut, kept.count / 20)
    if heldOut > 0 {
      let late = (0..<heldOut).map { (2 * $0 + 1) * kept.count / (2 * heldOut) }
      let held = Set(late)
      kept = kept.indices.filter { !held.contains($0) }.map { kept[$0] } + late.map { kept[$0] }
    }
    mainCount = kept.count - heldOut
    let positions = kept.map { Int(order.positions[$0]) }
    rows = positions.map { partition.rows[$0] }
    lists = (positions.map { partition.first[$0] }, positions.map { partition.second[$0] })
    steps = .allocate(capacity: kept.count * width)
    step = .allocate(capacity: kept.count)
    for (vertex, place) in kept.enumerated() {
      (steps + vertex * width).initialize(from: all + place * width, count: width)
      step[vertex] = scales[place]
    }
    all.deallocate()
    scales.deallocate()
  }

  deinit {
    steps.deallocate()
    step.deallocate()
  }

  /// Rows of so many vertices in the graph, or all, from everywhere in it.
  func mainRows(_ limit: Int) -> [Row] {
    let count = min(limit, mainCount)
    return (0..<count).map { rows[$0 * mainCount / count] }
  }

  var set: kernels_vertex_set {
    kernels_vertex_set(width: width, steps: UnsafePointer(steps), step: UnsafePointer(step))
  }

  /// A vertex's vector out of its steps.
  /// - Shape: `target` is [width].
  func widen(_ vertex: Int, into target: UnsafeMutablePointer<Float>) {
    let (numbers, step) = (steps + vertex * width, step[vertex])
    for index in 0..<width { target[index] = Float(numbers[index]) * step }
  }

  /// One number of a vertex's vector.
  func number(_ index: Int, of vertex: UInt32) -> Float {
    Float(steps[Int(vertex) * width + index]) * step[Int(vertex)]
  }

  /// Places of the order whose steps are not those of an earlier place; equal vectors are in one list.
  private static func distinctPlaces(
    _ order: ListOrder, _ listCount: Int, _ steps: UnsafePointer<Int8>, _ scales: UnsafePointer<Float>,
    width: Int
  ) -> [Int] {
    var kept: [Int] = []
    for list in 0..<listCount {
      var known: [Int: [Int]] = [:]
      for place in Int(order.bounds[list])..<Int(order.bounds[list + 1]) where scales[place] > 0 {
        let own = steps + place * width
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(start: own, count: width))
        let hash = hasher.finalize()
        if known[hash, default: []].contains(where: { memcmp(steps + $0 * width, own, width) == 0 }) {
          continue
        }
        known[hash, default: []].append(place)
        kept.append(place)
      }
    }
    return kept
  }
}
