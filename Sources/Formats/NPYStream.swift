import Faults
import Glibc

/// Arrays of vectors that come one after another through a pipe, each as `numpy.save` writes it.
///
/// Unchecked: whoever calls `next` waits for it to end before calling it again, on whatever thread.
package final class NPYStream: @unchecked Sendable {
  /// Bytes of one array at most, which is held in memory.
  static let arrayByteLimit = 1 << 30
  /// Bytes of a header at most; NumPy's have 128.
  private static let headerByteLimit = 1 << 16
  /// F_SETPIPE_SZ, which Swift does not see.
  private static let setPipeSize: Int32 = 1031
  /// How often the end of waiting for more is asked for.
  private static let patienceMilliseconds: Int32 = 200

  private let descriptor: Int32
  private let name: String
  private let isCancelled: @Sendable () -> Bool
  /// Arrays that have come.
  private var count = 0

  /// - Parameters:
  ///   - descriptor: open for reading, for as long as the stream is used.
  ///   - name: what faults call the stream.
  ///   - isCancelled: whether to wait for no more.
  package init(descriptor: Int32, name: String, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.descriptor = descriptor
    self.name = name
    self.isCancelled = isCancelled
    // A pipe holds 64 KiB otherwise; what is none refuses.
    _ = fcntl(descriptor, Self.setPipeSize, 1 << 20)
  }

  /// Waits for the next array; nil at the end of the stream, and as soon as it is cancelled.
  /// - Throws: `badData` for anything but whole arrays of float32 in C order, [vectors, dimension], and for one of more
  ///   than `arrayByteLimit`; `inputOutput` when the stream cannot be read.
  package func next() throws -> NPYMatrix? {
    let subject = "array \(count + 1) of \(name)"
    var front = [UInt8](repeating: 0, count: NPYHeader.frontByteCount)
    let frontByteCount = try front.withUnsafeMutableBytes { try read(into: $0) }
    if frontByteCount == 0 || isCancelled() { return nil }
    guard frontByteCount == front.count, front.starts(with: NPYHeader.magic) else {
      throw Fault(
        .badData, subject, "is not a NumPy array",
        remedy: "write each with numpy.save(file, x.astype('float32'))")
    }
    let length = NPYHeader.byteCount(front: front)
    guard length <= Self.headerByteLimit else {
      throw Fault(.badData, subject, "has a header of \(length) bytes", remedy: "write it with numpy.save")
    }
    var bytes = front + [UInt8](repeating: 0, count: length - front.count)
    guard
      try bytes.withUnsafeMutableBytes({
        try fill(UnsafeMutableRawBufferPointer(rebasing: $0[front.count...]), subject)
      })
    else { return nil }
    let header = try bytes.withUnsafeBytes { try NPYHeader(decoding: $0, name: subject) }
    var isWhole = true
    let array = try NPYArray(
      header: header, name: subject, for: NPYMatrix.purpose, byteLimit: Self.arrayByteLimit
    ) {
      isWhole = try fill($0, subject)
    }
    count += 1
    return isWhole ? try NPYMatrix(array, path: name) : nil
  }

  /// Whether `next` would find something to read at once, be it the end of the stream.
  package var hasBytes: Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0
  }

  /// Reads as many bytes as the buffer has.
  /// - Returns: false when it was cancelled before.
  private func fill(_ buffer: UnsafeMutableRawBufferPointer, _ subject: String) throws -> Bool {
    let found = try read(into: buffer)
    if found < buffer.count, !isCancelled() {
      throw Fault(
        .badData, subject, "is cut off: the stream ends within it", remedy: "send it again, and whole")
    }
    return found == buffer.count
  }

  /// - Returns: bytes read; fewer than the buffer has at the end of the stream, and when it was cancelled.
  private func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var rest = buffer
    while let start = rest.baseAddress, !rest.isEmpty {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let isReady = Glibc.poll(&poll, 1, Self.patienceMilliseconds)
      if isCancelled() { break }
      if isReady == 0 { continue }
      let found = isReady < 0 ? -1 : Glibc.read(descriptor, start, rest.count)
      if found < 0 {
        guard errno == EINTR else { throw Fault.system(name, "read") }
      } else if found == 0 {
        break
      } else {
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[found...])
      }
    }
    return buffer.count - rest.count
  }
}
