import Faults

/// Reads little-endian numbers one after another from stored bytes. Total: running out of bytes is a fault
/// that names the record.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0
  private let subject: () -> String

  init(_ bytes: UnsafeRawBufferPointer, of subject: @escaping () -> String) {
    self.bytes = bytes
    self.subject = subject
  }

  var remaining: Int { bytes.count - offset }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
    try require(MemoryLayout<Number>.size)
    defer { offset += MemoryLayout<Number>.size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
  }

  mutating func float() throws -> Float { Float(bitPattern: try number()) }
  mutating func double() throws -> Double { Double(bitPattern: try number()) }

  mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
    try require(count)
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  func damaged(_ problem: String) -> Fault {
    Fault(.badData, subject(), "is damaged: \(problem)", remedy: "run cellvec check")
  }

  private func require(_ count: Int) throws {
    if count < 0 || count > remaining { throw damaged("needs \(count) more bytes, has \(remaining)") }
  }
}
