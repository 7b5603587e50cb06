internal import Croaring

/// A set of rows, as a compressed Roaring bitmap.
///
/// Sets are values: operators make new sets. `insert` is meant for building one.
package struct RowSet: Sendable {
  /// Owns the C bitmap. Shared between copies of a `RowSet` and never changed while shared, so it may cross
  /// threads: `insert` copies first unless it holds the only reference.
  private final class Storage: @unchecked Sendable {
    let bitmap: UnsafeMutablePointer<roaring_bitmap_t>
    init(_ bitmap: UnsafeMutablePointer<roaring_bitmap_t>) { self.bitmap = bitmap }
    deinit { roaring_bitmap_free(bitmap) }
  }

  private var storage: Storage

  private init(adopting bitmap: UnsafeMutablePointer<roaring_bitmap_t>) { storage = Storage(bitmap) }

  package init() { self.init(adopting: roaring_bitmap_create()) }

  package init(_ rows: some Sequence<Row>) {
    self.init()
    for row in rows { roaring_bitmap_add(storage.bitmap, row) }
  }

  package init(_ range: Range<Row>) {
    self.init(
      adopting: roaring_bitmap_from_range(UInt64(range.lowerBound), UInt64(range.upperBound), 1)
        ?? roaring_bitmap_create())
  }

  package var count: Int { Int(roaring_bitmap_get_cardinality(storage.bitmap)) }
  package var isEmpty: Bool { roaring_bitmap_is_empty(storage.bitmap) }
  package func contains(_ row: Row) -> Bool { roaring_bitmap_contains(storage.bitmap, row) }

  package mutating func insert(_ row: Row) {
    makeUnique()
    roaring_bitmap_add(storage.bitmap, row)
  }

  package mutating func remove(_ row: Row) {
    makeUnique()
    roaring_bitmap_remove(storage.bitmap, row)
  }

  package mutating func formUnion(_ other: RowSet) {
    makeUnique()
    roaring_bitmap_or_inplace(storage.bitmap, other.storage.bitmap)
  }

  package func union(_ other: RowSet) -> RowSet {
    RowSet(adopting: roaring_bitmap_or(storage.bitmap, other.storage.bitmap))
  }

  package func intersection(_ other: RowSet) -> RowSet {
    RowSet(adopting: roaring_bitmap_and(storage.bitmap, other.storage.bitmap))
  }

  package func subtracting(_ other: RowSet) -> RowSet {
    RowSet(adopting: roaring_bitmap_andnot(storage.bitmap, other.storage.bitmap))
  }

  /// How many rows of `range` are in the set.
  package func count(in range: Range<Row>) -> Int {
    Int(roaring_bitmap_range_cardinality(storage.bitmap, UInt64(range.lowerBound), UInt64(range.upperBound)))
  }

  /// The rows in increasing order.
  package func toArray() -> [Row] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = buffer.count == 0 ? 0 : count
      if let base = buffer.baseAddress { roaring_bitmap_to_uint32_array(storage.bitmap, base) }
    }
  }

  private mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&storage) {
      storage = Storage(roaring_bitmap_copy(storage.bitmap))
    }
  }
}

extension RowSet: Equatable {
  package static func == (left: RowSet, right: RowSet) -> Bool {
    roaring_bitmap_equals(left.storage.bitmap, right.storage.bitmap)
  }
}
