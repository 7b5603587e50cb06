import Dispatch
import Faults
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Formats

@Suite struct NPYStreamTests {
  /// Arrays as `NPYWriter` writes them, one behind the other.
  private func bytes(of arrays: [(count: Int, dimension: Int)]) throws -> [UInt8] {
    try withTemporaryDirectory { directory in
      try arrays.flatMap { count, dimension in
        let path = "\(directory)/v.npy"
        var writer = try NPYWriter(path: path, dimension: dimension)
        try writer.write((0..<count * dimension).map { Float($0) })
        try writer.close()
        let file = try MappedFile(path: path)
        return withExtendedLifetime(file) { Array(file.bytes) }
      }
    }
  }

  /// Calls `body` with a stream of some bytes, which come through a pipe a few at a time.
  private func withStream<Result>(
    of bytes: [UInt8], pieceByteCount: Int = 1000, _ body: (NPYStream) throws -> Result
  ) throws -> Result {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let end = ends[1]
    let sender = DispatchGroup()
    DispatchQueue.global().async(group: sender) {
      for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
        let piece = Array(bytes[start..<min(start + pieceByteCount, bytes.count)])
        if write(end, piece, piece.count) < 0 { break }
      }
      close(end)
    }
    defer { sender.wait() }
    return try body(NPYStream(descriptor: ends[0], name: "stdin"))
  }

  @Test func arraysComeOneAfterAnother() throws {
    let arrays = [(3, 5), (0, 4), (1000, 7), (1, 1)]
    try withStream(of: bytes(of: arrays)) { stream in
      for (count, dimension) in arrays {
        let next = try stream.next()
        let matrix = try #require(next)
        #expect(matrix.count == count && matrix.dimension == dimension)
        #expect(matrix.withUnsafeValues { Array($0) } == (0..<count * dimension).map { Float($0) })
      }
      try #expect(stream.next() == nil)
      try #expect(stream.next() == nil)
    }
  }

  @Test func anEmptyStreamHasNoArrays() throws {
    try withStream(of: []) { try #expect($0.next() == nil) }
  }

  @Test func aStreamThatEndsWithinAnArrayIsAFault() throws {
    let whole = try bytes(of: [(2, 3), (2, 3)])
    let half = whole.count / 2
    for end in [half + 1, half + 11, half + 100, half + 128, whole.count - 1] {
      try withStream(of: Array(whole[..<end])) { stream in
        try #expect(stream.next()?.count == 2)
        let fault = #expect(throws: Fault.self) { try stream.next() }
        #expect(fault?.kind == .badData && fault?.subject == "array 2 of stdin", "\(end)")
      }
    }
  }

  /// A header cannot make the program take memory for what may never come.
  @Test func headersThatPromiseTooMuchAreRefused() throws {
    for shape in ["(4294967296, 4294967296)", "(268435457, 1)", "(9223372036854775807, 9)"] {
      let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }\n"
      let header = NPYHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      try withStream(of: header) { stream in
        let fault = #expect(throws: Fault.self) { try stream.next() }
        #expect(fault?.description.contains("expected at most 1073741824 bytes") == true, "\(shape)")
      }
    }
    try withStream(of: NPYHeader.magic + [2, 0, 0, 0, 0, 255]) { stream in
      let fault = #expect(throws: Fault.self) { try stream.next() }
      #expect(fault?.description.contains("a header of") == true)
    }
  }

  @Test func whatIsNoArrayIsRefused() throws {
    try withStream(of: Array("gene,localization\n".utf8)) { stream in
      let fault = #expect(throws: Fault.self) { try stream.next() }
      #expect(fault?.description.hasPrefix("array 1 of stdin: is not a NumPy array") == true)
    }
  }

  @Test func aCancelledStreamIsNotWaitedFor() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let isCancelled = CancellationFlag()
    let stream = NPYStream(
      descriptor: ends[0], name: "stdin", isCancelled: { isCancelled.value.load(ordering: .relaxed) })
    isCancelled.value.store(true, ordering: .relaxed)
    // Nobody writes, and the other end stays open.
    try #expect(stream.next() == nil)
  }
}

private final class CancellationFlag: Sendable {
  let value = Atomic(false)
}
