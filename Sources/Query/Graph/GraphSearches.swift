import Kernels
import Storage

/// How far a search goes, as kernels_graph_search has it.
struct GraphReach {
  let near: Float
  /// Of queries whose neighbors are farther; nil where all go equally far.
  var wide: GraphRecord.WideReach?
  /// Of unusual searches; nil where they are given up.
  var far: Float?
  /// 1 less the similarity of the last neighbor above which a search is unusual.
  var range: Float = .infinity
  /// The share of visited vertices that may be found below which it is.
  var leastShare: Float = 0
}

/// After how many vertices a search of a graph is given up.
struct GraphLimits {
  /// Vertices of a search, after which it is given up.
  var visits: Int
  /// Vertices that may not be found after which it is given up, if they are more than is usual.
  var vain = Int.max
  /// The first visits, and 1 less the similarity of the nearest of these above which it is.
  var firstVisits = 0
  var startRange = Float.infinity
  /// For queries that are given up at their start, where they are few of many.
  var second: Second?

  /// A second search, which its start does not end so early.
  struct Second {
    let visits: Int
    /// Beyond which no reach finds enough.
    let startRange: Float
  }

  /// Those of the second search.
  /// - Parameter anyStart: whether queries are searched for wherever they begin.
  func again(_ second: Second, anyStart: Bool) -> GraphLimits {
    var limits = self
    limits.visits = min(visits, second.visits)
    limits.startRange = anyStart ? .infinity : second.startRange
    return limits
  }
}

extension kernels_graph_search {
  /// By how much similarities of a query with two vectors in steps may be in the wrong order: four standard deviations of
  /// their difference, for rotated vectors whose largest number is some three times as large as most.
  var rounding: Float { 0.04 / Float(codes.width).squareRoot() }

  /// Whether the first visits were what a lost search was given up for.
  var isGivenUpAtStart: Bool {
    state == KERNELS_GRAPH_LOST && visit_count == start_visits && 1 - start_best > start_range
  }

  /// What an exact comparison may find among the k nearest.
  var candidates: UnsafeBufferPointer<kernels_graph_hit> {
    guard hit_count > k else { return UnsafeBufferPointer(start: hits, count: hit_count) }
    let least = hits[k - 1].similarity - rounding
    var count = k
    while count < hit_count && hits[count].similarity >= least { count += 1 }
    return UnsafeBufferPointer(start: hits, count: count)
  }
}

/// One thread's searches of a graph, some of which are under way at a time: while the memory that one needs is coming,
/// another computes.
final class GraphSearches {
  static let slots = 3
  /// Hits that a search for k neighbors keeps: steps may put one behind the k-th that is among them.
  static func hitLimit(k: Int) -> Int { k + 1 + k / 4 }

  /// Vertices that a search may visit at all.
  static func visitLimit(vertexCount: Int) -> Int { min(vertexCount, max(4096, vertexCount / 16)) }

  /// Vertices that a search may have met and not visited.
  private static let leastCapacity = 1024

  private let isa = kernels_active_isa()
  private let width: Int
  private let memory: UnsafeMutablePointer<kernels_graph_search>
  private let vector: UnsafeMutablePointer<Float>
  /// Memory that the caller reads soon, which is asked for as searches go on.
  var ahead = kernels_graph_ahead()
  /// What each slot searches for.
  private var queries = [Int](repeating: 0, count: slots)

  /// - Parameters:
  ///   - hitLimit: hits of a search, at least `k`.
  ///   - wanted: the rows that may be found; nil for all.
  init(
    width: Int, vertexCount: Int, k: Int, hitLimit: Int, limits: GraphLimits,
    reach: GraphReach, rowLimit: UInt32, wanted: RowMask? = nil
  ) {
    self.width = width
    vector = .allocate(capacity: width)
    memory = .allocate(capacity: Self.slots)
    let capacity = max(Self.leastCapacity, 8 * hitLimit)
    for slot in 0..<Self.slots {
      var search = kernels_graph_search()
      search.tables = Self.aligned(4 * width, UInt8.self)
      search.query = Self.aligned(width, Int16.self)
      search.visited = Self.aligned(vertexCount / 64 + 1, UInt64.self)
      search.visited.initialize(repeating: 0, count: vertexCount / 64 + 1)
      search.visit_limit = limits.visits
      search.vain_limit = limits.vain
      search.start_visits = limits.firstVisits
      search.start_range = limits.startRange
      search.path = Self.aligned(limits.visits, UInt32.self)
      search.estimates = Self.aligned(capacity + 16, Float.self)
      search.vertices = Self.aligned(capacity + 16, UInt32.self)
      search.capacity = capacity
      search.hits = Self.aligned(hitLimit, kernels_graph_hit.self)
      search.hit_limit = hitLimit
      search.k = k
      search.reach = reach.near
      if let wide = reach.wide {
        search.wide_reach = wide.reach
        search.near_last = wide.nearLast
        search.wide_last = wide.wideLast
      }
      search.far_reach = reach.far ?? .infinity
      search.range = reach.range
      search.least_share = reach.leastShare
      search.row_limit = wanted.map { min($0.rowLimit, rowLimit) } ?? rowLimit
      search.wanted = wanted?.words
      (memory + slot).initialize(to: search)
    }
  }

  deinit {
    for slot in 0..<Self.slots {
      let search = memory[slot]
      let parts: [UnsafeMutableRawPointer?] = [
        .init(search.tables), .init(search.query), .init(search.visited), .init(search.path),
        .init(search.estimates), .init(search.vertices), .init(search.hits),
      ]
      for part in parts { part?.deallocate() }
    }
    memory.deallocate()
    vector.deallocate()
  }

  private static func aligned<Value>(_ count: Int, _ type: Value.Type) -> UnsafeMutablePointer<Value> {
    UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Value>.stride, alignment: 64)
      .bindMemory(to: type, capacity: count)
  }

  /// Searches for some queries; each is over in its own time.
  /// - Parameters:
  ///   - rotated: writes a query's rotated vector of unit length.
  ///   - missing: makes a block of the graph known.
  ///   - finished: told of each query once, with its search as it ended: finished or lost.
  func run(
    _ graph: inout kernels_graph, _ range: Range<Int>,
    rotated: (_ query: Int, UnsafeMutablePointer<Float>) -> Void,
    missing: (_ block: Int) throws -> Void,
    finished: (_ query: Int, UnsafeMutablePointer<kernels_graph_search>) throws -> Void
  ) throws {
    var next = range.lowerBound
    /// Has a slot's search go on, or begins the next ones, until one runs.
    func settle(_ slot: Int) throws {
      while true {
        switch memory[slot].state {
        case KERNELS_GRAPH_RUNNING: return
        case KERNELS_GRAPH_WAITING:
          try missing(Int(memory[slot].missing))
          memory[slot].state = KERNELS_GRAPH_RUNNING
        case KERNELS_GRAPH_IDLE:
          guard next < range.upperBound else { return }
          rotated(next, vector)
          queries[slot] = next
          next += 1
          kernels_begin_graph_search(isa, &graph, vector, memory + slot)
        default:
          try finished(queries[slot], memory + slot)
          memory[slot].state = KERNELS_GRAPH_IDLE
        }
      }
    }
    for slot in 0..<Self.slots {
      memory[slot].state = KERNELS_GRAPH_IDLE
      try settle(slot)
    }
    while true {
      let slot = kernels_advance_graph_searches(isa, &graph, memory, Self.slots, &ahead)
      if slot == Self.slots { return }
      try settle(slot)
    }
  }
}
