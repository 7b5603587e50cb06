import Faults
import Glibc

/// The one way to stdout: buffered, complete, and quiet when the reader has left.
///
/// A reader that closes the pipe, such as `head`, has what it wanted: `ExitStatus.done` is thrown, which ends
/// the program at once and without a word.
struct StandardOutput: ~Copyable {
  private static let bufferByteCount = 64 * 1024

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(descriptor: Int32 = STDOUT_FILENO) {
    self.descriptor = descriptor
    buffer.reserveCapacity(Self.bufferByteCount)
  }

  /// - Throws: `inputOutput` when the bytes cannot be written; `ExitStatus.done` when nobody reads them.
  mutating func write(_ text: String) throws {
    try write { $0.append(contentsOf: text.utf8) }
  }

  /// - Parameter append: appends what is to be written.
  mutating func write(_ append: (inout [UInt8]) -> Void) throws {
    append(&buffer)
    if buffer.count >= Self.bufferByteCount { try flush() }
  }

  mutating func writeLine(_ text: String) throws {
    try write(text)
    try write("\n")
  }

  /// Hands everything over. What was written and not flushed is lost.
  mutating func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    try buffer.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 {
          rest = rest.dropFirst(count)
        } else if errno == EPIPE {
          throw ExitStatus.done
        } else if errno != EINTR {
          throw Fault.system("stdout", "write")
        }
      }
    }
  }
}

/// The way to stderr: unbuffered, and never a reason to fail. What comes from files, such as names and texts, is written
/// in escapes where a terminal would take it for a command.
enum StandardError {
  /// Writes a text as it is.
  static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }

  /// Writes one line, with line breaks in it as escapes.
  static func writeLine(_ text: String) { write(escapingControls(in: text) + "\n") }

  /// Writes a text of several lines.
  static func writeLines(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { writeLine(String(line)) }
  }
}
