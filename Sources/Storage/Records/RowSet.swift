import Croaring

/// A set of rows, as a compressed Roaring bitmap.
///
/// Sets are values: operators make new sets. `insert` is meant for building one.
package struct RowSet: Sendable {
  /// Owns the C bitmap. Shared between copies of a `RowSet` and never changed while shared, so it may cross
  /// threads: `insert` copies first unless it holds the only reference.
  fileprivate final class Storage: @unchecked Sendable {
    let bitmap: UnsafeMutablePointer<roaring_bitmap_t>
    init(_ bitmap: UnsafeMutablePointer<roaring_bitmap_t>) { self.bitmap = bitmap }
    deinit { roaring_bitmap_free(bitmap) }
  }

  fileprivate var storage: Storage

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

  package mutating func insert(contentsOf rows: [Row]) {
    makeUnique()
    roaring_bitmap_add_many(storage.bitmap, rows.count, rows)
  }

  package mutating func remove(_ row: Row) {
    makeUnique()
    roaring_bitmap_remove(storage.bitmap, row)
  }

  package mutating func formUnion(_ other: RowSet) {
    makeUnique()
    roaring_bitmap_or_inplace(storage.bitmap, other.storage.bitmap)
  }

  package func intersection(_ other: RowSet) -> RowSet {
    RowSet(adopting: roaring_bitmap_and(storage.bitmap, other.storage.bitmap))
  }

  package func subtracting(_ other: RowSet) -> RowSet {
    RowSet(adopting: roaring_bitmap_andnot(storage.bitmap, other.storage.bitmap))
  }

  /// The largest row; nil of an empty set.
  package var last: Row? { isEmpty ? nil : roaring_bitmap_maximum(storage.bitmap) }

  /// How many rows of `range` are in the set.
  package func count(in range: Range<Row>) -> Int {
    Int(roaring_bitmap_range_cardinality(storage.bitmap, UInt64(range.lowerBound), UInt64(range.upperBound)))
  }

  /// The rows in increasing order.
  package func toArray() -> [Row] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      roaring_bitmap_to_uint32_array(storage.bitmap, base)
      initialized = count
    }
  }

  /// The smallest row at or after `row`, nil when there is none.
  package func next(from row: Row) -> Row? {
    var iterator = roaring_uint32_iterator_t()
    roaring_init_iterator(storage.bitmap, &iterator)
    guard roaring_move_uint32_iterator_equalorlarger(&iterator, row) else { return nil }
    return iterator.current_value
  }

  fileprivate mutating func makeUnique() {
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

// MARK: Stored form

extension RowSet {
  /// The set in the portable Roaring format without run containers, as table "sets" keeps it.
  func encoded() -> [UInt8] {
    var plain = self
    plain.makeUnique()
    roaring_bitmap_remove_run_compression(plain.storage.bitmap)
    let byteCount = roaring_bitmap_portable_size_in_bytes(plain.storage.bitmap)
    return Array(unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      let target = UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self)
      initialized = target.map { roaring_bitmap_portable_serialize(plain.storage.bitmap, $0) } ?? 0
    }
  }

  /// Reads one stored chunk; nil when the bytes are not a set of rows of that chunk.
  init?(decoding bytes: UnsafeRawBufferPointer, chunk: UInt16) {
    guard StoredChunk(bytes).isSound(chunk: chunk),
      let source = bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
      let bitmap = roaring_bitmap_portable_deserialize_safe(source, bytes.count)
    else { return nil }
    self.init(adopting: bitmap)
  }
}

/// The bytes of one chunk, before they are trusted: CRoaring's reader checks lengths, but believes a container
/// that says it holds fewer rows than it does.
private struct StoredChunk {
  private static let headerByteCount = 16
  private static let bitsetByteCount = 8192
  /// Largest container that is an array of its rows.
  private static let arrayLimit = 4096
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  func isSound(chunk: UInt16) -> Bool {
    guard bytes.count > StoredChunk.headerByteCount, number(at: 0, as: UInt32.self) == 12346,
      number(at: 4, as: UInt32.self) == 1, number(at: 8, as: UInt16.self) == chunk,
      number(at: 12, as: UInt32.self) == StoredChunk.headerByteCount
    else { return false }
    let count = Int(number(at: 10, as: UInt16.self)) + 1
    let container = UnsafeRawBufferPointer(rebasing: bytes[StoredChunk.headerByteCount...])
    if count > StoredChunk.arrayLimit {
      guard container.count == StoredChunk.bitsetByteCount else { return false }
      let words = stride(from: 0, to: container.count, by: 8)
      return words.reduce(0) {
        $0 + container.loadUnaligned(fromByteOffset: $1, as: UInt64.self).nonzeroBitCount
      }
        == count
    }
    guard container.count == count * 2 else { return false }
    let rows = stride(from: StoredChunk.headerByteCount, to: bytes.count, by: 2).map {
      number(at: $0, as: UInt16.self)
    }
    return zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
  }

  private func number<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
    Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
  }
}
