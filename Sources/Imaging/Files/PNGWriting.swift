import Faults
import Formats
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
  var file = try AtomicFile(path: path)
  var message = codec_message()
  let status = file.withDescriptor {
    codec_png_write($0, UInt32(width), UInt32(height), Int32(channels), bits, pixels.baseAddress, &message)
  }
  guard status == CODEC_OK else {
    throw Fault(.inputOutput, path, "cannot be written: \(messageText(message))")
  }
  try file.commit()
}
