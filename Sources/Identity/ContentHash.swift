import Cxxhash

/// A 128-bit digest (XXH3-128) that names content: pixels, weights, label strings.
///
/// It identifies, it does not authenticate. `xxhsum -H2` and Python's `xxhash.xxh3_128` give the same value.
package struct ContentHash: Hashable, Sendable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(of bytes: UnsafeRawBufferPointer) {
    let digest = cxxhash_128(bytes.baseAddress, bytes.count)
    self.init(high: digest.high64, low: digest.low64)
  }

  package init(of text: String) {
    var text = text
    self = text.withUTF8 { ContentHash(of: UnsafeRawBufferPointer($0)) }
  }

  /// The digest in canonical order (most significant byte first), 16 bytes.
  package var bytes: [UInt8] {
    [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
  }

  /// Reads 16 bytes in canonical order; nil for any other count.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    let words = bytes.reduce(into: (high: UInt64(0), low: UInt64(0))) { words, byte in
      words.high = words.high << 8 | words.low >> 56
      words.low = words.low << 8 | UInt64(byte)
    }
    self.init(high: words.high, low: words.low)
  }
}

extension ContentHash: CustomStringConvertible {
  /// 32 hexadecimal digits, lower case.
  package var description: String {
    String(unsafeUninitializedCapacity: 32) { digits in
      for index in 0..<32 {
        let digit = UInt8(truncatingIfNeeded: (index < 16 ? high : low) >> UInt64(60 - 4 * (index % 16))) & 15
        digits[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
      }
      return 32
    }
  }

  package init?(_ text: String) {
    guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}

/// A digest over content that arrives in pieces; equal to `ContentHash(of:)` of the pieces joined.
package struct ContentHasher: ~Copyable {
  private let state: OpaquePointer

  package init() {
    // XXH3_createState only fails when memory is exhausted, which Swift itself does not survive either.
    state = XXH3_createState()!
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    cxxhash_128_update(state, bytes.baseAddress, bytes.count)
  }

  package mutating func combine(_ text: String) {
    var text = text
    text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
  }

  package mutating func combine(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { combine($0) }
  }

  package consuming func finalize() -> ContentHash {
    let digest = XXH3_128bits_digest(state)
    return ContentHash(high: digest.high64, low: digest.low64)
  }
}

/// A 64-bit checksum (XXH3-64) for records and blocks.
package func checksum64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  cxxhash_64(bytes.baseAddress, bytes.count)
}

/// XXH3-64 with a seed: the checksum of bytes in a place that the seed stands for.
package func checksum64(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
  cxxhash_64_with_seed(bytes.baseAddress, bytes.count, seed)
}
