import Faults

/// The files inside a ZIP archive, as its central directory lists them; their bytes stay where they are.
///
/// Local headers are looked at only to find where the data begin: writers that stream leave their sizes zero.
/// - Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
struct ZipDirectory {
  struct Entry {
    let name: String
    /// Whether the data are the file's bytes as they were, not compressed.
    let isStored: Bool
    /// The data as they lie in the archive.
    let data: Range<Int>
  }

  /// In the order of the directory.
  let entries: [Entry]

  /// - Throws: `badData` when the archive is cut, encrypted or in several parts, or when entries share bytes
  ///   or names.
  init(of file: UnsafeRawBufferPointer) throws(Fault) {
    let directory = try Self.locate(in: file)
    var reader = ByteReader(file, in: directory.range)
    var entries: [Entry] = []
    var extents: [Range<Int>] = []
    var names: Set<String> = []
    for _ in 0..<directory.entryCount {
      let (entry, start) = try Self.entry(&reader, before: directory.range.lowerBound)
      guard names.insert(entry.name).inserted else {
        throw Fault(.badData, "\(excerpt(entry.name))", "is in the archive twice", remedy: damaged)
      }
      entries.append(entry)
      extents.append(start..<entry.data.upperBound)
    }
    guard reader.offset == directory.range.upperBound else {
      throw Fault(
        .badData, "", "the archive's directory is longer than its \(directory.entryCount) entries",
        remedy: damaged)
    }
    extents.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    for (left, right) in zip(extents, extents.dropFirst()) where right.lowerBound < left.upperBound {
      throw Fault(.badData, "", "two entries of the archive share bytes", remedy: damaged)
    }
    self.entries = entries
  }
}

private let damaged = "the file is damaged or was made to mislead: fetch it again from where it came"

private func incomplete(_ what: String) -> Fault {
  Fault(.badData, "", what, remedy: "the file is cut short or damaged: fetch it again")
}

// MARK: - The end of the archive

extension ZipDirectory {
  private static let endByteCount = 22
  private static let locatorByteCount = 20

  private struct Location {
    let entryCount: Int
    let range: Range<Int>
  }

  /// Finds the directory by the record that ends an archive and, where there is one, its 64-bit twin.
  private static func locate(in file: UnsafeRawBufferPointer) throws(Fault) -> Location {
    guard let end = endRecord(of: file) else {
      throw incomplete("the directory at the end of the ZIP archive is missing")
    }
    var reader = ByteReader(file, in: end..<file.count)
    // The record is complete: `endRecord` has found all of it.
    _ = reader.skip(4)
    let disks = [reader.next(UInt16.self), reader.next(UInt16.self)]
    let counts = [reader.next(UInt16.self), reader.next(UInt16.self)].map { UInt64($0 ?? 0) }
    let size = UInt64(reader.next(UInt32.self) ?? 0)
    let offset = UInt64(reader.next(UInt32.self) ?? 0)
    guard disks == [0, 0], counts[0] == counts[1] else {
      throw Fault(.badData, "", "is one part of a ZIP archive in several", remedy: "join the parts first")
    }
    let narrow = (count: counts[0], size: size, offset: offset, end: end)
    let found = try wideRecord(of: file, before: end) ?? narrow
    // Fields of the older record that are not "see the other" must say the same.
    guard narrow.count == 0xFFFF || narrow.count == found.count,
      narrow.size == 0xFFFF_FFFF || narrow.size == found.size,
      narrow.offset == 0xFFFF_FFFF || narrow.offset == found.offset
    else { throw incomplete("the archive's two end records differ") }
    guard found.offset <= found.end, found.size == UInt64(found.end) - found.offset,
      found.count <= found.size / 46
    else { throw incomplete("the archive's directory does not lie before its end") }
    return Location(entryCount: Int(found.count), range: Int(found.offset)..<found.end)
  }

  /// Where the end record begins: as near to the file's end as its comment allows.
  private static func endRecord(of file: UnsafeRawBufferPointer) -> Int? {
    let last = file.count - endByteCount
    var start = last
    while start >= max(0, last - 0xFFFF) {
      if file[start] == 0x50, file[start + 1] == 0x4B, file[start + 2] == 5, file[start + 3] == 6,
        Int(file[start + 20]) | Int(file[start + 21]) << 8 == last - start
      {
        return start
      }
      start -= 1
    }
    return nil
  }

