import Identity

/// The checksum behind the value of every record but the blocks of vectors, which have theirs in their header.
///
/// It covers the key too, so that a record under a key that was changed is noticed as well.
enum Seal {
  static let byteCount = 4

  /// The lower half of XXH3-64 of the value, seeded with XXH3-64 of the key.
  static func of(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: checksum64(value, seed: checksum64(key)))
  }

  /// The value of a record without its seal; nil when it does not match.
  static func open(
    key: UnsafeRawBufferPointer, sealed: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let count = sealed.count - byteCount
    guard count >= 0 else { return nil }
    let value = UnsafeRawBufferPointer(rebasing: sealed[..<count])
    let seal = UInt32(littleEndian: sealed.loadUnaligned(fromByteOffset: count, as: UInt32.self))
    return seal == of(key: key, value: value) ? value : nil
  }

  /// Writes a value and its seal; `target` has room for both.
  static func close(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) {
    if !value.isEmpty { target.copyMemory(from: value) }
    target.storeBytes(of: of(key: key, value: value).littleEndian, toByteOffset: value.count, as: UInt32.self)
  }
}

extension Table {
  /// Whether values end with a seal.
  var isSealed: Bool { self != .vectors && self != .codes && self != .coarse }

  /// What the record of a key is called in faults.
  func subject(of key: UnsafeRawBufferPointer) -> String {
    func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
      key.bigEndian(at: offset, as: type)
    }
    switch (self, key.count) {
    case (.header, _): return "\"\(legibleText(key))\" of table \"header\""
    case (.heads, _): return "head \"\(legibleText(key))\""
    case (.fields, 2): return "field \(number(0, UInt16.self))"
    case (.texts, 6): return "text \(number(2, UInt32.self)) of field \(number(0, UInt16.self))"
    case (.indexes, 2): return "the index of space \(number(0, UInt16.self))"
    case (.indexes, 3):
      return
        "the \(number(2, UInt8.self) == 2 ? "graph" : "unfinished index") of space \(number(0, UInt16.self))"
    case (.indexes, 9): return "the rows in the index of space \(number(1, UInt16.self))"
    case (.codes, 11):
      return "block \(number(7, UInt32.self)) of the index of space \(number(0, UInt16.self))"
    case (.coarse, 6):
      return "the int8 copy of block \(number(2, UInt32.self)) of space \(number(0, UInt16.self))"
    case (.spaces, 2): return "space \(number(0, UInt16.self))"
    case (.images, 4): return "image \(number(0, UInt32.self))"
    case (.outcomes, 6):
      return "outcome of image \(number(2, UInt32.self)) in space \(number(0, UInt16.self))"
    case (.cells, 4): return "cell \(number(0, UInt32.self))"
    case (.numbers, 6):
      return "chunk \(number(2, UInt32.self)) of the number column of field \(number(0, UInt16.self))"
    case (.sets, 9): return "chunk \(number(7, UInt16.self)) of row set \(RowSetName(key: key).described)"
    default: return "a record of table \"\(name)\""
    }
  }
}

extension RowSetName? {
  fileprivate var described: String { map { "\($0)" } ?? "of an unknown kind" }
}

/// Bytes of a key as a fault can show them: in one line, without control characters.
func legibleText(_ key: UnsafeRawBufferPointer) -> String {
  String(
    String.UnicodeScalarView(
      String(decoding: key, as: UTF8.self).unicodeScalars.map { $0.value < 32 ? "?" : $0 }))
}
