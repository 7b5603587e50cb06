import Faults
import Glibc

/// The bytes behind a `SafetensorsFile`: a read-only mapping, or an array.
struct SafetensorsStorage: Sendable {
  private enum Source: Sendable {
    case mapped(Mapping)
    case array([UInt8])
  }

  private let source: Source

  init(bytes: [UInt8]) { source = .array(bytes) }

  init(path: String) throws {
    source = .mapped(try Mapping(path: path))
  }

  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch source {
    case .array(let bytes): try bytes.withUnsafeBytes(body)
    // The mapping must outlive its use.
    case .mapped(let mapping): try withExtendedLifetime(mapping) { try body(mapping.bytes) }
    }
  }
}

/// A file mapped for reading, from `init` to `deinit`.
///
/// Unchecked: the pages are shared between threads, but nobody may write to them, and the two properties are
/// set once.
private final class Mapping: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault.system(path, "read its size") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Fault(.badData, path, "is not a regular file", remedy: "give the path of a safetensors file")
    }
    let byteCount = Int(status.st_size)
    guard byteCount > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw Fault.system(path, "map")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: byteCount)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}