  /// What the 64-bit end record says, and where it begins; nil when the archive has none.
  private static func wideRecord(
    of file: UnsafeRawBufferPointer, before end: Int
  ) throws(Fault) -> (count: UInt64, size: UInt64, offset: UInt64, end: Int)? {
    guard end >= locatorByteCount else { return nil }
    let locator = end - locatorByteCount
    var reader = ByteReader(file, in: locator..<end)
    guard reader.next(UInt32.self) == 0x0706_4B50 else { return nil }
    guard reader.next(UInt32.self) == 0, let start = reader.next(UInt64.self), reader.next(UInt32.self) == 1,
      start <= locator
    else { throw incomplete("the archive's 64-bit end record cannot be found") }
    reader = ByteReader(file, in: Int(start)..<locator)
    guard reader.next(UInt32.self) == 0x0606_4B50, reader.skip(12) != nil, reader.next(UInt64.self) == 0,
      let here = reader.next(UInt64.self), let count = reader.next(UInt64.self), here == count,
      let size = reader.next(UInt64.self), let offset = reader.next(UInt64.self)
    else { throw incomplete("the archive's 64-bit end record is damaged") }
    return (count, size, offset, Int(start))
  }
}

// MARK: - One entry

extension ZipDirectory {
  /// The next entry of the directory, and where its local header begins.
  private static func entry(
    _ reader: inout ByteReader, before limit: Int
  ) throws(Fault) -> (Entry, start: Int) {
    guard reader.next(UInt32.self) == 0x0201_4B50, reader.skip(4) != nil,
      let flags = reader.next(UInt16.self), let method = reader.next(UInt16.self), reader.skip(8) != nil,
      let narrowPacked = reader.next(UInt32.self), let narrowSize = reader.next(UInt32.self),
      let nameCount = reader.next(UInt16.self), let extraCount = reader.next(UInt16.self),
      let commentCount = reader.next(UInt16.self), let disk = reader.next(UInt16.self),
      reader.skip(6) != nil, let narrowOffset = reader.next(UInt32.self),
      let nameRange = reader.skip(nameCount), let extra = reader.skip(extraCount),
      reader.skip(commentCount) != nil
    else { throw incomplete("the archive's directory is cut or damaged") }
    guard let name = reader.bytes.text(in: nameRange) else {
      throw Fault(.badData, "", "a name in the archive is not UTF-8", remedy: damaged)
    }
    let subject = excerpt(name)
    guard flags & 1 == 0 else {
      throw Fault(.badData, subject, "is encrypted", remedy: "unpack the archive and save its tensors again")
    }
    // In this order, and only those whose field says "see there".
    var wide = [UInt64(narrowSize), UInt64(narrowPacked), UInt64(narrowOffset)]
    if wide.contains(0xFFFF_FFFF) { try widen(&wide, ByteReader(reader.bytes, in: extra), subject) }
    let (size, packed, offset) = (wide[0], wide[1], wide[2])
    guard disk == 0, offset <= limit,
      let data = dataRange(at: Int(offset), packed, before: limit, reader, nameRange)
    else { throw Fault(.badData, subject, "does not lie where the archive says", remedy: damaged) }
    guard method != 0 || size == packed else {
      throw Fault(.badData, subject, "is stored in \(packed) bytes but has \(size)", remedy: damaged)
    }
    return (Entry(name: name, isStored: method == 0, data: data), Int(offset))
  }

  /// Takes the values that do not fit 32 bits from the extra field of kind 1.
  private static func widen(
    _ values: inout [UInt64], _ extra: ByteReader, _ subject: String
  ) throws(Fault) {
    var extra = extra
    while let kind = extra.next(UInt16.self), let count = extra.next(UInt16.self),
      let body = extra.skip(count)
    {
      guard kind == 1 else { continue }
      var reader = ByteReader(extra.bytes, in: body)
      for place in values.indices where values[place] == 0xFFFF_FFFF {
        guard let value = reader.next(UInt64.self) else { break }
        values[place] = value
      }
      guard !values.contains(0xFFFF_FFFF) else { break }
      return
    }
    throw Fault(.badData, subject, "lacks its 64-bit size", remedy: damaged)
  }

  /// Where the data lie behind their local header, which repeats the name and says how long it is itself.
  private static func dataRange(
    at offset: Int, _ byteCount: UInt64, before limit: Int, _ directory: ByteReader, _ name: Range<Int>
  ) -> Range<Int>? {
    var reader = ByteReader(directory.bytes, in: offset..<limit)
    guard reader.next(UInt32.self) == 0x0403_4B50, reader.skip(22) != nil,
      let nameCount = reader.next(UInt16.self), let extraCount = reader.next(UInt16.self),
      let repeated = reader.skip(nameCount),
      directory.bytes[repeated].elementsEqual(directory.bytes[name]), reader.skip(extraCount) != nil
    else { return nil }
    return reader.skip(byteCount)
  }
}
