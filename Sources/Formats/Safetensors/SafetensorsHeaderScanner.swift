import Faults

/// Reads the JSON of a safetensors header, which is of one form: an object of tensors, each with its type,
/// shape and place, and of one object of texts, `__metadata__`.
///
/// Other JSON is refused where it begins, so that nesting costs nothing; each byte is looked at once or
/// twice, and what is kept is in proportion to the text. A name that comes twice is refused: readers differ
/// on which one holds.
struct SafetensorsHeaderScanner {
  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [String: SafetensorsEntry] = [:]
  private let text: UnsafeRawBufferPointer
  private var place = 0

  /// - Throws: `badData`, told of the header or of a tensor in it.
  init(_ text: UnsafeRawBufferPointer) throws(Fault) {
    self.text = text
    var hasMetadata = false
    try object { scanner, name throws(Fault) in
      if name == "__metadata__" {
        guard !hasMetadata else { throw Self.twice(name) }
        hasMetadata = true
        try scanner.object { scanner, key throws(Fault) in
          guard scanner.metadata.updateValue(try scanner.string(), forKey: key) == nil else {
            throw Self.twice(key)
          }
        }
      } else {
        let entry = try scanner.entry(name)
        guard scanner.entries.updateValue(entry, forKey: name) == nil else { throw Self.twice(name) }
      }
    }
    skipSpace()
    guard place == text.count else { throw unexpected("the end of the header") }
  }

  private static func twice(_ name: String) -> Fault {
    Fault(.badData, "header", "names \(excerpt(name)) twice", remedy: "save the tensors again")
  }

  // MARK: - What a header consists of

  private mutating func entry(_ name: String) throws(Fault) -> SafetensorsEntry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { scanner, field throws(Fault) in
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

  /// Calls `body` with each key; it reads the value.
  private mutating func object(
    _ body: (inout SafetensorsHeaderScanner, String) throws(Fault) -> Void
  ) throws(Fault) {
    try expect("{")
    if accept("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try body(&self, key)
    } while accept(",")
    try expect("}")
  }

  private mutating func integers(atMost limit: Int) throws(Fault) -> [Int] {
    var numbers: [Int] = []
    try expect("[")
    if accept("]") { return numbers }
    repeat {
      guard numbers.count < limit else { throw unexpected("at most \(limit) numbers") }
      numbers.append(try integer())
    } while accept(",")
    try expect("]")
    return numbers
  }

  // MARK: - What JSON consists of

  private mutating func integer() throws(Fault) -> Int {
    skipSpace()
    let start = place
    if place < text.count, text[place] == UInt8(ascii: "-") { place += 1 }
    while place < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[place]) { place += 1 }
    // Twenty characters are a sign and nineteen digits.
    guard place - start <= 20, let number = Int(String(decoding: text[start..<place], as: UTF8.self)) else {
      place = start
      throw unexpected("a whole number of 64 bits")
    }
    return number
  }

  private mutating func string() throws(Fault) -> String {
    try expect("\"")
    var content: [UInt8] = []
    var start = place
    while place < text.count {
      let byte = text[place]
      switch byte {
      case UInt8(ascii: "\""):
        content += text[start..<place]
        guard let string = String(validating: content, as: UTF8.self) else { throw unexpected("UTF-8") }
        place += 1
        return string
      case UInt8(ascii: "\\"):
        content += text[start..<place]
        place += 1
        content += Array(String(try escaped()).utf8)
        start = place
      case 0..<0x20: throw unexpected("no control characters in a text")
      default: place += 1
      }
    }
    throw unexpected("the end of a text")
  }

  private mutating func escaped() throws(Fault) -> Unicode.Scalar {
    guard place < text.count else { throw unexpected("an escaped character") }
    defer { place += 1 }
    switch text[place] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      // The last digit is left to the `defer`.
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      // Beyond 16 bits, UTF-16 writes a character in two.
      guard first < 0xDC00, text.count - place > 2, text[place + 1] == UInt8(ascii: "\\"),
        text[place + 2] == UInt8(ascii: "u")
      else { throw unexpected("a pair of surrogates") }
      place += 2
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw unexpected("a pair of surrogates") }
      return scalar
    default: throw unexpected("an escaped character")
    }
  }

  /// The four digits behind the place, which comes to be at the last of them.
  private mutating func hexadecimal() throws(Fault) -> UInt32 {
    guard text.count - place > 4,
      text[place + 1..<place + 5].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: text[place + 1..<place + 5], as: UTF8.self), radix: 16)
    else { throw unexpected("four hexadecimal digits") }
    place += 4
    return value
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    guard accept(character) else { throw unexpected(String(character)) }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard place < text.count, text[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func skipSpace() {
    while place < text.count {
      let byte = text[place]
      guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
      place += 1
    }
  }

  private func unexpected(_ expected: String) -> Fault {
    Fault(
      .badData, "header", "is not the JSON of a safetensors file: expected \(expected) at byte \(8 + place)",
      remedy: "the file is damaged: fetch it again")
  }
}
