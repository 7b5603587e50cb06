import Formats
import Identity

/// How packed weights lie in a file of the cache. Numbers are little-endian, arrays are as this processor has them.
///
///     0   8   "cellvecW"
///     8   4   version
///     12  4   number of arrays
///     16  8   size of the file, bytes
///     24  8   where the table begins
///     32  8   XXH3-64 of the table
///     40  8   XXH3-64 of the 40 bytes before
///     48  16  zeros
///     64      the arrays, each from a multiple of 64 on, zeros between them
///             the table, to the end of the file: the key, then the model's name, each a length of 2 bytes and so much
///             UTF-8; then for each array 8 bytes each of its place, size in bytes and XXH3-64, and its name, as above
///
/// Files of another version are never read, and go when they are old.
enum PackedWeightsLayout {
  /// To be raised with every change of this layout, of the kernels' panels, of how `ViTWeights` makes arrays from
  /// tensors, and of int8's calibration (its images, counts and seeds, the rounding of its factors, and what the float32
  /// forward pass gives): what is in the cache must be what would be packed anew.
  static let version: UInt32 = 1

  static let magic: [UInt8] = Array("cellvecW".utf8)
  static let headerByteCount = 64
  static let alignment = 64

  struct Place: Equatable {
    let name: String
    let range: Range<Int>
    let checksum: UInt64
  }

  /// What the table says.
  struct Table: Equatable {
    /// What the weights are of: see `WeightsCache.Key`.
    let key: String
    /// What the model was called when it was packed, for people.
    let model: String
    let arrays: [Place]
  }
}

// MARK: - Writing

extension PackedWeightsLayout.Table {
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    func append(_ text: String) {
      let text = Array(text.utf8.prefix(Int(UInt16.max)))
      bytes.append(littleEndian: UInt16(text.count))
      bytes += text
    }
    append(key)
    append(model)
    for array in arrays {
      bytes.append(littleEndian: UInt64(array.range.lowerBound))
      bytes.append(littleEndian: UInt64(array.range.count))
      bytes.append(littleEndian: array.checksum)
      append(array.name)
    }
    return bytes
  }

  /// The header of a file whose table begins at `offset`.
  func header(tableOffset offset: Int) -> [UInt8] {
    let table = encoded
    var bytes = PackedWeightsLayout.magic
    bytes.append(littleEndian: PackedWeightsLayout.version)
    bytes.append(littleEndian: UInt32(arrays.count))
    bytes.append(littleEndian: UInt64(offset + table.count))
    bytes.append(littleEndian: UInt64(offset))
    bytes.append(littleEndian: table.withUnsafeBytes(checksum64))
    bytes.append(littleEndian: bytes.withUnsafeBytes(checksum64))
    return bytes + [UInt8](repeating: 0, count: PackedWeightsLayout.headerByteCount - bytes.count)
  }
}

// MARK: - Reading

extension PackedWeightsLayout.Table {
  /// Reads the table of a file; nil when header or table are damaged or of another version. The arrays lie inside the
  /// file then; their content has not been looked at.
  init?(of file: UnsafeRawBufferPointer) {
    typealias Layout = PackedWeightsLayout
    guard file.count >= Layout.headerByteCount, file.starts(with: Layout.magic) else { return nil }
    var header = ByteReader(file, in: Layout.magic.count..<Layout.headerByteCount)
    guard header.next(UInt32.self) == Layout.version, let count = header.next(UInt32.self),
      let fileByteCount = header.next(UInt64.self), let tableOffset = header.next(UInt64.self),
      let tableChecksum = header.next(UInt64.self), let checked = header.checksum,
      header.next(UInt64.self) == checked, header.isAtZeros, fileByteCount == UInt64(file.count),
      let start = Int(exactly: tableOffset), (Layout.headerByteCount...file.count).contains(start),
      checksum64(UnsafeRawBufferPointer(rebasing: file[start...])) == tableChecksum
    else { return nil }
    var table = ByteReader(file, in: start..<file.count)
    guard let key = table.text(), let model = table.text() else { return nil }
    var arrays: [Layout.Place] = []
    while arrays.count < Int(count) {
      guard let offset = table.next(UInt64.self), let byteCount = table.next(UInt64.self),
        let checksum = table.next(UInt64.self), let name = table.text(),
        offset % UInt64(Layout.alignment) == 0, offset >= UInt64(Layout.headerByteCount),
        byteCount > 0, offset < tableOffset, byteCount <= tableOffset - offset
      else { return nil }
      arrays.append(
        Layout.Place(name: name, range: Int(offset)..<Int(offset + byteCount), checksum: checksum))
    }
    guard table.offset == table.end, Set(arrays.map(\.name)).count == arrays.count else { return nil }
    self.init(key: key, model: model, arrays: arrays)
  }
}

extension ByteReader {
  /// Of all bytes before the next one.
  fileprivate var checksum: UInt64? { checksum64(UnsafeRawBufferPointer(rebasing: bytes[..<offset])) }

  /// Whether nothing but zeros is left.
  fileprivate var isAtZeros: Bool { bytes[offset..<end].allSatisfy { $0 == 0 } }

  /// A text behind its length.
  fileprivate mutating func text() -> String? {
    next(UInt16.self).flatMap { skip($0) }.flatMap { bytes.text(in: $0) }
  }
}

extension PackedWeights {
  /// The arrays of a file of the cache, where they lie in its mapping.
  ///
  /// - Returns: nil when the file is damaged, of another version or of another key. All of it is read: weights with a
  ///   wrong bit would give vectors that look like any others.
  convenience init?(_ file: MappedFile, key: String) {
    guard let table = PackedWeightsLayout.Table(of: file.bytes), table.key == key else { return nil }
    var arrays: [String: UnsafeRawBufferPointer] = [:]
    for array in table.arrays {
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[array.range])
      guard checksum64(bytes) == array.checksum else { return nil }
      arrays[array.name] = bytes
    }
    self.init(arrays, in: file)
  }
}
