import Croaring
import Formats

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

  fileprivate init(adopting bitmap: UnsafeMutablePointer<roaring_bitmap_t>) { storage = Storage(bitmap) }

  package init() { self.init(adopting: roaring_bitmap_create()) }

  package init(_ rows: some Sequence<Row>) {
    self.init()
    insert(contentsOf: Array(rows))
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

  package mutating func insert(contentsOf rows: UnsafeBufferPointer<Row>) {
    makeUnique()
    roaring_bitmap_add_many(storage.bitmap, rows.count, rows.baseAddress)
  }

  package mutating func insert(contentsOf rows: Range<Row>) {
    makeUnique()
    roaring_bitmap_add_range(storage.bitmap, UInt64(rows.lowerBound), UInt64(rows.upperBound))
  }

  package mutating func remove(_ row: Row) {
    makeUnique()
    roaring_bitmap_remove(storage.bitmap, row)
  }

  package mutating func formUnion(_ other: RowSet) {
    makeUnique()
    roaring_bitmap_or_inplace(storage.bitmap, other.storage.bitmap)
  }

  /// - Complexity: of equal sets, as the rows of a space and those of its whole index are, no memory.
  package func intersection(_ other: RowSet) -> RowSet {
    self == other ? self : RowSet(adopting: roaring_bitmap_and(storage.bitmap, other.storage.bitmap))
  }

  /// - Complexity: as for `intersection`.
  package func subtracting(_ other: RowSet) -> RowSet {
    self == other
      ? RowSet() : RowSet(adopting: roaring_bitmap_andnot(storage.bitmap, other.storage.bitmap))
  }

  /// The largest row; nil of an empty set.
  package var last: Row? { isEmpty ? nil : roaring_bitmap_maximum(storage.bitmap) }

  /// Whether all rows of `range` are in the set.
  /// - Complexity: looks at the rows of the range; `count(in:)` counts all rows of its chunk before them, too.
  package func contains(_ range: Range<Row>) -> Bool {
    roaring_bitmap_contains_range(storage.bitmap, UInt64(range.lowerBound), UInt64(range.upperBound))
  }

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

  /// Sets the bit of each row, container by container.
  /// - Parameter words: bit i of word w stands for row `64 w + i`; large enough for the last row.
  package func setBits(in words: UnsafeMutableBufferPointer<UInt64>) {
    encoded().withUnsafeBytes { bytes in
      RowContainer.forEach(in: bytes) { chunk, container in
        let first = Int(chunk) * StoredChunk.wordCount
        let end = min(first + StoredChunk.wordCount, words.count)
        container.formUnion(into: UnsafeMutableBufferPointer(rebasing: words[first..<end]))
      }
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
    left.storage === right.storage || roaring_bitmap_equals(left.storage.bitmap, right.storage.bitmap)
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
    guard StoredChunk(bytes, chunk: chunk) != nil, let bitmap = deserialize(bytes) else { return nil }
    self.init(adopting: bitmap)
  }
}

/// The bitmap of bytes in the portable format whose containers are sound; nil when they do not fit their header.
private func deserialize(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<roaring_bitmap_t>? {
  bytes.baseAddress.flatMap {
    roaring_bitmap_portable_deserialize_safe($0.assumingMemoryBound(to: CChar.self), bytes.count)
  }
}

/// A row set put together from chunks in order of their numbers.
/// - Complexity: the union with a chunk passes those before it, a comparison each: for n chunks about n² / 2, a million for the
///   1,526 chunks of 100 million rows.
struct JoinedChunks {
  private var rows = RowSet()
  private var lastChunk: UInt16?
  /// Room for one chunk in the portable Roaring format.
  private var encoded: [UInt8] = []

  /// - Returns: false when the chunk does not come after those before it; then it is left out.
  mutating func append(_ stored: StoredChunk) -> Bool {
    if let lastChunk, lastChunk >= stored.chunk { return false }
    lastChunk = stored.chunk
    join(stored.bytes)
    return true
  }

  /// Appends the rows of a chunk whose bit is set; none where no bit is.
  /// - Parameters:
  ///   - chunk: above those before it.
  ///   - words: a bit for each row of the chunk; no words for no rows.
  mutating func append(chunk: UInt16, words: UnsafeBufferPointer<UInt64>) {
    var count = 0
    for word in words { count += word.nonzeroBitCount }
    if count == 0 { return }
    lastChunk = chunk
    if encoded.isEmpty { encoded = Array(repeating: 0, count: StoredChunk.largestByteCount) }
    let byteCount = encoded.withUnsafeMutableBytes {
      StoredChunk.encode(words, chunk: chunk, count: count, into: $0)
    }
    encoded.withUnsafeBytes { join(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) }
  }

  func rowSet() -> RowSet { rows }

  private mutating func join(_ bytes: UnsafeRawBufferPointer) {
    guard let bitmap = deserialize(bytes) else {
      preconditionFailure("a chunk that was checked makes a row set")
    }
    let chunk = RowSet(adopting: bitmap)
    if rows.isEmpty { rows = chunk } else { rows.formUnion(chunk) }
  }
}
