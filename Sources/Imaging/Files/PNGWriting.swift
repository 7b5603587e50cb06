import Faults
import Glibc
import ImageCodecs

/// Writes an 8-bit PNG in place of whatever was at `path`, all or nothing.
/// - Shape: `pixels` is [height, width, channels], row-major; channels is 1 (gray) or 3 (RGB).
/// - Throws: `cannotCreate` or `inputOutput`; the old file is then untouched.
package func writePNG(_ path: String, width: Int, height: Int, channels: Int = 1, pixels: [UInt8]) throws {
  precondition(channels == 1 || channels == 3)
  precondition(width > 0 && height > 0 && pixels.count == width * height * channels)
  try pixels.withUnsafeBytes { try writePNG(path, width, height, channels, bits: 8, $0) }
}

/// Writes a 16-bit gray PNG in place of whatever was at `path`, all or nothing.
/// - Shape: `pixels` is [height, width], row-major.
/// - Throws: `cannotCreate` or `inputOutput`; the old file is then untouched.
package func writePNG16(_ path: String, width: Int, height: Int, pixels: [UInt16]) throws {
  precondition(width > 0 && height > 0 && pixels.count == width * height)
  try pixels.withUnsafeBytes { try writePNG(path, width, height, 1, bits: 16, $0) }
}

private func writePNG(
  _ path: String, _ width: Int, _ height: Int, _ channels: Int, bits: Int32, _ pixels: UnsafeRawBufferPointer
) throws {
  // Beside the target, so that the rename stays within one file system.
  let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else {
    let fault = Fault.system(path, "create")
    throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
  }
  var isComplete = false
  defer { if !isComplete { unlink(temporary) } }

  var message = codec_message()
  let status = codec_png_write(
    descriptor, UInt32(width), UInt32(height), Int32(channels), bits, pixels.baseAddress, &message)
  let isClosed = close(descriptor) == 0
  guard status == CODEC_OK else {
    throw Fault(.inputOutput, path, "cannot be written: \(messageText(message))")
  }
  guard isClosed, rename(temporary, path) == 0 else { throw Fault.system(path, "write") }
  isComplete = true
}
