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
      // Swift reads other spellings as numbers, too, such as "inf" and "0x1p3".
      guard let first = word.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first),
        word.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) })
      else { throw unexpected("a value") }
      return .number(word)
    }
  }
}
