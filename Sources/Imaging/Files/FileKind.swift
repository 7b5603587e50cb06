import Glibc

/// What a file is by its first bytes.
enum FileKind: Equatable {
  case png
  case tiff
  /// Anything else, in words for a message: "a JPEG image".
  case other(String)

  /// - Parameter magic: the first 16 bytes of the file, or all of a shorter one.
  init(magic: [UInt8]) {
    if magic.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
      self = .png
    } else if Self.tiffMagics.contains(where: { magic.starts(with: $0) }) {
      self = .tiff
    } else if let known = Self.others.first(where: { magic.starts(with: $0.magic) }) {
      self = .other(known.name)
    } else if magic.allSatisfy({ $0 == 0 }) {
      self = .other("zeros")
    } else if magic.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 >= 0x09 && $0 <= 0x0D }) {
      self = .other("text")
    } else {
      self = .other("an unknown kind of file")
    }
  }

  /// - Parameter descriptor: of a file that is open for reading.
  /// - Returns: nil where it cannot be read; `errno` says why.
  init?(descriptor: Int32) {
    var magic = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &magic, magic.count, 0)
    if count < 0 { return nil }
    self.init(magic: Array(magic[..<count]))
  }

  /// Byte order, then 42 for TIFF or 43 for BigTIFF.
  private static let tiffMagics: [[UInt8]] = [
    [0x49, 0x49, 42, 0], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 42], [0x4D, 0x4D, 0, 43],
  ]

  private static let others: [(magic: [UInt8], name: String)] = [
    ([0xFF, 0xD8, 0xFF], "a JPEG image"),
    (Array("GIF8".utf8), "a GIF image"),
    (Array("BM".utf8), "a BMP image"),
    (Array("RIFF".utf8), "a WebP or other RIFF file"),
    ([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20], "a JPEG 2000 image"),
    ([0xDA, 0xCE, 0xBE, 0x0A], "a Nikon ND2 file"),
    (Array("ZISRAWFILE".utf8), "a Zeiss CZI file"),
    ([0x70, 0, 0, 0], "a Leica LIF file"),
    ([0xD0, 0xCF, 0x11, 0xE0], "an OLE file (Olympus OIB or ZVI)"),
    ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
    ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "a NumPy array"),
    (Array("%PDF".utf8), "a PDF document"),
    (Array("PK".utf8), "a ZIP archive"),
    ([0x1F, 0x8B], "a gzip archive"),
    (Array("<".utf8), "an XML or HTML document"),
  ]
}
