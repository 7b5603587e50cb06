/// Reads little-endian numbers one after another from bytes that nobody has checked; nil means that they end
/// before.
package struct ByteReader {
  package let bytes: UnsafeRawBufferPointer
  /// Where the next number is read, from the start of the bytes.
  package private(set) var offset: Int
  package let end: Int

  /// - Parameter range: what may be read; it lies inside the bytes.
  package init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
  }

  package mutating func next<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    let size = MemoryLayout<Number>.size
    guard end - offset >= size else { return nil }
    defer { offset += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// The place of the next `count` bytes, which are passed over.
  package mutating func skip(_ count: some BinaryInteger) -> Range<Int>? {
    guard count >= 0, count <= end - offset else { return nil }
    defer { offset += Int(count) }
    return offset..<offset + Int(count)
  }

  /// The place of the bytes up to a line feed, which is passed over.
  mutating func line(of maximumByteCount: Int) -> Range<Int>? {
    let limit = min(end, offset + maximumByteCount + 1)
    guard let feed = bytes[offset..<limit].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { offset = feed + 1 }
    return offset..<feed
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes of the range are those of the text.
  package func spells(_ text: StaticString, in range: Range<Int>) -> Bool {
    range.count == text.utf8CodeUnitCount
      && text.withUTF8Buffer { self[range].elementsEqual($0) }
  }

  /// The range as text; nil when it is not UTF-8.
  package func text(in range: Range<Int>) -> String? { String(validating: self[range], as: UTF8.self) }
}

/// A name out of a file as faults show it: on one line, and not long.
package func excerpt(_ text: String) -> String {
  let shown = 80
  let head = text.unicodeScalars.prefix(shown)
  let printed = String(head.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : Character($0) })
  return head.endIndex == text.unicodeScalars.endIndex ? printed : printed + "..."
}
