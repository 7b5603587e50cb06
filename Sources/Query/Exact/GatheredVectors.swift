import Glibc
import Storage

/// Copies of vectors out of blocks of which few are wanted, side by side: many queries pass over so many together as a
/// kernel takes, in place of a few out of each block.
///
/// Shared between threads: nothing changes once a lane reads it.
final class GatheredVectors: @unchecked Sendable {
  static let capacity = CoarseQueries.chunk

  /// [rows, dimension] numbers of the space's scalar type.
  let base: UnsafeMutableRawPointer
  /// In order.
  private(set) var rows: [Row] = []
  let byteCount: Int

  init(of space: SpaceRecord) {
    byteCount = Self.capacity * space.dimension * space.scalar.byteCount
    base = .allocate(byteCount: byteCount, alignment: 64)
    rows.reserveCapacity(Self.capacity)
  }

  deinit { base.deallocate() }

  var isFull: Bool { rows.count == Self.capacity }

  /// Copies vectors until there is no more room.
  /// - Parameter wanted: rows of the block.
  /// - Returns: the rows that are left.
  func append(_ wanted: ArraySlice<Row>, of block: VectorBlock) -> ArraySlice<Row> {
    let taken = wanted.prefix(Self.capacity - rows.count)
    for row in taken {
      memcpy(base + rows.count * block.vectorByteCount, block.location(of: row), block.vectorByteCount)
      rows.append(row)
    }
    return wanted[taken.endIndex...]
  }
}
