/// Bytes that are there as long as the process, such as constants of the program.
///
/// Unchecked: threads share the bytes, and nobody may ever write to them.
private struct ConstantBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
}

/// The bytes of a file that is read in place: a read-only mapping, an array, or constants.
package struct FileBytes: Sendable {
  private enum Source: Sendable {
    case mapped(MappedFile)
    case array([UInt8])
    case constant(ConstantBytes)
  }

  private let source: Source

  init(bytes: [UInt8]) { source = .array(bytes) }

  /// - Parameter constant: bytes that live as long as the process and never change.
  init(constant: UnsafeRawBufferPointer) { source = .constant(ConstantBytes(bytes: constant)) }

  init(path: String) throws {
    source = .mapped(try MappedFile(path: path))
  }

  package var byteCount: Int { withUnsafeBytes(\.count) }

  package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch source {
    case .array(let bytes): try bytes.withUnsafeBytes(body)
    case .constant(let constant): try body(constant.bytes)
    // The mapping must outlive its use.
    case .mapped(let mapping): try withExtendedLifetime(mapping) { try body(mapping.bytes) }
    }
  }

  /// Of a mapped file, when it was opened; nil for bytes that are in memory.
  package var identity: FileIdentity? {
    if case .mapped(let mapping) = source { mapping.identity } else { nil }
  }

  /// Whether a mapped file is still what it was when it was opened, as far as its identity tells.
  package var isUnchanged: Bool {
    if case .mapped(let mapping) = source { mapping.isUnchanged } else { true }
  }

  /// Gives the memory of a mapped file's pages back until they are read again.
  package func releasePages() {
    if case .mapped(let mapping) = source { mapping.releasePages() }
  }
}
