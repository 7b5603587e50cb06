import Formats
import Identity

/// The seal of one of the two pages in front: of which commit the page is, and checksums of it and of the page that its
/// tree of tables begins with. LMDB has no checksums, and these bytes lead to all others.
///
/// It lies in bytes of the page that LMDB leaves alone, and is written when LMDB has written that. A process that ends
/// in between leaves the seal of an earlier commit: the page counts as unsealed, as those of a copy that LMDB made or of
/// a program that knows no seals do.
struct MetaSeal: Equatable {
  /// Where in its page it lies.
  static let offset = 192
  static let byteCount = 40
  private static let magic = Array("CVM1".utf8)

  let transaction: UInt64
  /// Of the page's header and meta data.
  let contentChecksum: UInt64
  /// Of the whole root page of the tree of tables; of no bytes where that is empty.
  let tablesChecksum: UInt64

  init(transaction: UInt64, content: [UInt8], tables: [UInt8]) {
    self.transaction = transaction
    contentChecksum = MetaSeal.checksum(of: content)
    tablesChecksum = MetaSeal.checksum(of: tables)
  }

  /// Reads 40 bytes; nil where they are no seal, or not what was written.
  init?(decoding bytes: ArraySlice<UInt8>) {
    func number(_ offset: Int) -> UInt64 {
      (0..<8).reversed().reduce(0) { $0 << 8 | UInt64(bytes[bytes.startIndex + offset + $1]) }
    }
    guard bytes.count == MetaSeal.byteCount, bytes.starts(with: MetaSeal.magic),
      number(32) == MetaSeal.checksum(of: Array(bytes.prefix(32)))
    else { return nil }
    (transaction, contentChecksum, tablesChecksum) = (number(8), number(16), number(24))
  }

  func encoded() -> [UInt8] {
    var bytes = MetaSeal.magic + [0, 0, 0, 0]
    for number in [transaction, contentChecksum, tablesChecksum] { bytes.append(littleEndian: number) }
    bytes.append(littleEndian: MetaSeal.checksum(of: bytes))
    return bytes
  }

  static func checksum(of bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { checksum64($0) } }

  /// The bytes that have the checksum: these, or these with one bit changed back.
  /// - Returns: nil where more is wrong than one bit.
  /// - Complexity: computes as many checksums as there are bits; of a page of 4096 bytes, some milliseconds.
  static func restored(_ bytes: [UInt8], checksum: UInt64) -> [UInt8]? {
    if self.checksum(of: bytes) == checksum { return bytes }
    var bytes = bytes
    let isRestored = bytes.withUnsafeMutableBytes { bytes in
      for index in bytes.indices {
        for bit in 0..<8 {
          bytes[index] ^= 1 << UInt8(bit)
          if checksum64(UnsafeRawBufferPointer(bytes)) == checksum { return true }
          bytes[index] ^= 1 << UInt8(bit)
        }
      }
      return false
    }
    return isRestored ? bytes : nil
  }
}
