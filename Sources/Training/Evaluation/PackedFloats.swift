import FoundationEssentials

/// Many numbers that JSON holds as one text: base64 of their float32 bytes, little endian. They come back bit for bit.
package struct PackedFloats: Sendable, Codable {
  private let numbers: ScratchTable<Float>

  package var count: Int { numbers.count }
  package subscript(place: Int) -> Float { numbers[place] }
  /// All of them in memory of their own.
  package var values: [Float] { Array(numbers) }

  package init(_ values: [Float]) {
    numbers = ScratchTable(inMemory: values.count)
    _ = numbers.values.update(fromContentsOf: values)
  }

  /// The probabilities of sample after sample.
  /// - Throws: as `ScratchTable`.
  init(_ table: ProbabilityTable) throws {
    numbers = try ScratchTable(count: table.sampleCount * table.classCount)
    for sample in 0..<table.sampleCount {
      for index in 0..<table.classCount {
        numbers[sample * table.classCount + index] = table[Int32(sample), index]
      }
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    guard bytes.count.isMultiple(of: 4) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(bytes.count) bytes are no float32 numbers")
    }
    numbers = try ScratchTable(count: bytes.count / 4)
    bytes.withUnsafeBytes { bytes in
      for place in numbers.indices {
        let word = bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)
        numbers[place] = Float(bitPattern: UInt32(littleEndian: word))
      }
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    var bytes = Data(capacity: 4 * count)
    for number in numbers {
      withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    try container.encode(bytes)
  }
}

extension PackedFloats: Equatable {
  /// Whether the bits are the same, so that NaN equals itself.
  package static func == (left: PackedFloats, right: PackedFloats) -> Bool {
    left.numbers.elementsEqual(right.numbers) { $0.bitPattern == $1.bitPattern }
  }
}
