/// The rows of one chunk of a portable Roaring bitmap without run containers.
struct RowContainer {
  /// How many rows there are, at least one.
  let count: Int
  /// Low halves of the rows in order, or a bit for each row of the chunk where there are more than
  /// `StoredChunk.arrayLimit`.
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer, count: Int) {
    self.bytes = bytes
    self.count = count
  }

  /// - Parameter bitmap: as CRoaring has just written it.
  static func forEach(
    in bitmap: UnsafeRawBufferPointer, _ body: (_ chunk: UInt16, RowContainer) -> Void
  ) {
    let containerCount = Int(bitmap.littleEndian(at: 4, as: UInt32.self))
    for index in 0..<containerCount {
      let count = Int(bitmap.littleEndian(at: 10 + 4 * index, as: UInt16.self)) + 1
      let offset = Int(bitmap.littleEndian(at: 8 + 4 * containerCount + 4 * index, as: UInt32.self))
      body(
        bitmap.littleEndian(at: 8 + 4 * index, as: UInt16.self),
        RowContainer(UnsafeRawBufferPointer(rebasing: bitmap[offset...]), count: count))
    }
  }

  /// Whether the bytes are as many rows as they are said to be.
  var isSound: Bool { isBitset ? isSoundBitset : isSoundArray }

  private var isBitset: Bool { count > StoredChunk.arrayLimit }

  private var isSoundBitset: Bool {
    guard bytes.count == StoredChunk.bitsetByteCount else { return false }
    var found = 0
    for offset in stride(from: 0, to: StoredChunk.bitsetByteCount, by: 8) {
      found += bytes.littleEndian(at: offset, as: UInt64.self).nonzeroBitCount
    }
    return found == count
  }

  private var isSoundArray: Bool {
    guard bytes.count == count * 2 else { return false }
    var isOrdered = true
    for index in 1..<count where slot(index - 1) >= slot(index) { isOrdered = false }
    return isOrdered
  }

  /// Sets the bit of each row.
  /// - Parameter words: a bit for each row of the chunk, up to the last one of the set at least.
  func formUnion(into words: UnsafeMutableBufferPointer<UInt64>) {
    if isBitset {
      for index in words.indices { words[index] |= bytes.littleEndian(at: index * 8, as: UInt64.self) }
    } else {
      for index in 0..<count {
        let slot = Int(self.slot(index))
        words[slot >> 6] |= 1 << UInt64(slot & 63)
      }
    }
  }

  private func slot(_ index: Int) -> UInt16 { bytes.littleEndian(at: index * 2, as: UInt16.self) }
}
