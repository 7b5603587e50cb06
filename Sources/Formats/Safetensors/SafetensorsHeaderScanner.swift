import Faults

/// Reads the JSON of a safetensors header, which is of one form: an object of tensors, each with its type,
/// shape and place, and of one object of texts, `__metadata__`.
///
/// Other JSON is refused where it begins; what is kept is in proportion to the text. A name that comes twice
/// is refused: readers differ on which one holds.
struct SafetensorsHeaderScanner {
  let metadata: [String: String]
  let entries: [String: SafetensorsEntry]

  /// - Throws: `badData`, told of the header or of a tensor in it.
  init(_ text: UnsafeRawBufferPointer) throws(Fault) {
    // The header begins behind its length.
    var scanner = JSONScanner(text, subject: "header", of: "a safetensors file", offset: 8)
    var metadata: [String: String]?
    var entries: [String: SafetensorsEntry] = [:]
    try scanner.object { scanner, name throws(Fault) in
      if name == "__metadata__" {
        guard metadata == nil else { throw Self.twice(name) }
        metadata = try Self.texts(&scanner)
      } else {
        let entry = try Self.entry(name, &scanner)
        guard entries.updateValue(entry, forKey: name) == nil else { throw Self.twice(name) }
      }
    }
    try scanner.end()
    self.metadata = metadata ?? [:]
    self.entries = entries
  }

  private static func texts(_ scanner: inout JSONScanner) throws(Fault) -> [String: String] {
    var texts: [String: String] = [:]
    try scanner.object { scanner, key throws(Fault) in
      guard texts.updateValue(try scanner.string(), forKey: key) == nil else { throw twice(key) }
    }
    return texts
  }

  private static func entry(_ name: String, _ scanner: inout JSONScanner) throws(Fault) -> SafetensorsEntry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, field throws(Fault) in
      switch field {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.integers(atMost: maximumRank)
      case "data_offsets" where offsets == nil: offsets = try scanner.integers(atMost: 2)
      default:
        throw Fault(
          .badData, "tensor \(excerpt(name))", expected: "dtype, shape and data_offsets, each once",
          found: excerpt(field))
      }
    }
    guard let type, let shape, let offsets else {
      throw Fault(.badData, "tensor \(excerpt(name))", "lacks its dtype, shape or data_offsets")
    }
    return try SafetensorsEntry(name: name, type: type, shape: shape, offsets: offsets)
  }

  private static func twice(_ name: String) -> Fault {
    Fault(.badData, "header", "names \(excerpt(name)) twice", remedy: "save the tensors again")
  }
}
