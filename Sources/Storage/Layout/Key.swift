import Identity

/// A key under construction. Numbers are big endian, so that LMDB's byte order is the order of the numbers.
struct Key: Hashable, Sendable {
  private(set) var bytes: [UInt8] = []

  init() {}

  /// A key that was read before.
  init(bytes: [UInt8]) { self.bytes = bytes }

  func appending(_ number: some FixedWidthInteger & UnsignedInteger) -> Key {
    var key = self
    withUnsafeBytes(of: number.bigEndian) { key.bytes.append(contentsOf: $0) }
    return key
  }

  func appending(_ hash: ContentHash) -> Key {
    var key = self
    key.bytes.append(contentsOf: hash.bytes)
    return key
  }

  /// The smallest key above all keys that begin with this one; nil when there is none.
  var successor: Key? {
    guard let last = bytes.lastIndex(where: { $0 < 255 }) else { return nil }
    var key = Key()
    key.bytes = bytes[..<last] + [bytes[last] + 1]
    return key
  }

  func appending(_ text: String) -> Key {
    var key = self
    key.bytes.append(contentsOf: text.utf8)
    return key
  }
}

extension UnsafeRawBufferPointer {
  /// The big-endian number at a byte offset of a key. The caller has checked the key's length.
  func bigEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
    Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
