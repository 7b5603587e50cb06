import Formats

/// A head's value in table "heads": space u16, zero u16, byte count of the summary u32, summary, weights.
extension HeadRecord {
  func encoded() -> [UInt8] {
    let json = Array(summary.utf8)
    var bytes: [UInt8] = []
    bytes.append(littleEndian: space)
    bytes.append(littleEndian: UInt16(0))
    bytes.append(littleEndian: UInt32(json.count))
    return bytes + json + weights
  }

  init(decoding bytes: UnsafeRawBufferPointer, name: String) throws {
    var reader = ByteReader(bytes) { "head \"\(name)\"" }
    let entry = try HeadEntry(reading: &reader, name: name)
    self.init(
      name: name, space: entry.space, summary: entry.summary,
      weights: Array(try reader.take(reader.remaining)))
  }
}

extension HeadEntry {
  init(decoding bytes: UnsafeRawBufferPointer, name: String) throws {
    var reader = ByteReader(bytes) { "head \"\(name)\"" }
    try self.init(reading: &reader, name: name)
  }

  /// Reads what stands before the weights.
  fileprivate init(reading reader: inout ByteReader, name: String) throws {
    self.name = name
    space = try reader.number()
    _ = try reader.number(UInt16.self)
    summary = String(decoding: try reader.take(Int(try reader.number(UInt32.self))), as: UTF8.self)
  }
}
