import Faults
import Formats

extension Snapshot {
  /// The paths of the files that images were read from, as they were given; no imported arrays. Of images whose records
  /// are damaged there are none.
  package func imagePaths() throws -> [String] {
    try paths(in: .images) { scanner throws(Fault) in
      var paths: [String] = []
      var isImport = false
      try scanner.object { scanner, key throws(Fault) in
        switch key {
        case "files": try scanner.array { file throws(Fault) in paths += try file.strings(under: "path") }
        case "width": isImport = try scanner.integer() == 0
        default: try scanner.skipValue()
        }
      }
      return isImport ? [] : paths
    }
  }

  /// The paths of the masks that cells came from, as they were given, in order. Of outcomes whose records are damaged there
  /// are none.
  package func maskPaths() throws -> [String] {
    Set(
      try paths(in: .outcomes) { outcome throws(Fault) in
        try outcome.strings(under: "maskPath")
      }
    ).sorted()
  }

  /// What `read` finds in each document of a table that is sound. Documents are not decoded: of 100,000 images that takes some
  /// two seconds.
  private func paths(
    in table: Table, _ read: (inout JSONScanner) throws(Fault) -> [String]
  ) throws -> [String] {
    var paths: [String] = []
    try transaction.survey(
      table, damage: { _, _ in },
      entry: { _, value in
        var scanner = JSONScanner(value, subject: "a record", of: "table \"\(table.name)\"")
        do { paths += try read(&scanner) } catch { return }
      })
    return paths
  }

  /// Calls `body` with each image, in order of their numbers.
  package func forEachImage(_ body: (_ number: UInt32, _ image: ImageRecord) throws -> Void) throws {
    try transaction.forEach(.images) { key, value in
      guard key.count == 4 else {
        throw Fault(.badData, "table \"images\"", "is damaged", remedy: "run cellvec check")
      }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      try body(number, try transaction.decodeImage(value, number))
    }
  }
}

extension JSONScanner {
  /// The texts that an object has under a key: one, or none.
  fileprivate mutating func strings(under wanted: String) throws(Fault) -> [String] {
    var strings: [String] = []
    try object { scanner, key throws(Fault) in
      if key == wanted { strings.append(try scanner.string()) } else { try scanner.skipValue() }
    }
    return strings
  }
}
