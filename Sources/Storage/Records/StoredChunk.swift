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

  let chunk: UInt16
  /// Rows in the chunk, at least one.
  let count: Int
  /// Low halves of the rows in order, or a bit for each row of the chunk where there are more than `arrayLimit`.
  let container: UnsafeRawBufferPointer

  /// - Returns: nil when the bytes are not a set of rows of that chunk.
  init?(_ bytes: UnsafeRawBufferPointer, chunk: UInt16) {
    guard bytes.count > StoredChunk.headerByteCount,
      bytes.littleEndian(at: 0, as: UInt32.self) == StoredChunk.cookie,
      bytes.littleEndian(at: 4, as: UInt32.self) == 1, bytes.littleEndian(at: 8, as: UInt16.self) == chunk,
      bytes.littleEndian(at: 12, as: UInt32.self) == StoredChunk.headerByteCount
    else { return nil }
    self.chunk = chunk
    count = Int(bytes.littleEndian(at: 10, as: UInt16.self)) + 1
    container = UnsafeRawBufferPointer(rebasing: bytes[StoredChunk.headerByteCount...])
    guard count > StoredChunk.arrayLimit ? isSoundBitset : isSoundArray else { return nil }
  }

  /// One container of a portable Roaring bitmap without run containers that CRoaring has just written.
  init(trusting bitmap: UnsafeRawBufferPointer, container index: Int, of containerCount: Int) {
    chunk = bitmap.littleEndian(at: 8 + 4 * index, as: UInt16.self)
    count = Int(bitmap.littleEndian(at: 10 + 4 * index, as: UInt16.self)) + 1
    let offset = Int(bitmap.littleEndian(at: 8 + 4 * containerCount + 4 * index, as: UInt32.self))
    container = UnsafeRawBufferPointer(rebasing: bitmap[offset...])
  }

  private var isSoundBitset: Bool {
    guard container.count == StoredChunk.bitsetByteCount else { return false }
    var found = 0
    for offset in stride(from: 0, to: StoredChunk.bitsetByteCount, by: 8) {
      found += container.littleEndian(at: offset, as: UInt64.self).nonzeroBitCount
    }
    return found == count
  }

  private var isSoundArray: Bool {
    guard container.count == count * 2 else { return false }
    var isOrdered = true
    for index in 1..<count where slot(index - 1) >= slot(index) { isOrdered = false }
    return isOrdered
  }

  /// Sets the bit of each row.
  /// - Parameter words: a bit for each row of the chunk.
  func formUnion(into words: UnsafeMutableBufferPointer<UInt64>) {
    if count > StoredChunk.arrayLimit {
      for index in words.indices { words[index] |= container.littleEndian(at: index * 8, as: UInt64.self) }
    } else {
      for index in 0..<count {
        let slot = Int(self.slot(index))
        words[slot >> 6] |= 1 << UInt64(slot & 63)
      }
    }
  }

  private func slot(_ index: Int) -> UInt16 { container.littleEndian(at: index * 2, as: UInt16.self) }
}

extension UnsafeRawBufferPointer {
  func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
