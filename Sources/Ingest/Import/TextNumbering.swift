import Glibc
import Identity

/// Texts as bytes, each once, numbered in the order in which they came first.
struct TextNumbering {
  private var bytes: [UInt8] = []
  /// Where each text ends.
  private var ends: [Int] = []
  private var checksums: [UInt64] = []
  /// A hash table with linear probing: the number of a text plus one, 0 for a free slot. Twice as many slots as texts at
  /// least, a power of two.
  private var slots: [UInt32] = Array(repeating: 0, count: 64)

  var count: Int { ends.count }

  /// The number of a text, which it gets when it is new.
  mutating func number(of text: UnsafeRawBufferPointer) -> UInt32 {
    let checksum = checksum64(text)
    var slot = Int(truncatingIfNeeded: checksum) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = slots[slot] - 1
      if checksums[Int(number)] == checksum, isText(Int(number), text) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    let number = UInt32(count)
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    checksums.append(checksum)
    slots[slot] = number + 1
    if count * 2 > slots.count { grow() }
    return number
  }

  /// The texts in order of their numbers. Of bytes that are no UTF-8, what is none is replaced.
  var texts: [String] {
    ends.indices.map { String(decoding: bytes[range(of: $0)], as: UTF8.self) }
  }

  private func range(of number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

  private func isText(_ number: Int, _ text: UnsafeRawBufferPointer) -> Bool {
    let range = range(of: number)
    guard range.count == text.count, let start = text.baseAddress else { return range.count == text.count }
    return bytes.withUnsafeBytes { own in
      own.baseAddress.map { memcmp($0 + range.lowerBound, start, range.count) == 0 } ?? true
    }
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for (number, checksum) in checksums.enumerated() {
      var slot = Int(truncatingIfNeeded: checksum) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number) + 1
    }
  }
}
