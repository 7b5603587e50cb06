import Faults
import Glibc
import ImageCodecs

/// What a page of an image file holds, before its pixels are read.
struct Page: CustomStringConvertible {
  fileprivate let header: codec_page

  var sampleCount: Int { Int(header.samples) }
  var width: Int { Int(header.width) }
  var height: Int { Int(header.height) }

  var sampleType: SampleType {
    switch header.type {
    case CODEC_UINT8: .uint8
    case CODEC_UINT16: .uint16
    default: .float32
    }
  }

  var description: String { "\(width)x\(height) \(sampleType)" }
}

/// An open image file and the place in it: pages come one after another, and only the pixels that are asked for
/// are unpacked.
final class PageReader {
  private enum Codec {
    case png
    case tiff(OpaquePointer)
  }

  private let path: String
  private let descriptor: Int32
  private let codec: Codec
  private let byteCount: Int
  private var page: Page?
  private var pageCount = 0
  private var unpackedByteCount = 0

  init(path: String) throws {
    self.path = path
    byteCount = try Self.sizeOfRegularFile(path)
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault.system(path, "open") }
    do {
      codec = try Self.openCodec(descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    if case .tiff(let file) = codec { codec_tiff_close(file) }
    close(descriptor)
  }

  /// Steps to the next page; nil after the last.
  func nextPage() throws -> Page? {
    var header = codec_page()
    var message = codec_message()
    let status: codec_status
    switch codec {
    case .png: status = pageCount == 0 ? codec_png_describe(descriptor, &header, &message) : CODEC_END
    case .tiff(let file): status = codec_tiff_next(file, &header, &message)
    }
    if status == CODEC_END { return nil }
    pageCount += 1
    try check(status, message)
    let next = Page(header: header)
    // Several pages may point at the same bytes, each within bounds of its own.
    unpackedByteCount += next.width * next.height * next.sampleCount
    if unpackedByteCount / Int(CODEC_MAX_EXPANSION) / 8 > byteCount {
      throw Fault(
        .badData, path, "the headers promise more pixels than a file of \(byteCount) bytes can hold",
        remedy: "copy or export the file again")
    }
    page = next
    return next
  }

  /// The planes of these samples of the current page, in the order asked for; each at most once.
  func readPlanes(_ samples: [Int]) throws -> [Plane] {
    guard let page else { preconditionFailure("no page yet") }
    let byteCount = samples.count * page.width * page.height * MemoryLayout<Float>.stride
    try requireMemory(byteCount, for: page.description, of: path)
    var buffers = [UnsafeMutablePointer<Float>?](repeating: nil, count: page.sampleCount)
    return try decode(samples[...], of: page, into: &buffers).map { pixels in
      if page.sampleType == .float32 {
        try pixels.withUnsafeBufferPointer { try refuseNonFinite($0, of: page) }
      }
      return Plane(width: page.width, height: page.height, sampleType: page.sampleType, pixels: pixels)
    }
  }

  /// Makes an array for each sample, all of them at a time, and has the codec fill them. Their memory is only
  /// touched as pixels arrive: a header alone cannot make it grow.
  private func decode(
    _ samples: ArraySlice<Int>, of page: Page, into buffers: inout [UnsafeMutablePointer<Float>?]
  ) throws -> [[Float]] {
    guard let sample = samples.first else {
      var header = page.header
      var message = codec_message()
      let status =
        switch codec {
        case .png: codec_png_read(descriptor, &header, buffers, &message)
        case .tiff(let file): codec_tiff_read(file, buffers, &message)
        }
      try check(status, message)
      return []
    }
    precondition(buffers[sample] == nil, "sample \(sample) is asked for twice")
    let pixelCount = page.width * page.height
    var others: [[Float]] = []
    let pixels = try [Float](unsafeUninitializedCapacity: pixelCount) { memory, initializedCount in
      buffers[sample] = memory.baseAddress
      others = try decode(samples.dropFirst(), of: page, into: &buffers)
      initializedCount = pixelCount
    }
    return [pixels] + others
  }

  /// The file, or its page when it has several.
  private var subject: String { pageCount > 1 ? "\(path): page \(pageCount)" : path }

  private func refuseNonFinite(_ pixels: UnsafeBufferPointer<Float>, of page: Page) throws {
    var first = 0
    let count = codec_count_nonfinite(pixels.baseAddress, pixels.count, &first)
    guard count > 0 else { return }
    throw Fault(
      .badData, subject, expected: "finite pixels",
      found: "\(count) NaN or infinite, the first at x \(first % page.width), y \(first / page.width)",
      remedy: "replace them before the image is read")
  }

  private func check(_ status: codec_status, _ message: codec_message) throws {
    guard let fault = Self.fault(status, message, subject) else { return }
    throw fault
  }
}

extension PageReader {
  private static func sizeOfRegularFile(_ path: String) throws -> Int {
    var attributes = stat()
    guard stat(path, &attributes) == 0 else { throw Fault.system(path, "open") }
    guard attributes.st_mode & S_IFMT == S_IFREG else {
      let kind = attributes.st_mode & S_IFMT == S_IFDIR ? "a folder" : "something else"
      throw Fault(.badData, path, expected: "an image file", found: kind)
    }
    guard attributes.st_size > 0 else { throw empty(path) }
    return Int(attributes.st_size)
  }

  static func empty(_ path: String) -> Fault {
    Fault(
      .badData, path, expected: "an image", found: "an empty file (0 bytes)",
      remedy: "copy or export the file again")
  }

  private static func openCodec(_ descriptor: Int32, _ path: String) throws -> Codec {
    guard let kind = FileKind(descriptor: descriptor) else { throw Fault.system(path, "read") }
    switch kind {
    case .png: return .png
    case .tiff:
      var message = codec_message()
      var status = CODEC_OK
      guard let file = codec_tiff_open(descriptor, &status, &message) else {
        throw fault(status, message, path) ?? Fault(.badData, path, "cannot be opened")
      }
      return .tiff(file)
    case .other(let found):
      throw Fault(
        .badData, path, expected: "a PNG or TIFF image", found: found, remedy: "convert it to PNG or TIFF")
    }
  }

  /// What a codec's answer means to the owner of the file; nil when all is well.
  private static func fault(_ status: codec_status, _ message: codec_message, _ subject: String) -> Fault? {
    let text = messageText(message)
    switch status {
    case CODEC_OK: return nil
    case CODEC_UNSUPPORTED:
      return Fault(
        .badData, subject, "cannot be read: \(text)",
        remedy: "save it with samples of 8 bits, 16 bits or 32-bit float, plain or packed by LZW or deflate")
    case CODEC_HIDDEN_PAGES:
      return Fault(
        .badData, subject, "cannot be read: \(text)",
        remedy: "save it as OME-TIFF or as an image sequence, so that each image has a page or a file")
    case CODEC_TOO_LARGE:
      return Fault(.badData, subject, "is refused: \(text)", remedy: "copy or export the file again")
    case CODEC_FAILED: return Fault(.inputOutput, subject, "cannot be read: \(text)")
    case CODEC_NO_LIBRARY:
      return Fault(
        .unavailable, subject, "cannot be read: \(text)",
        remedy: "install libtiff (on Debian: apt-get install libtiff6)")
    default:
      return Fault(.badData, subject, "is damaged: \(text)", remedy: "copy or export the file again")
    }
  }
}

/// A codec's message as a string.
func messageText(_ message: codec_message) -> String {
  withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
