package import Faults

/// A value of a JSON text that is small enough to be kept as a whole.
package enum JSONValue {
  case null
  case bool(Bool)
  /// As it is spelled: what number it is depends on who wants it.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// In the text's order.
  case object([(name: String, value: JSONValue)])
}

extension JSONScanner {
  /// Reads a value of any kind.
  package mutating func value(depth: Int = 16) throws(Fault) -> JSONValue {
    guard depth > 0 else { throw unexpected("less nesting") }
    skipSpace()
    guard place < text.count else { throw unexpected("a value") }
    switch text[place] {
    case UInt8(ascii: "{"):
      var members: [(name: String, value: JSONValue)] = []
      try object { scanner, name throws(Fault) in
        members.append((name, try scanner.value(depth: depth - 1)))
      }
      return .object(members)
    case UInt8(ascii: "["):
      var values: [JSONValue] = []
      try array { scanner throws(Fault) in values.append(try scanner.value(depth: depth - 1)) }
      return .array(values)
    case UInt8(ascii: "\""): return .string(try string())
    default: return try word()
    }
  }

  /// A number, true, false or null.
  private mutating func word() throws(Fault) -> JSONValue {
    let start = place
    try skipWord()
    let word = String(decoding: text[start..<place], as: UTF8.self)
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    default:
      guard isNumber(start..<place) else { throw unexpected("a value") }
      return .number(word)
    }
  }

  /// Whether the bytes are `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, as JSON spells numbers. Swift reads other
  /// spellings as numbers, too, such as "inf", "0x1p3" and "01".
  private func isNumber(_ bytes: Range<Int>) -> Bool {
    var next = bytes.lowerBound
    func skip(_ character: Unicode.Scalar, or other: Unicode.Scalar? = nil) -> Bool {
      guard next < bytes.upperBound else { return false }
      let scalar = Unicode.Scalar(text[next])
      guard scalar == character || scalar == other else { return false }
      next += 1
      return true
    }
    func skipDigits() -> Bool {
      let start = next
      while next < bytes.upperBound, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[next]) {
        next += 1
      }
      return next > start
    }
    _ = skip("-")
    guard skip("0") || skipDigits() else { return false }
    if skip(".") && !skipDigits() { return false }
    if skip("e", or: "E") {
      _ = skip("+", or: "-")
      if !skipDigits() { return false }
    }
    return next == bytes.upperBound
  }
}
