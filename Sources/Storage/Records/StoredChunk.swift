/// One chunk of a row set as table "sets" keeps it, in place, once its bytes can be trusted: CRoaring's reader
/// checks lengths, but believes a container that says it holds fewer rows than it does.
struct StoredChunk {
  /// The first number of a portable Roaring bitmap without run containers.
  static let cookie: UInt32 = 12346
  static let bitsetByteCount = 8192
  /// Words of a bit for each row of a chunk.
  static let wordCount = bitsetByteCount / 8
  /// Largest container that is an array of its rows.
  static let arrayLimit = 4096
  private static let headerByteCount = 16
  static let largestByteCount = headerByteCount + bitsetByteCount

  /// All of it, as a row set in the portable format.
  let bytes: UnsafeRawBufferPointer
  let chunk: UInt16
  private let container: RowContainer

  /// Rows in the chunk, at least one.
  var count: Int { container.count }

  /// - Returns: nil when the bytes are not a set of rows of that chunk.
  init?(_ bytes: UnsafeRawBufferPointer, chunk: UInt16) {
    guard bytes.count > StoredChunk.headerByteCount,
      bytes.littleEndian(at: 0, as: UInt32.self) == StoredChunk.cookie,
      bytes.littleEndian(at: 4, as: UInt32.self) == 1, bytes.littleEndian(at: 8, as: UInt16.self) == chunk,
      bytes.littleEndian(at: 12, as: UInt32.self) == StoredChunk.headerByteCount
    else { return nil }
    self.bytes = bytes
    self.chunk = chunk
    container = RowContainer(
      UnsafeRawBufferPointer(rebasing: bytes[StoredChunk.headerByteCount...]),
      count: Int(bytes.littleEndian(at: 10, as: UInt16.self)) + 1)
    guard container.isSound else { return nil }
  }

  /// Writes a chunk as it is stored.
  /// - Parameters:
  ///   - words: a bit for each row of the chunk.
  ///   - count: how many of them are set, at least one.
  ///   - target: `largestByteCount` bytes.
  /// - Returns: bytes of the chunk.
  static func encode(
    _ words: UnsafeBufferPointer<UInt64>, chunk: UInt16, count: Int,
    into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
      target.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }
    store(cookie, at: 0)
    store(1 as UInt32, at: 4)
    store(chunk, at: 8)
    store(UInt16(count - 1), at: 10)
    store(UInt32(headerByteCount), at: 12)
    if count > arrayLimit {
      for (index, word) in words.enumerated() { store(word, at: headerByteCount + index * 8) }
      return largestByteCount
    }
    var end = headerByteCount
    for (index, word) in words.enumerated() where word != 0 {
      forEachBit(of: word) { bit in
        store(UInt16(truncatingIfNeeded: index * 64 + bit), at: end)
        end += 2
      }
    }
    return end
  }

  /// Sets the bit of each row.
  /// - Parameter words: a bit for each row of the chunk.
  func formUnion(into words: UnsafeMutableBufferPointer<UInt64>) { container.formUnion(into: words) }
}

extension UnsafeRawBufferPointer {
  func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
