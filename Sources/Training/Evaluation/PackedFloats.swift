import FoundationEssentials

/// Many numbers that JSON holds as one text: base64 of their float32 bytes, little endian. They come back bit for bit.
package struct PackedFloats: Sendable, Codable {
  private enum Numbers {
    case list(ScratchTable<Float>)
    /// The probabilities of sample after sample; nobody changes them any more.
    case probabilities(ProbabilityTable)
  }

  private let numbers: Numbers
  package let count: Int

  package subscript(place: Int) -> Float {
    switch numbers {
    case .list(let numbers): return numbers[place]
    case .probabilities(let table):
      let (sample, index) = place.quotientAndRemainder(dividingBy: table.classCount)
      return table[Int32(sample), index]
    }
  }

  /// All of them in memory of their own.
  package var values: [Float] { (0..<count).map { self[$0] } }

  package init(_ values: [Float]) {
    let numbers = ScratchTable<Float>(inMemory: values.count)
    _ = numbers.values.update(fromContentsOf: values)
    self.init(numbers)
  }

  /// The probabilities of sample after sample, where they lie.
  init(_ table: ProbabilityTable) {
    numbers = .probabilities(table)
    count = table.sampleCount * table.classCount
  }

  private init(_ numbers: ScratchTable<Float>) {
    self.numbers = .list(numbers)
    count = numbers.count
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    guard bytes.count.isMultiple(of: 4) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(bytes.count) bytes are no float32 numbers")
    }
    let numbers = try ScratchTable<Float>(count: bytes.count / 4)
    bytes.withUnsafeBytes { bytes in
      for place in numbers.indices {
        let word = bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)
        numbers[place] = Float(bitPattern: UInt32(littleEndian: word))
      }
    }
    self.init(numbers)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    var bytes = Data(capacity: 4 * count)
    for place in 0..<count {
      withUnsafeBytes(of: self[place].bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    try container.encode(bytes)
  }
}

extension PackedFloats: Equatable {
  /// Whether the bits are the same, so that NaN equals itself.
  package static func == (left: PackedFloats, right: PackedFloats) -> Bool {
    left.count == right.count
      && (0..<left.count).allSatisfy { left[$0].bitPattern == right[$0].bitPattern }
  }
}
