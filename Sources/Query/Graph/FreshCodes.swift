import Kernels
import Storage

/// Codes of rows that a graph lacks, made for one search of many queries.
///
/// Shared between threads: nothing changes after `init`.
final class FreshCodes: @unchecked Sendable {
  /// Queries from which on making codes takes less time than comparing every row exactly.
  static let leastQueries = 256
  /// By how many standard deviations an estimate may be wrong: all but one in some thousands are less.
  private static let deviations: Float = 3.5

  let count: Int
  private let width: Int
  private let groups: UnsafeMutablePointer<UInt8>
  /// The square of the length of the codes' centre.
  private let centreNorm2: Float
  private let rowLimit: UInt32

  init(of rows: RowSet, _ graph: StoredGraph, threads: Int, _ snapshot: borrowing Snapshot) throws {
    let order = snapshot.beginVectors(rows.count, of: graph.space)
    defer { snapshot.endVectors(order) }
    let members = rows.toArray()
    let vectors = try RotatedVectors(of: rows, in: graph.space, graph.codeSpace, snapshot)
    let width = graph.width
    self.width = width
    count = members.count
    rowLimit = graph.rowLimit
    let groupCount = (members.count + KERNELS_GROUP_CODES - 1) / KERNELS_GROUP_CODES
    let groupByteCount = kernels_group_bytes(width)
    let groups = UnsafeMutableRawPointer.allocate(byteCount: groupCount * groupByteCount, alignment: 64)
      .initializeMemory(as: UInt8.self, repeating: 0, count: groupCount * groupByteCount)
    self.groups = groups
    guard let centre = graph.entryCentre.baseAddress else { preconditionFailure("a graph has a centre") }
    centreNorm2 = kernels_inner_product(width, centre, centre)
    inLanes(threads, of: groupCount) { _, share in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { vector in
        guard let vector = vector.baseAddress else { return }
        let codes = share.lowerBound * KERNELS_GROUP_CODES..<share.upperBound * KERNELS_GROUP_CODES
        for code in codes.clamped(to: members.indices) {
          vectors.copy(members[code], into: vector)
          kernels_encode(
            width, vector, centre, members[code], groups + code / KERNELS_GROUP_CODES * groupByteCount,
            code % KERNELS_GROUP_CODES)
        }
      }
    }
  }

  deinit { groups.deallocate() }

  /// The rows that may be nearer than the last neighbor of a search that has ended, or all while it has too few.
  /// - Parameter found: room for `count` hits.
  func scan(
    _ search: inout kernels_graph_search, into found: UnsafeMutablePointer<kernels_code_hit>
  ) -> UnsafeBufferPointer<kernels_code_hit> {
    let isFull = search.hit_count >= search.k
    let distance2 = max(0, 1 + centreNorm2 - 2 * search.entry_base)
    var scan = kernels_code_search(
      base: search.entry_base,
      margin: Self.deviations * kernels_code_deviation(width) * distance2.squareRoot(),
      least: isFull ? search.hits[search.k - 1].similarity - search.rounding : -.infinity,
      row_limit: rowLimit, wanted: nil)
    let count = kernels_scan_codes(
      kernels_active_isa(), &search.codes, &scan, groups, 0, count, found)
    return UnsafeBufferPointer(start: found, count: count)
  }
}
