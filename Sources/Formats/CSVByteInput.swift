import Faults
import Glibc

/// The bytes of a file or an array, one after another, without a UTF-8 byte order mark.
struct ByteInput: ~Copyable {
  private static let chunk = 1 << 16
  /// Of what is said to be longer, as of a file of holes, memory is taken as its bytes come.
  private static let mostReserved = 1 << 32

  private let name: String
  /// -1 when all bytes are in the buffer.
  private var descriptor: Int32
  private var buffer: [UInt8]
  private var position = 0

  /// - Parameter keepsMark: whether a byte order mark is left where the file has one.
  init(path: String, keepsMark: Bool = false) throws(Fault) {
    name = path
    buffer = []
    descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    if !keepsMark { try skipByteOrderMark() }
  }

  /// All bytes of a file at once, with a byte order mark where it has one: it takes as much memory as the file is long.
  static func bytes(ofFile path: String) throws(Fault) -> [UInt8] {
    var input = try ByteInput(path: path, keepsMark: true)
    var bytes: [UInt8] = []
    // Else it would grow by doubling. The end is where reading ends: the file may grow meanwhile.
    var status = stat()
    if fstat(input.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      bytes.reserveCapacity(min(Int(status.st_size), mostReserved))
    }
    while true {
      let next = try input.upcoming()
      if next.isEmpty { return bytes }
      bytes += next
      input.position += next.count
    }
  }

  init(bytes: [UInt8], name: String) throws(Fault) {
    self.name = name
    buffer = bytes
    descriptor = -1
    try skipByteOrderMark()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  mutating func next() throws(Fault) -> UInt8? {
    guard let byte = try peek() else { return nil }
    position += 1
    return byte
  }

  mutating func peek() throws(Fault) -> UInt8? {
    if position == buffer.count { try refill() }
    return position < buffer.count ? buffer[position] : nil
  }

  /// Bytes that come next, as many as one reading gives; none at the end.
  mutating func upcoming() throws(Fault) -> ArraySlice<UInt8> {
    _ = try peek()
    return buffer[position...]
  }

  /// Lets `body` look at the bytes that come next, and passes over as many of them as it returns.
  /// - Returns: that count.
  mutating func take(_ body: (UnsafeBufferPointer<UInt8>) -> Int) throws(Fault) -> Int {
    _ = try peek()
    let position = position
    let count = buffer.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[position...])) }
    self.position += count
    return count
  }

  private mutating func skipByteOrderMark() throws(Fault) {
    if try upcoming().starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
  }

  /// Appends nothing at the end of the input. Never leaves less than a whole chunk or the end, so that the
  /// byte order mark is not cut by a short read of a pipe.
  private mutating func refill() throws(Fault) {
    guard descriptor >= 0 else { return }
    var filled = 0
    if buffer.count < Self.chunk { buffer = [UInt8](repeating: 0, count: Self.chunk) }
    while filled < Self.chunk {
      let count = buffer.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress.map { $0 + filled }, Self.chunk - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Fault.system(name, "read") }
      if count == 0 { break }
      filled += count
    }
    buffer.removeLast(Self.chunk - filled)
    position = 0
  }
}
