import FoundationEssentials

/// Many numbers that JSON holds as one text: base64 of their float32 bytes, little endian. They come back bit for bit.
package struct PackedFloats: Sendable, Codable {
  package let values: [Float]

  package init(_ values: [Float]) { self.values = values }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    guard bytes.count.isMultiple(of: 4) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(bytes.count) bytes are no float32 numbers")
    }
    values = bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(
      values.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) })
  }
}

extension PackedFloats: Equatable {
  /// Whether the bits are the same, so that NaN equals itself.
  package static func == (left: PackedFloats, right: PackedFloats) -> Bool {
    left.values.elementsEqual(right.values) { $0.bitPattern == $1.bitPattern }
  }
}
