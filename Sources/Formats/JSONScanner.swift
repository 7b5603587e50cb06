package import Faults

/// Reads JSON whose form is known beforehand, value by value, as whoever reads it asks for them.
///
/// Total and linear: what is not asked for is refused where it begins, so that nesting costs nothing, and
/// each byte is looked at once or twice. The reader of an object sees its keys in their order, and those that
/// come twice.
package struct JSONScanner {
  let text: UnsafeRawBufferPointer
  private let subject: String
  private let whole: String
  private let offset: Int
  private(set) var place = 0

  /// - Parameters:
  ///   - subject: what faults are told of, such as "header".
  ///   - whole: what the text should be, with its article: "a safetensors file".
  ///   - offset: where the text begins in its file.
  package init(_ text: UnsafeRawBufferPointer, subject: String, of whole: String, offset: Int = 0) {
    self.text = text
    self.subject = subject
    self.whole = whole
    self.offset = offset
  }

  /// Calls `body` with each key; it reads the value.
  package mutating func object(
    _ body: (inout JSONScanner, String) throws(Fault) -> Void
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

  /// Calls `body` at each value of an array; it reads the value.
  package mutating func array(_ body: (inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    try expect("[")
    if accept("]") { return }
    repeat { try body(&self) } while accept(",")
    try expect("]")
  }

  mutating func integers(atMost limit: Int) throws(Fault) -> [Int] {
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

  /// Reads over a value of any kind.
  package mutating func skipValue(depth: Int = 16) throws(Fault) {
    guard depth > 0 else { throw unexpected("less nesting") }
    skipSpace()
    guard place < text.count else { throw unexpected("a value") }
    switch text[place] {
    case UInt8(ascii: "{"):
      try object { scanner, _ throws(Fault) in try scanner.skipValue(depth: depth - 1) }
    case UInt8(ascii: "["):
      try array { scanner throws(Fault) in try scanner.skipValue(depth: depth - 1) }
    case UInt8(ascii: "\""): _ = try string()
    default: try skipWord()
    }
  }

  /// - Throws: a fault when something follows.
  package mutating func end() throws(Fault) {
    skipSpace()
    guard place == text.count else { throw unexpected("the end of the \(subject)") }
  }

  /// A number, true, false or null.
  mutating func skipWord() throws(Fault) {
    let start = place
    while place < text.count, Self.isOfWords(text[place]) { place += 1 }
    guard place > start else { throw unexpected("a value") }
  }

  private static func isOfWords(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "a"..."z", "A"..."Z", "0"..."9", "+", "-", ".": true
    default: false
    }
  }

  package mutating func integer() throws(Fault) -> Int {
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

  package mutating func string() throws(Fault) -> String {
    try expect("\"")
    var content: [UInt8] = []
    var start = place
    while place < text.count {
      let byte = text[place]
      switch byte {
      case UInt8(ascii: "\""):
        let rest = text[start..<place]
        let string =
          content.isEmpty
          ? String(validating: rest, as: UTF8.self) : String(validating: content + rest, as: UTF8.self)
        guard let string else { throw unexpected("UTF-8") }
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

  mutating func skipSpace() {
    while place < text.count {
      let byte = text[place]
      guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
      place += 1
    }
  }

  func unexpected(_ expected: String) -> Fault {
    Fault(
      .badData, subject, "is not the JSON of \(whole): expected \(expected) at byte \(offset + place)",
      remedy: "the file is damaged: fetch it again")
  }
}
