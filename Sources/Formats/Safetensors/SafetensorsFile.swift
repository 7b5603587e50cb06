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
  let storage: FileBytes
  private let payloadOffset: Int

  /// Maps the file read-only. Whoever shortens it while it is mapped kills the process that reads it: files of
  /// weights are replaced, not edited.
  package init(path: String) throws {
    try self.init(storage: FileBytes(path: path), name: path)
  }

  /// Reads a file that is already in memory.
  package init(bytes: [UInt8], name: String) throws {
    try self.init(storage: FileBytes(bytes: bytes), name: name)
  }

  /// Reads a file that is part of the program, where it lies.
  /// - Parameter constant: bytes that live as long as the process and never change.
  package init(constant: UnsafeRawBufferPointer, name: String) throws {
    try self.init(storage: FileBytes(constant: constant), name: name)
  }

  init(storage: FileBytes, name: String) throws {
    let header = try storage.withUnsafeBytes { bytes throws(Fault) in
      do throws(Fault) { return try SafetensorsHeader(of: bytes) } catch { throw error.within(name) }
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

  /// The tensor's values in row-major order; F16 and BF16 are widened, which is exact, and F64 is rounded.
  /// - Throws: `missingInput` for an unknown name, `badData` for a type that is not one of these or F32.
  package func floats(of tensor: String) throws -> [Float] {
    guard let entry = entries[tensor] else {
      throw Fault(.missingInput, name, "has no tensor \(excerpt(tensor))")
    }
    guard let type = entry.type.floatingPoint else {
      throw Fault(
        .badData, "\(name): tensor \(excerpt(tensor))", expected: "F32, F16, BF16 or F64",
        found: entry.type.rawValue, remedy: "convert it in Python with .float()")
    }
    return storage.withUnsafeBytes { bytes in
      let start = payloadOffset + entry.range.lowerBound
      let values = UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.range.count])
      return type.floats(in: values, shape: entry.shape, strides: rowMajorStrides(of: entry.shape))
    }
  }
}
