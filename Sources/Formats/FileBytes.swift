/// The bytes of a file that is read in place: a read-only mapping, or an array.
struct FileBytes: Sendable {
  private enum Source: Sendable {
    case mapped(MappedFile)
    case array([UInt8])
  }

  private let source: Source

  init(bytes: [UInt8]) { source = .array(bytes) }

  init(path: String) throws {
    source = .mapped(try MappedFile(path: path))
  }

  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch source {
    case .array(let bytes): try bytes.withUnsafeBytes(body)
    // The mapping must outlive its use.
    case .mapped(let mapping): try withExtendedLifetime(mapping) { try body(mapping.bytes) }
    }
  }
}
