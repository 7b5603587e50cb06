import Dispatch
import Storage
import Synchronization

/// An exact search under way: puts blocks into windows large enough to share out between threads, and
/// keeps the nearest neighbors of each lane of work.
struct ExactScan {
  /// Bytes that a lane reads of one window: so many (half a millisecond and more) that starting the threads costs little.
  private static let windowBytesPerLane = 16 << 20
  /// Blocks of one window and lane; sparse blocks count few bytes.
  private static let windowBlocksPerLane = 256

  private let queries: ScanQueries
  private let threads: Int
  private let vectorByteCount: Int
  private var lanes: [ScanLane]
  private var window: [ScanPiece] = []
  private var windowBytes = 0
  private var gathered = GatheredVectors()

  init(for queries: ScanQueries, threads: Int) {
    self.queries = queries
    self.threads = threads
    vectorByteCount = queries.space.vectorByteCount
    lanes = (0..<threads).map { _ in ScanLane(for: queries) }
  }

  mutating func add(_ block: VectorBlock) {
    guard let wanted = block.wanted, queries.gathers(wanted.count, of: block) else {
      let count = block.wanted?.count ?? block.slotCount
      return add(.block(block), byteCount: count * (block.coarse == nil ? vectorByteCount : block.dimension))
    }
    for row in wanted.toArray() {
      gathered.append(row, of: block)
      if gathered.isFull { addGathered() }
    }
  }

  private mutating func addGathered() {
    if gathered.rows.isEmpty { return }
    add(.gathered(gathered), byteCount: gathered.rows.count * vectorByteCount)
    gathered = GatheredVectors()
  }

  private mutating func add(_ piece: ScanPiece, byteCount: Int) {
    window.append(piece)
    windowBytes += byteCount
    if windowBytes >= Self.windowBytesPerLane * threads || window.count >= Self.windowBlocksPerLane * threads
    {
      scanWindow()
    }
  }

  /// Scans what is left and merges the lanes.
  mutating func finish() -> (neighbors: [[Neighbor]], work: ScanWork) {
    addGathered()
    scanWindow()
    var first = lanes[0]
    for lane in lanes.dropFirst() { first.merge(lane) }
    return (first.neighbors(), first.work)
  }

  private mutating func scanWindow() {
    let laneCount = min(threads, window.count)
    if laneCount <= 1 {
      for piece in window { lanes[0].scan(piece) }
    } else {
      // Every iteration reads pieces and touches its own lane; nothing else does meanwhile.
      nonisolated(unsafe) let pieces = window
      // A lane takes the next piece when it is done with one, so that all end together: a neighbor that is kept does not
      // depend on the lane that met it.
      let next = Atomic<Int>(0)
      lanes.withUnsafeMutableBufferPointer { lanes in
        nonisolated(unsafe) let lanes = lanes
        DispatchQueue.concurrentPerform(iterations: laneCount) { lane in
          while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < pieces.count else { return }
            lanes[lane].scan(pieces[index])
          }
        }
      }
    }
    window.removeAll(keepingCapacity: true)
    windowBytes = 0
  }
}

/// What a lane scans at a time.
enum ScanPiece {
  case block(VectorBlock)
  /// Wanted vectors of several blocks.
  case gathered(GatheredVectors)
}
