import Faults

/// A safetensors file: named tensors behind a JSON header, read in place and checked before anything is
/// handed out.
///
/// Layout: an 8-byte little-endian header length, the header, then the tensors' bytes, little-endian and
/// row-major, without gap or overlap.
/// - Source: https://github.com/huggingface/safetensors, "Format".
package struct SafetensorsFile: Sendable {
  /// What faults are told of: the path, or the name given with the bytes.
  package let name: String
  /// The texts of `__metadata__`.
  package let metadata: [String: String]
  private let entries: [String: SafetensorsEntry]
  private let storage: SafetensorsStorage
  private let payloadOffset: Int

  /// Maps the file read-only. Whoever shortens it while it is mapped kills the process that reads it: files of
  /// weights are replaced, not edited.
  package init(path: String) throws {
    try self.init(storage: SafetensorsStorage(path: path), name: path)
  }

  /// Reads a file that is already in memory.
  package init(bytes: [UInt8], name: String) throws {
    try self.init(storage: SafetensorsStorage(bytes: bytes), name: name)
  }

  /// Reads a file that is part of the program, where it lies.
  /// - Parameter constant: bytes that live as long as the process and never change.
  package init(constant: UnsafeRawBufferPointer, name: String) throws {
    try self.init(storage: SafetensorsStorage(constant: constant), name: name)
  }

  private init(storage: SafetensorsStorage, name: String) throws {
    let header = try storage.withUnsafeBytes { bytes in
      do { return try SafetensorsHeader(of: bytes) } catch let fault as Fault { throw fault.within(name) }
    }
    self.name = name
    self.storage = storage
    metadata = header.metadata
    entries = header.entries
    payloadOffset = header.payloadOffset
  }

  /// All tensors by name, in order of their names.
  package var tensorNames: [String] { entries.keys.sorted() }

  /// The tensor's extents, outermost first; nil when there is no such tensor.
  package func shape(of tensor: String) -> [Int]? { entries[tensor]?.shape }

  /// The tensor's values in row-major order; F16 and BF16 are widened, which is exact.
  /// - Throws: `missingInput` for an unknown name, `badData` for a type that is not a floating-point type of at
  ///   most 32 bits.
  package func floats(of tensor: String) throws -> [Float] {
    guard let entry = entries[tensor] else {
      throw Fault(.missingInput, name, "has no tensor \(tensor)")
    }
    return try storage.withUnsafeBytes { bytes in
      let start = payloadOffset + entry.range.lowerBound
      let values = UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.range.count])
      return switch entry.type {
      case .f32: widen(values, as: UInt32.self) { Float(bitPattern: $0) }
      case .f16: widen(values, as: UInt16.self) { Float(Float16(bitPattern: $0)) }
      case .bf16: widen(values, as: UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
      default:
        throw Fault(
          .badData, "\(name): tensor \(tensor)", expected: "F32, F16 or BF16", found: entry.type.rawValue)
      }
    }
  }

  /// The file as a whole, for the length of the call.
  package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try storage.withUnsafeBytes(body)
  }
}

/// Reads little-endian words, which need not be aligned, as floats.
private func widen<Word: FixedWidthInteger>(
  _ bytes: UnsafeRawBufferPointer, as: Word.Type, _ float: (Word) -> Float
) -> [Float] {
  let size = MemoryLayout<Word>.size
  let count = bytes.count / size
  return [Float](unsafeUninitializedCapacity: count) { values, initialized in
    for index in 0..<count {
      let word = bytes.loadUnaligned(fromByteOffset: index * size, as: Word.self)
      values.initializeElement(at: index, to: float(Word(littleEndian: word)))
    }
    initialized = count
  }
}
