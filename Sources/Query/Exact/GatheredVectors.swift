import Glibc
import Storage

/// Vectors out of blocks of which not all are wanted: many queries pass over so many together as a kernel takes, in place
/// of a few out of each block.
///
/// Shared between threads: the vectors lie in the map, where nothing changes while their snapshot lives.
struct GatheredVectors: @unchecked Sendable {
  static let capacity = CoarseQueries.chunk

  /// In order.
  private(set) var rows: [Row] = []
  private var locations: [UnsafeRawPointer] = []

  init() {
    rows.reserveCapacity(Self.capacity)
    locations.reserveCapacity(Self.capacity)
  }

  var isFull: Bool { rows.count == Self.capacity }

  mutating func append(_ row: Row, of block: VectorBlock) {
    rows.append(row)
    locations.append(block.location(of: row))
  }

  /// Copies the vectors.
  /// - Shape: `target` has room for as many vectors of the space's scalar type.
  /// - Parameter byteCount: of a vector.
  func copy(into target: UnsafeMutableRawPointer, byteCount: Int) {
    for (place, location) in locations.enumerated() {
      memcpy(target + place * byteCount, location, byteCount)
    }
  }
}
