import Faults
import Glibc
import ImageCodecs

/// The bytes of an 8-bit PNG.
/// - Shape: `pixels` is [height, width, channels], row-major; channels is 1 (gray) or 3 (RGB).
/// - Throws: `inputOutput` when the folder of temporary files has no room for it.
package func encodedPNG(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws -> [UInt8] {
  precondition(channels == 1 || channels == 3)
  precondition(width > 0 && height > 0 && pixels.count == width * height * channels)
  // The encoder writes to descriptors; the file has no name, and goes when it is closed.
  guard let file = tmpfile() else { throw Fault.system("PNG", "make a temporary file") }
  defer { fclose(file) }
  let descriptor = fileno(file)
  var message = codec_message()
  let status = pixels.withUnsafeBytes {
    codec_png_write(descriptor, UInt32(width), UInt32(height), Int32(channels), 8, $0.baseAddress, &message)
  }
  guard status == CODEC_OK else {
    throw Fault(.inputOutput, "PNG", "cannot be made: \(messageText(message))")
  }
  let byteCount = Int(lseek(descriptor, 0, SEEK_END))
  var bytes = [UInt8](repeating: 0, count: byteCount)
  guard pread(descriptor, &bytes, byteCount, 0) == byteCount else {
    throw Fault.system("PNG", "read \(byteCount) bytes")
  }
  return bytes
}
