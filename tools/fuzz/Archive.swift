/// A ZIP archive of stored entries.
func archive(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
  var file: [UInt8] = []
  var directory: [UInt8] = []
  for (name, content) in entries {
    let start = file.count
    file += [0x50, 0x4B, 3, 4] + number(0, 22) + number(name.utf8.count, 2) + number(0, 2)
    file += Array(name.utf8) + content
    directory += [0x50, 0x4B, 1, 2] + number(0, 16) + number(content.count, 4) + number(content.count, 4)
    directory += number(name.utf8.count, 2) + number(0, 12) + number(start, 4) + Array(name.utf8)
  }
  let offset = file.count
  file += directory
  file += [0x50, 0x4B, 5, 6] + number(0, 4) + number(entries.count, 2) + number(entries.count, 2)
  return file + number(directory.count, 4) + number(offset, 4) + number(0, 2)
}

/// A number of some bytes, the lowest first.
func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
